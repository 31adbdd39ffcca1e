// What the interpreter did with a machine, once; and whether a table does the same, as often as is asked.

import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine, InspectionEvent } from 'xstate';
import { CompiledLogic, type CompiledSnapshot, type Effect } from '../../src/logic/index.ts';
import type { Table } from '../../src/logic/table.ts';
import {
  type Compiled,
  compare,
  compiledStart,
  compiledStep,
  diceOf,
  differenceOf,
  type Interpreted,
  interpretStart,
  interpretStep,
  lookDifferenceOf,
  oneOf,
} from './oracle.ts';
import type { Subject } from './subjects.ts';

/** An actor's start, the return of a persisted one, or an event in the state that another record led to. */
type Act =
  | { readonly kind: 'start'; readonly input: unknown }
  | { readonly kind: 'restore'; readonly persisted: object }
  | { readonly kind: 'send'; readonly from: number; readonly event: AnyEventObject };

interface Recorded {
  readonly act: Act;
  readonly expected: Interpreted;
  /** The transitions taken. */
  readonly taken: readonly unknown[];
}

export interface Recording {
  readonly machine: AnyStateMachine;
  readonly records: readonly Recorded[];
  /** What the machine's effects write to when they are done. */
  readonly calls: unknown[];
}

/**
 * Walks a machine at random, and then sends every event in every state: in contexts that the walks came upon, in
 * those that only a restored snapshot can have there, and in one that is of no use, where guards throw.
 */
export function record(subject: Subject, walked: number): Recording {
  const calls: unknown[] = [];
  const machine = telling(subject.machine, calls);
  const recorder = new Recorder(machine);
  const dice = diceOf(7);
  while (recorder.records.length < walked) {
    const first = recorder.start(subject.makeInput(dice));
    for (let steps = 10 + dice(20); steps > 0; steps--) {
      const last = recorder.records.length - 1;
      const from = dice(3) > 0 ? last : first + dice(last - first + 1);
      recorder.send(from, subject.makeEvent(dice, recorder.stateAt(from)));
    }
  }
  const contexts = recorder.records.map((_, index) => recorder.stateAt(index).context);
  for (const value of Object.keys(machine.states)) {
    for (const status of ['active', 'active', 'active', 'active', 'done', 'stopped', 'error']) {
      const from = recorder.restore({ value, status, context: subject.vary(dice, oneOf(dice, contexts)) });
      for (const event of subject.alphabet) recorder.send(from, event);
    }
    const from = recorder.restore({ value, status: 'active', context: {} });
    for (const event of [...subject.alphabet, unreadable]) recorder.send(from, event);
  }
  return { machine, records: recorder.records, calls };
}

class Recorder {
  readonly records: Recorded[] = [];
  readonly #machine: AnyStateMachine;

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  start(input: unknown): number {
    return this.#add({
      act: { kind: 'start', input },
      expected: interpretStart(this.#machine, input),
      taken: [],
    });
  }

  restore(parts: { readonly value: string; readonly status: string; readonly context: unknown }): number {
    const persisted = { ...parts, output: undefined, error: undefined, children: {}, historyValue: {} };
    const state = this.#machine.restoreSnapshot(persisted as never, {} as never);
    return this.#add({ act: { kind: 'restore', persisted }, expected: { state, effects: [] }, taken: [] });
  }

  send(from: number, event: AnyEventObject): void {
    const state = this.stateAt(from);
    const expected = interpretStep(this.#machine, state, event);
    const taken = 'threw' in expected ? [] : this.#machine.getTransitionData(state, event);
    this.#add({ act: { kind: 'send', from, event }, expected, taken });
  }

  stateAt(index: number): AnyMachineSnapshot {
    const { expected } = this.records[index] as Recorded;
    if ('threw' in expected) throw new Error(`There is no state after ${expected.threw}`);
    return expected.state;
  }

  #add(recorded: Recorded): number {
    return this.records.push(recorded) - 1;
  }
}

/** An event whose reading throws. */
const unreadable: AnyEventObject = {
  type: 'attempt.failed',
  get retryAt() {
    throw new Error('on purpose');
  },
};

