// What a compiled machine is measured by: XState's own pure functions, which return effects without carrying
// them out.

import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type ExecutableActionsFrom,
  initialTransition,
  transition,
} from 'xstate';
import { type CompiledLogic, type CompiledSnapshot, compile, type Effect } from '../../src/logic/index.ts';
import { Ledger } from '../../src/model/ledger.ts';

/** A step, or what was thrown instead of one. */
export type Outcome<Snapshot> =
  | { readonly state: Snapshot; readonly effects: readonly Effect[] }
  | { readonly threw: string };

/** With the contexts that the effects, but for emitted events, would be given. */
export type Interpreted = Outcome<AnyMachineSnapshot> & { readonly given?: readonly unknown[] };
export type Compiled = Outcome<CompiledSnapshot>;

export function interpretStart(machine: AnyStateMachine, input: unknown): Interpreted {
  return outcomeOf(() => initialTransition(machine, input));
}

export function interpretStep(
  machine: AnyStateMachine,
  state: AnyMachineSnapshot,
  event: AnyEventObject,
): Interpreted {
  return outcomeOf(() => transition(machine, state, event));
}

export function compiledStart(logic: CompiledLogic, input: unknown): Compiled {
  try {
    return logic.initial(input);
  } catch (error) {
    return { threw: textOf(error) };
  }
}

export function compiledStep(logic: CompiledLogic, state: CompiledSnapshot, event: AnyEventObject): Compiled {
  try {
    return logic.step(state as never, event);
  } catch (error) {
    return { threw: textOf(error) };
  }
}

/** Moves cursors by single steps. */
export class Cursors {
  readonly #logic: CompiledLogic;
  #effects: Effect[] = [];

  constructor(machine: AnyStateMachine) {
    const { actions } = machine.implementations;
    const noted = Object.entries(actions).map(([type, action]) => [
      type,
      'assignment' in (action as object)
        ? action
        : (_: object, params: unknown) =>
            void this.#effects.push(
              'event' in (action as object)
                ? { type: 'xstate.emit', params: { event: params } }
                : { type, params },
            ),
    ]);
    this.#logic = compile(machine.provide({ actions: Object.fromEntries(noted) }));
  }

  step(state: CompiledSnapshot, event: AnyEventObject): Compiled {
    this.#effects = [];
    const cursor = this.#logic.cursorFrom(undefined, state as never);
    try {
      cursor.move(event);
    } catch (error) {
      return { threw: textOf(error) };
    }
    return { state: cursor.snapshot(), effects: this.#effects };
  }
}

/** Where two outcomes differ first, and how; `undefined` where they are equal. */
export function differenceOf(expected: Interpreted, found: Compiled): string | undefined {
  if ('threw' in expected || 'threw' in found) return compare(expected, found, 'outcome');
  const { state, effects } = expected;
  return (
    compare(state.value, found.state.value, 'value') ??
    compare(state.status, found.state.status, 'status') ??
    compare(state.context, found.state.context, 'context') ??
    compare(state.output, found.state.output, 'output') ??
    compare(state.error, found.state.error, 'error') ??
    compare(effects, found.effects, 'effects')
  );
}

/** The same for what a snapshot answers beside its data. */
export function lookDifferenceOf(
  expected: AnyMachineSnapshot,
  found: CompiledSnapshot,
  events: readonly AnyEventObject[],
): string | undefined {
  const difference =
    compare(expected.toJSON(), found.toJSON(), 'toJSON()') ??
    compare(expected.getMeta(), found.getMeta(), 'getMeta()') ??
    compare([...expected.tags], [...found.tags], 'tags');
  if (difference !== undefined) return difference;
  const differs = events.find((event) => canOf(expected, event) !== canOf(found, event));
  return differs && `can(${differs.type})`;
}

function canOf(snapshot: { can(event: AnyEventObject): boolean }, event: AnyEventObject): boolean | string {
  try {
    return snapshot.can(event);
  } catch (error) {
    return textOf(error);
  }
}

/** Where two values differ first. Keys count, those whose value is `undefined` too; functions must be the same. */
export function compare(expected: unknown, found: unknown, place: string): string | undefined {
  if (Object.is(expected, found)) return undefined;
  if (typeof expected !== 'object' || typeof found !== 'object' || expected === null || found === null) {
    return `${place}: ${show(expected)} was expected, but is ${show(found)}`;
  }
  if (expected instanceof Ledger && found instanceof Ledger) {
    return compare(dataOf(expected), dataOf(found), place);
  }
  if (expected instanceof Error && found instanceof Error) {
    return compare(textOf(expected), textOf(found), place);
  }
  const keys = Object.keys(expected);
  if (Array.isArray(expected) !== Array.isArray(found) || keys.length !== Object.keys(found).length) {
    return `${place}: ${show(expected)} was expected, but is ${show(found)}`;
  }
  for (const key of keys) {
    if (!Object.hasOwn(found, key)) return `${place}.${key} is missing`;
    const difference = compare(Reflect.get(expected, key), Reflect.get(found, key), `${place}.${key}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** Integers from 0, below `limit`, the same for the same seed (mulberry32). */
export type Dice = (limit: number) => number;

export function diceOf(seed: number): Dice {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((((mixed ^ (mixed >>> 14)) >>> 0) * limit) / 2 ** 32) >>> 0;
  };
}

export function oneOf<Item>(dice: Dice, items: readonly Item[]): Item {
  return items[dice(items.length)] as Item;
}

function outcomeOf(
  step: () => readonly [AnyMachineSnapshot, readonly ExecutableActionsFrom<AnyStateMachine>[]],
): Interpreted {
  try {
    const [state, effects] = step();
    return {
      state,
      effects: effects.map(({ type, params }) => ({ type, params })),
      given: effects.filter(({ type }) => String(type) !== 'xstate.emit').map(({ info }) => info.context),
    };
  } catch (error) {
    return { threw: textOf(error) };
  }
}

function dataOf(ledger: Ledger): object {
  const { unsettled, failures, verdicts } = ledger;
  return { ...ledger.toJSON(), unsettled, failures, verdicts };
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function show(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
