// What the interpreter did with a machine, once; and whether a table does the same, as often as is asked.

import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  assign,
  emit,
  type InspectionEvent,
} from 'xstate';
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
} from './oracle.ts';
import type { Subject } from './subjects.ts';

/** An actor's start, the return of a persisted one, or an event in the state that another record led to. */
type Act =
  | { readonly kind: 'start'; readonly input: unknown }
  | { readonly kind: 'restore'; readonly persisted: object }
  | { readonly kind: 'send'; readonly from: number; readonly event: AnyEventObject };

/** One of a machine's own functions was called. */
interface Call {
  readonly kind: 'guard' | 'assign' | 'emit' | 'effect';
  readonly name: string;
  readonly context: unknown;
  readonly params: unknown;
}

interface Recorded {
  readonly act: Act;
  readonly expected: Interpreted;
  /** In order. Effects are not among them: pure functions do none. */
  readonly calls: readonly Call[];
  readonly taken: readonly unknown[];
}

export interface Recording {
  readonly machine: AnyStateMachine;
  readonly records: readonly Recorded[];
  /** What the machine's functions write to. */
  readonly calls: Call[];
}

/**
 * Sends every event in every state, with contexts that only a restored snapshot can have there among them and one
 * that is of no use, where guards throw; then walks on at random.
 */
export function record(subject: Subject, walked: number): Recording {
  const calls: Call[] = [];
  const recorder = new Recorder(telling(subject.machine, calls), calls);
  const dice = diceOf(7);
  for (const context of [{}, ...subject.contexts]) {
    for (const value of Object.keys(subject.machine.states)) {
      const from = recorder.restore({ value, status: 'active', context });
      for (const event of [...subject.alphabet, ...subject.unreadable]) recorder.send(from, event);
    }
  }
  for (const status of ['done', 'stopped', 'error']) {
    for (const value of Object.keys(subject.machine.states)) {
      const from = recorder.restore({ value, status, context: subject.contexts[0] });
      for (const event of subject.alphabet) recorder.send(from, event);
    }
  }
  for (const end = recorder.records.length + walked; recorder.records.length < end; ) {
    const first = recorder.start(subject.makeInput(dice));
    for (let steps = 10 + dice(20); steps > 0; steps--) {
      const last = recorder.records.length - 1;
      const from = dice(3) > 0 ? last : first + dice(last - first + 1);
      recorder.send(from, subject.makeEvent(dice, recorder.stateAt(from)));
    }
  }
  return recorder;
}

class Recorder implements Recording {
  readonly machine: AnyStateMachine;
  readonly records: Recorded[] = [];
  readonly calls: Call[];

  constructor(machine: AnyStateMachine, calls: Call[]) {
    this.machine = machine;
    this.calls = calls;
  }

  start(input: unknown): number {
    return this.#add({ kind: 'start', input }, () => interpretStart(this.machine, input), []);
  }

  restore(parts: { readonly value: string; readonly status: string; readonly context: unknown }): number {
    const persisted = { ...parts, output: undefined, error: undefined, children: {}, historyValue: {} };
    const state = this.machine.restoreSnapshot(persisted as never, {} as never);
    return this.#add({ kind: 'restore', persisted }, () => ({ state, effects: [] }), []);
  }

  send(from: number, event: AnyEventObject): void {
    const state = this.stateAt(from);
    const taken = throwing(() => this.machine.getTransitionData(state, event)) ?? [];
    this.#add({ kind: 'send', from, event }, () => interpretStep(this.machine, state, event), taken);
  }

  stateAt(index: number): AnyMachineSnapshot {
    const { expected } = this.records[index] as Recorded;
    if ('threw' in expected) throw new Error(`There is no state after ${expected.threw}`);
    return expected.state;
  }

  #add(act: Act, interpret: () => Interpreted, taken: readonly unknown[]): number {
    this.calls.length = 0;
    const expected = interpret();
    return this.records.push({ act, expected, calls: [...this.calls], taken }) - 1;
  }
}

/** The machine, with functions that tell of each call. */
function telling(machine: AnyStateMachine, calls: Call[]): AnyStateMachine {
  const tell =
    (kind: Call['kind'], name: string, run: unknown) => (args: { context: unknown }, params: unknown) => {
      calls.push({ kind, name, context: args.context, params });
      return typeof run === 'function' ? run(args, params) : run;
    };
  const { guards, actions } = machine.implementations;
  const told = (name: string, action: unknown): unknown => {
    const { assignment, event } = Object(action);
    if (assignment !== undefined) return assign(tell('assign', name, assignment) as never);
    return event === undefined ? tell('effect', name, undefined) : emit(tell('emit', name, event) as never);
  };
  return machine.provide({
    guards: Object.fromEntries(
      Object.entries(guards).map(([name, guard]) => [name, tell('guard', name, guard)]),
    ) as never,
    actions: Object.fromEntries(
      Object.entries(actions).map(([name, action]) => [name, told(name, action)]),
    ) as never,
  });
}

/** What a table does differently first, of all that was recorded; `undefined` when nothing. */
export function differenceIn(recording: Recording, table: Table): string | undefined {
  const { machine, records } = recording;
  const logic = new CompiledLogic(machine, table);
  if (logic.id !== machine.id) return 'id';
  const states: CompiledSnapshot[] = [];
  for (const [index, recorded] of records.entries()) {
    const { act, expected } = recorded;
    recording.calls.length = 0;
    const found = stepOf(logic, act, states);
    const difference = compare(recorded.calls, recording.calls, 'calls') ?? differenceOf(expected, found);
    if (difference !== undefined) return difference;
    if ('threw' in expected || 'threw' in found) continue;
    const further =
      doneDifference(recording, logic, recorded, states) ??
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
  { act, expected, taken }: Recorded,
  states: readonly CompiledSnapshot[],
): string | undefined {
  if ('threw' in expected) return undefined;
  const deferred: (() => void)[] = [];
  const told: unknown[] = [];
  const emitted: unknown[] = [];
  let took: readonly unknown[] = [];
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.action') told.push(event.action);
    if (event.type === '@xstate.microstep') took = event._transitions;
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
  if (took.length !== taken.length || took.some((one, index) => one !== taken[index]))
    return 'transitions taken';
  const { effects, given = [] } = expected;
  const isEmit = ({ type }: Effect) => type === 'xstate.emit';
  const events = effects.filter(isEmit).map(({ params }) => Reflect.get(Object(params), 'event'));
  const done = effects
    .filter((effect) => !isEmit(effect))
    .map(({ type, params }, index) => ({ kind: 'effect', name: type, context: given[index], params }));
  return (
    compare(effects, told, 'actions told') ??
    compare(
      done,
      calls.filter(({ kind }) => kind === 'effect'),
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

function throwing<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
