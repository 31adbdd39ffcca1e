import type { Move, StateEntry, Table } from './table.ts';

/** A step of a machine by its names: to compare with, not to take. */
export interface Outline {
  /** The guards that are tried first; none of them may hold. */
  readonly guards: readonly string[];
  /** Exit, transition and entry actions in order; with those that end the machine if it is done. */
  readonly actions: readonly string[];
  /** The next state; the current one if no state is left or entered. */
  readonly to: string;
  /** Whether the machine is done. */
  readonly completes: boolean;
  /** Whether the transition is the root's: such a step is the same in all states without exit and entry actions. */
  readonly isShared: boolean;
}

/** The step that leads into a new actor's first state. */
export function outlineOfStart(table: Table): Outline {
  return outlineOf(table, table.initial, [], false);
}

/** The step that an event takes from a state if no guard holds; `undefined` if it takes none then. */
export function outlineOfStep(table: Table, from: string, type: string): Outline | undefined {
  const state = table.states[table.numberOf.get(from) ?? -1];
  const guards: string[] = [];
  for (const candidate of state?.on.get(type) ?? []) {
    const { guard, definition } = candidate;
    if (guard === undefined)
      return outlineOf(table, candidate, guards, definition.source.parent === undefined);
    guards.push(guard.type);
  }
  return undefined;
}

function outlineOf(
  { states }: Table,
  { target, completes, actions }: Move,
  guards: readonly string[],
  isShared: boolean,
): Outline {
  const { key, exit } = states[target] as StateEntry;
  const all = completes ? [...actions, ...exit] : actions;
  return { guards, actions: all.map(({ type }) => type), to: key, completes, isShared };
}
