// The two machines under comparison, with the inputs and events to drive them by.

import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { type OrchestratorContext, orchestratorMachine, taskMachine } from '../../machines/index.ts';
import { createGraph } from '../../src/model/graph.ts';
import { Ledger, type Plan } from '../../src/model/ledger.ts';
import type { SettledStatus, TaskStatus } from '../../src/model/status.ts';
import { type TriggerRule, triggerRules } from '../../src/model/trigger-rule.ts';
import { type Dice, oneOf } from './oracle.ts';

/** A machine, and how to walk it at random. */
export interface Subject {
  readonly machine: AnyStateMachine;
  /** Each event, with every kind of fields that makes a difference. */
  readonly alphabet: readonly AnyEventObject[];
  makeInput(dice: Dice): unknown;
  /** Mostly an event that leads on from the state, but often one that is out of place there. */
  makeEvent(dice: Dice, state: AnyMachineSnapshot): AnyEventObject;
  /** Contexts as they may be in a snapshot that is restored, in whatever state. */
  readonly contexts: readonly object[];
  /** Events whose reading throws. */
  readonly unreadable: readonly AnyEventObject[];
}

const error = { name: 'Error', message: 'no' };
const settledStatuses: readonly SettledStatus[] = [
  'done',
  'failed',
  'skipped',
  'upstream_failed',
  'cancelled',
];

/** Events that no machine of ours knows, and those that XState itself sends. */
const strangers: readonly AnyEventObject[] = [
  { type: 'unknown' },
  { type: 'toString' },
  { type: 'xstate.done.actor.body', output: 1, actorId: 'body' },
  { type: 'xstate.snapshot.body', snapshot: {} },
  { type: 'xstate.error.actor.body', error: 'of the body', actorId: 'body' },
];
/** Events that end an actor. */
const fatal: readonly AnyEventObject[] = [
  { type: 'xstate.error.actor.other', error: 'of a stranger', actorId: 'other' },
  { type: 'xstate.error.actor', error: undefined },
  { type: 'xstate.stop' },
];

/** Each event of the task machine, with every kind of fields that makes a difference. */
export function taskAlphabet(at = 10): readonly AnyEventObject[] {
  return [
    { type: 'task.ready', at },
    { type: 'task.skip', at, cause: 'rule', because: 'a' },
    { type: 'task.skip', at, cause: 'timeout' },
    { type: 'condition.true', at },
    { type: 'condition.false', at, cause: 'condition' },
    { type: 'condition.threw', at, cause: 'condition', error },
    { type: 'wait.planned', at, until: at + 5 },
    { type: 'wait.planned', at },
    { type: 'wait.delivered', at, output: { n: 1 } },
    { type: 'wait.over', at, output: undefined },
    { type: 'wait.failed', at, cause: 'input', error },
    { type: 'task.fail_upstream', at, cause: 'upstream', because: 'a' },
    { type: 'task.cancel', at, cause: 'cancelled', reason: 'enough' },
    { type: 'task.cancel', at, cause: 'timeout' },
    { type: 'task.expire', at, cause: 'timeout', error },
    { type: 'attempt.start', at },
    { type: 'attempt.due', at },
    { type: 'attempt.expire', at },
    { type: 'attempt.progress', at, fraction: 0.5, note: 'half' },
    { type: 'attempt.done', at, output: { n: 1 } },
    { type: 'attempt.failed', at, error, cause: 'exhausted', retryAt: at + 5 },
    { type: 'attempt.failed', at, error, cause: 'fatal' },
    { type: 'attempt.skipped', at, reason: 'nothing to do' },
    { type: 'attempt.cancelled', at, cause: 'cancelled', reason: 'enough' },
    ...strangers,
  ];
}

const goingOn = [
  'task.ready',
  'condition.true',
  'wait.planned',
  'attempt.start',
  'attempt.due',
  'attempt.progress',
  'attempt.failed',
];

export const task: Subject = {
  machine: taskMachine,
  alphabet: [...taskAlphabet(), ...fatal],
  contexts: [0, 1, 2].flatMap((attempt) =>
    [undefined, 30].map((retryAt) => ({
      task: 1,
      maxAttempts: 2,
      asks: attempt === 1,
      waits: attempt === 2,
      attempt,
      readyAt: retryAt,
      retryAt,
      error: retryAt === undefined ? undefined : { name: 'Error', message: 'earlier' },
      ending: retryAt === undefined ? undefined : { at: retryAt, cause: 'fatal', because: 'b' },
    })),
  ),
  unreadable: [
    {
      type: 'attempt.failed',
      get retryAt() {
        throw new Error('on purpose');
      },
    },
  ],
  makeInput: (dice) => ({
    task: dice(100),
    maxAttempts: 1 + dice(6),
    asks: dice(2) === 0,
    waits: dice(3) === 0,
  }),
  makeEvent: (dice, { context }) => {
    if (dice(40) === 0) return oneOf(dice, fatal);
    const at = dice(3) === 0 ? (context.retryAt ?? 0) : dice(1000);
    const events = taskAlphabet(at);
    return oneOf(dice, dice(2) === 0 ? events : events.filter(({ type }) => goingOn.includes(type)));
  },
};

