import type { Machine, MachineState, MachineTransition } from './machine.ts';

/** An event that leads from one state to another, or re-enters the same one. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** The event, with its guard in brackets where it may also do something else. */
  readonly label: string;
}

/** Finds the arrows from each state. Those of every state are among them, except at final states. */
export function arrowsOf(machine: Machine): Arrow[] {
  return machine.states.flatMap((state) =>
    arrowsFrom(state.name, [...state.transitions, ...(state.isFinal ? [] : inherited(machine, state))]),
  );
}

/** Finds the arrows of some transitions, from the state or states that `from` names. */
export function arrowsFrom(from: string, transitions: readonly MachineTransition[]): Arrow[] {
  return waysOf(transitions).flatMap(({ label, to }) => (to === undefined ? [] : [{ from, to, label }]));
}

/** Labels the events that a state takes without leaving it; those of every state are among them. */
export function stayingIn(machine: Machine, state: MachineState): string[] {
  return waysOf([...state.transitions, ...inherited(machine, state)]).flatMap(({ label, to }) =>
    to === undefined ? [label] : [],
  );
}

/** The effect of an event in a state, as a picture labels it. */
interface Way {
  readonly label: string;
  /** The state that it leads to; `undefined` if it stays. */
  readonly to: string | undefined;
}

/** Leaves out events that do nothing; makes candidates that lead to the same place one. */
function waysOf(transitions: readonly MachineTransition[]): Way[] {
  return [...Map.groupBy(transitions, ({ event }) => event)].flatMap(([event, candidates]) => {
    if (candidates.every(isIgnored)) return [];
    const ways = candidates.map(({ guard = 'else', target }) => ({
      label: `${event} [${guard}]`,
      to: target,
    }));
    const targets = new Set(ways.map(({ to }) => to));
    return targets.size > 1 ? ways : Array.from(targets, (to) => ({ label: event, to }));
  });
}

function isIgnored({ target, actions }: MachineTransition): boolean {
  return target === undefined && actions.length === 0;
}

function inherited({ transitions }: Machine, state: MachineState): MachineTransition[] {
  const own = new Set(state.transitions.map(({ event }) => event));
  return transitions.filter(({ event }) => !own.has(event));
}