/** The machine, with effects that say that they are done. */
function telling(machine: AnyStateMachine, calls: unknown[]): AnyStateMachine {
  const effects = Object.entries(machine.implementations.actions).filter(
    ([, action]) => !('resolve' in Object(action)),
  );
  const tell = (type: string) => (_: unknown, params: unknown) => {
    calls.push({ type, params });
  };
  return machine.provide({ actions: Object.fromEntries(effects.map(([type]) => [type, tell(type)])) });
}

/** What a table does differently first, of all that was recorded; `undefined` when nothing. */
export function differenceIn(recording: Recording, table: Table): string | undefined {
  const { machine, records } = recording;
  const logic = new CompiledLogic(machine, table);
  if (logic.id !== machine.id) return 'id';
  const states: CompiledSnapshot[] = [];
  for (const [index, { act, expected, taken }] of records.entries()) {
    const found = stepOf(logic, act, states);
    const difference = differenceOf(expected, found);
    if (difference !== undefined) return difference;
    if ('threw' in expected || 'threw' in found) continue;
    const further =
      doneDifference(recording, logic, act, states, expected.effects, taken) ??
      lookDifferenceOf(expected.state, found.state, act.kind === 'send' ? [act.event] : []) ??
      keptDifference(logic, found.state);
    if (further !== undefined) return further;
    states[index] = found.state;
  }
  return undefined;
}

function stepOf(logic: CompiledLogic, act: Act, states: readonly CompiledSnapshot[]): Compiled {
  switch (act.kind) {
    case 'start':
      return compiledStart(logic, act.input);
    case 'restore':
      return compiledRestore(logic, act.persisted);
    case 'send':
      return compiledStep(logic, states[act.from] as CompiledSnapshot, act.event);
  }
}

/** The same, taken as an actor does: with effects carried out and inspectors told. */
function doneDifference(
  { calls }: Recording,
  logic: CompiledLogic,
  act: Act,
  states: readonly CompiledSnapshot[],
  effects: readonly Effect[],
  transitions: readonly unknown[],
): string | undefined {
  const deferred: (() => void)[] = [];
  const told: unknown[] = [];
  const emitted: unknown[] = [];
  let taken: readonly unknown[] = [];
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.action') told.push(event.action);
    if (event.type === '@xstate.microstep') taken = event._transitions;
  };
  const scope = {
    self: {},
    system: { _sendInspectionEvent: inspect },
    defer: (callback: () => void) => deferred.push(callback),
    emit: (event: unknown) => emitted.push(event),
  } as never;
  calls.length = 0;
  if (act.kind === 'start') logic.getInitialSnapshot(scope, act.input);
  if (act.kind === 'send') logic.transition(states[act.from] as never, act.event, scope);
  for (let next = deferred.shift(); next !== undefined; next = deferred.shift()) next();
  const isSame =
    transitions.length === taken.length && transitions.every((one, index) => one === taken[index]);
  if (!isSame) return 'transitions taken';
  const isEmit = ({ type }: Effect) => type === 'xstate.emit';
  const events = effects.filter(isEmit).map(({ params }) => Reflect.get(Object(params), 'event'));
  return (
    compare(effects, told, 'actions told') ??
    compare(
      effects.filter((effect) => !isEmit(effect)),
      calls,
      'actions done',
    ) ??
    compare(events, emitted, 'events emitted')
  );
}

/** Whether a snapshot outlives being persisted. */
function keptDifference(logic: CompiledLogic, state: CompiledSnapshot): string | undefined {
  const persisted = logic.getPersistedSnapshot(state as never);
  const restored = compiledRestore(logic, persisted);
  if ('threw' in restored) return restored.threw;
  return compare(persisted, logic.getPersistedSnapshot(restored.state as never), 'persisted');
}

function compiledRestore(logic: CompiledLogic, persisted: object): Compiled {
  try {
    return { state: logic.restoreSnapshot(persisted), effects: [] };
  } catch (error) {
    return { threw: String(error) };
  }
}