/** A plan of tasks `t0`, `t1`, … that depend on tasks by number. */
export function planOf(
  dependencies: readonly (readonly number[])[],
  rules: readonly TriggerRule[],
  optional: readonly number[] = [],
  tolerance?: number,
): Plan {
  const tasks = dependencies.map((numbers, task) => ({
    id: `t${task}`,
    dependsOn: numbers.map((number) => `t${number}`),
  }));
  return {
    graph: createGraph('compared', tasks),
    rules,
    optional: Uint8Array.from(tasks, (_, task) => (optional.includes(task) ? 1 : 0)),
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}

/** Each event of the orchestrator but those of its tasks. */
export function runAlphabet(at = 10): readonly AnyEventObject[] {
  return [
    { type: 'run.start', at, version: 1, flow: 'compared', flowHash: 'x', input: { n: 1 } },
    { type: 'run.recover', at },
    { type: 'run.pause', at },
    { type: 'run.resume', at },
    { type: 'run.cancel', at },
    { type: 'run.cancel', at, cause: 'timeout', reason: 'too slow' },
    { type: 'run.conclude', at, outputs: { t0: 1 }, failures: [] },
    { type: 'run.conclude', at, outputs: 2, output: 2, failures: [{ taskId: 't0', error, cause: 'fatal' }] },
    { type: 'run.conclude', at, outputs: {}, failures: [], error },
    { type: 'run.compensate', at, tasks: ['t0'] },
    { type: 'run.compensate', at, tasks: ['t0', 't1'], cause: 'timeout', reason: 'too slow', error },
    { type: 'run.reopen', at },
    { type: 'run.reopen', at, cause: 'cancelled', reason: 'enough' },
  ];
}

/** How the tasks of a run may settle next: each in all five ways, or only those that have their verdict. */
export function settlements(
  { ledger }: OrchestratorContext,
  which: 'all' | 'decided',
  at = 10,
): AnyEventObject[] {
  const tasks = Array.from({ length: ledger.size }, (_, number) => number).filter(
    (number) => which === 'all' || ledger.statusOf(number) === 'decided',
  );
  return tasks.flatMap((number) =>
    settledStatuses.map((status) => ({ type: 'task.settled', at, task: number, status })),
  );
}

/** Books with no task, one and two left, none or some failed; and with one failure more or less than they tolerate. */
const ledgers: readonly Ledger[] = [
  Ledger.open(planOf([], [])),
  Ledger.open(planOf([[]], ['always'])),
  Ledger.open(planOf([[]], ['always'])).admit(),
  Ledger.open(planOf([[]], ['always'])).settle(0, 'failed'),
  Ledger.open(planOf([[], [0]], ['always', 'all_success'])),
  Ledger.open(planOf([[], [0]], ['always', 'all_failed'])).admit(),
  Ledger.open(planOf([[], [], [0]], ['always', 'always', 'all_settled'], [], 0)).admit(),
  Ledger.open(planOf([[], []], ['always', 'always'], [0], 0)).admit(),
  Ledger.open(planOf([[], [], []], ['always', 'always', 'always'], [], 1), ['pending', 'pending', 'failed']),
];

export const orchestrator: Subject = {
  machine: orchestratorMachine,
  alphabet: [
    ...runAlphabet(),
    { type: 'task.settled', at: 10, task: 0, status: 'done' },
    { type: 'task.settled', at: 10, task: 0, status: 'failed' },
    { type: 'task.settled', at: 10, task: 1, status: 'failed' },
    ...strangers,
    ...fatal,
  ],
  contexts: ledgers.flatMap((ledger) =>
    [undefined, 'cancelled', 'timeout'].map((cause) => ({
      ledger,
      cause,
      reason: cause && 'enough',
      outputs: cause && { a: 1 },
      failures: cause ? [{ taskId: 'a', error }] : [],
    })),
  ),
  unreadable: [
    {
      type: 'run.conclude',
      get error() {
        throw new Error('on purpose');
      },
    },
    {
      type: 'task.settled',
      task: 0,
      get status() {
        throw new Error('on purpose');
      },
    },
  ],
  makeInput: (dice) => {
    const size = dice(9);
    const dependencies = Array.from({ length: size }, (_, task) =>
      Array.from({ length: task }, (_, number) => number).filter(() => dice(3) === 0),
    );
    const plan = planOf(
      dependencies,
      dependencies.map(() => oneOf(dice, triggerRules)),
      dependencies.map((_, task) => task).filter(() => dice(4) === 0),
      dice(3) === 0 ? dice(3) : undefined,
    );
    // A third are runs that are recovered, or run again in part.
    if (dice(3) > 0) return { ledger: Ledger.open(plan) };
    const statuses: readonly TaskStatus[] = ['pending', 'running', 'retrying', ...settledStatuses, 'done'];
    return {
      ledger: Ledger.open(
        plan,
        dependencies.map(() => oneOf(dice, statuses)),
      ),
    };
  },
  makeEvent: (dice, { context }) => {
    if (dice(40) === 0) return oneOf(dice, [...strangers, ...fatal]);
    const { ledger } = context as OrchestratorContext;
    const at = dice(1000);
    const [start, recover, ...rest] = runAlphabet(at);
    const roll = dice(100);
    const isBegun = ledger.size > ledger.unsettled || ledger.toJSON().statuses.includes('decided');
    if (roll < (isBegun ? 5 : 60))
      return oneOf(dice, [start, recover, start, recover, ...rest.slice(-4)]) as AnyEventObject;
    if (roll < 25) return oneOf(dice, rest.slice(0, 2));
    if (roll < (ledger.unsettled === 0 ? 60 : 28)) return oneOf(dice, rest);
    const all = settlements(context, roll < 90 ? 'decided' : 'all', at);
    if (all.length === 0) return oneOf(dice, strangers);
    // A run is done only where each of its tasks is, or nearly: that is to be tried as often as the rest.
    const { length } = settledStatuses;
    return dice(2) === 0 ? oneOf(dice, all) : (all[length * dice(all.length / length)] as AnyEventObject);
  },
};
