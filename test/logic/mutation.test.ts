import * as assert from 'uvu/assert';
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine, InspectionEvent } from 'xstate';
import { tableOf } from '../../src/logic/compile.ts';
import { CompiledLogic, type CompiledSnapshot, type Effect } from '../../src/logic/index.ts';
import type { Table } from '../../src/logic/table.ts';
import { spec } from '../spec.ts';
import { mutantsOf } from './mutants.ts';
import {
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
import { orchestrator, type Subject, task } from './subjects.ts';

const test = spec('mutated tables');

/** What the interpreter did once. */
interface Recorded {
  /** Which record's state it went on from; none for a start. */
  readonly from: number | undefined;
  readonly input: unknown;
  readonly event: AnyEventObject;
  readonly expected: Interpreted;
  /** The transitions that it took. */
  readonly taken: readonly unknown[];
}

/** The machine, with effects that say that they were done. */
function telling(machine: AnyStateMachine, calls: unknown[]): AnyStateMachine {
  const effects = Object.entries(machine.implementations.actions).filter(
    ([, action]) => !('resolve' in Object(action)),
  );
  const tell = ([name]: readonly [string, unknown]) => [
    name,
    (_: unknown, params: unknown) => {
      calls.push({ type: name, params });
    },
  ];
  return machine.provide({ actions: Object.fromEntries(effects.map(tell)) });
}

interface Recording {
  readonly machine: AnyStateMachine;
  readonly records: readonly Recorded[];
  /** What the machine's effects write to. */
  readonly calls: unknown[];
}

/** Walks of the interpreter, on from states that it has been in at random. */
function record(subject: Subject, count: number): Recording {
  const calls: unknown[] = [];
  const machine = telling(subject.machine, calls);
  const dice = diceOf(7);
  const records: Recorded[] = [];
  let first = 0;
  const start = (input: unknown): void => {
    first = records.length;
    const event = { type: 'xstate.init', input };
    records.push({ from: undefined, input, event, expected: interpretStart(machine, input), taken: [] });
  };
  const step = (from: number, makeEvent: (state: AnyMachineSnapshot) => AnyEventObject): void => {
    const { expected } = records[from] as Recorded;
    if ('threw' in expected) return;
    const event = makeEvent(expected.state);
    const next = interpretStep(machine, expected.state, event);
    const taken = 'threw' in next ? [] : machine.getTransitionData(expected.state, event);
    records.push({ from, input: undefined, event, expected: next, taken });
  };
  // Where nothing is as it should be, guards throw: their names are in the message.
  start({ ledger: undefined });
  for (const event of subject.alphabet) step(0, () => event);
  const bad = {
    get retryAt() {
      throw new Error('on purpose');
    },
  };
  while (records.length < count) {
    start(subject.makeInput(dice));
    for (let steps = 20 + dice(40); steps > 0; steps--) {
      const from = dice(3) > 0 ? records.length - 1 : first + dice(records.length - first);
      step(from, (state) => subject.makeEvent(dice, state));
    }
    step(records.length - 1, () => Object.assign(Object.create(bad), { type: 'attempt.failed' }));
  }
  return { machine, records, calls };
}

/** What differs first when a table does all that was recorded; `undefined` when nothing does. */
function differenceIn({ machine, records, calls }: Recording, table: Table): string | undefined {
  const logic = new CompiledLogic(machine, table);
  if (logic.id !== machine.id) return 'id';
  const states: (CompiledSnapshot | undefined)[] = [];
  for (const { from, input, event, expected, taken } of records) {
    const before = from === undefined ? undefined : states[from];
    const found = before === undefined ? compiledStart(logic, input) : compiledStep(logic, before, event);
    const difference = differenceOf(expected, found);
    if (difference !== undefined) return difference;
    states.push('state' in found ? found.state : undefined);
    if ('threw' in expected || 'threw' in found) continue;
    const acted = act(logic, before, input, event, calls);
    const further =
      compare(doneBy(expected.effects, taken), acted, 'acted') ??
      lookDifferenceOf(expected.state, found.state, [event]) ??
      keptDifference(logic, found.state);
    if (further !== undefined) return further;
  }
  return undefined;
}

/** What is done and told by an actor that takes a step. */
interface Acted {
  readonly calls: readonly unknown[];
  readonly told: readonly unknown[];
  readonly emitted: readonly unknown[];
  readonly taken: readonly unknown[];
}

function doneBy(effects: readonly Effect[], taken: readonly unknown[]): Acted {
  const isEmit = ({ type }: Effect) => type === 'xstate.emit';
  return {
    calls: effects.filter((effect) => !isEmit(effect)),
    told: effects,
    emitted: effects.filter(isEmit).map(({ params }) => Reflect.get(Object(params), 'event')),
    taken,
  };
}

/** Takes a step as an actor does. */
function act(
  logic: CompiledLogic,
  before: CompiledSnapshot | undefined,
  input: unknown,
  event: AnyEventObject,
  calls: unknown[],
): Acted {
  const deferred: (() => void)[] = [];
  const told: unknown[] = [];
  const emitted: unknown[] = [];
  let taken: readonly unknown[] = [];
  const inspect = (inspected: InspectionEvent): void => {
    if (inspected.type === '@xstate.action') told.push(inspected.action);
    if (inspected.type === '@xstate.microstep') taken = inspected._transitions;
  };
  const scope = {
    self: {},
    system: { _sendInspectionEvent: inspect },
    defer: (callback: () => void) => deferred.push(callback),
    emit: (event: unknown) => emitted.push(event),
  };
  calls.length = 0;
  if (before === undefined) logic.getInitialSnapshot(scope as never, input);
  else logic.transition(before as never, event, scope as never);
  for (let next = deferred.shift(); next !== undefined; next = deferred.shift()) next();
  return { calls: [...calls], told, emitted, taken };
}

/** Whether a snapshot outlives being persisted. */
function keptDifference(logic: CompiledLogic, state: CompiledSnapshot): string | undefined {
  const persisted = logic.getPersistedSnapshot(state as never);
  try {
    return compare(persisted, logic.getPersistedSnapshot(logic.restoreSnapshot(persisted)), 'persisted');
  } catch (error) {
    return String(error);
  }
}

test('x', () => {
  for (const [name, subject] of Object.entries({ task, orchestrator })) {
    let t = performance.now();
    const recording = record(subject, 2500);
    console.log(name, 'recorded', performance.now() - t);
    const table = tableOf(recording.machine);
    assert.is(differenceIn(recording, table), undefined);
    t = performance.now();
    let n = 0;
    const survivors: string[] = [];
    for (const mutant of mutantsOf(table)) {
      n++;
      if (differenceIn(recording, mutant.table) === undefined) survivors.push(mutant.name);
    }
    console.log(n, survivors.length, performance.now() - t);
    console.log(survivors.join('\n'));
  }
});
