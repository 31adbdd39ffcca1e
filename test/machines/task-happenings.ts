// What can happen to a task, with what brings it about in life: the events of the task machine as the engine sends them.

import { RetryAfterError, SkipTask } from 'topple';
import type { SnapshotFrom } from 'xstate';
import type { TaskEvent, taskMachine } from '../../machines/index.ts';
import type { ErrorView } from '../../src/model/error.ts';
import type { Cause } from '../../src/model/status.ts';
import {
  backoffMs,
  fatal,
  graceMs,
  limitMs,
  maxElapsedMs,
  type SubjectOptions,
  type TaskWorld,
  timeoutMs,
} from './task-world.ts';

/** A task as the model has it. */
export type State = SnapshotFrom<typeof taskMachine>;

/** Something that happens to a task. */
export interface Happening {
  readonly name: string;
  /** What the engine sends. */
  readonly event: Exclude<TaskEvent, { readonly type: 'xstate.error.actor.body' }>;
  /** When it is brought about. Default: when the engine sends it. */
  readonly at?: number;
  /** Brings it about from outside. Without it, time alone does. */
  readonly bring?: (world: TaskWorld) => void | Promise<void>;
  /** What it asks for of the task. */
  readonly options?: SubjectOptions;
}

// Instants follow from where a task is, so that there are finitely many states.
const verdictAt = 10;
const firstStartAt = 20;
const startOf = (attempt: number) => firstStartAt + (attempt - 1) * 1_000;
const endOf = (attempt: number) => startOf(attempt) + 100;
const expireAt = firstStartAt + limitMs;
const longWaitMs = 2 * limitMs;

const enough = { cause: 'cancelled', reason: 'enough' } as const;
const error = (name: string, message: string): ErrorView => ({ name, message });
const outOfTime = error('TimeoutError', 'Task `subject` took longer than its `totalTimeoutMs` of 10000 ms');
const notAString = 'Output of task `subject` is not valid: Invalid input: expected string, received number';

/** All that can happen to a task in a state. */
export function happeningsIn({ value, status, context: { attempt, retryAt = 0 } }: State): Happening[] {
  if (status !== 'active') return [];
  switch (value) {
    case 'undecided':
      return whileUndecided;
    case 'ready':
      return [startsAt(firstStartAt), cancelledAt(firstStartAt)];
    case 'running':
      return whileRunning(attempt, endOf(attempt));
    case 'timing_out':
      return whileTimingOut(attempt, startOf(attempt) + timeoutMs);
    case 'expiring':
      return whileExpiring;
    case 'cancelling':
      return whileCancelling();
    case 'backing_off':
      return whileBackingOff(retryAt);
    default:
      return [startsAt(startOf(attempt + 1)), cancelledAt(retryAt + 50), { name: 'time-out', event: expire }];
  }
}

const expire = { type: 'task.expire', at: expireAt, cause: 'timeout', error: outOfTime } as const;

const startsAt = (at: number): Happening => ({
  name: 'start',
  event: { type: 'attempt.start', at },
  bring: (world) => world.freeSlot(),
});

const cancelledAt = (at: number): Happening => ({
  name: 'cancel',
  event: { type: 'task.cancel', at, ...enough },
  bring: ({ run }) => run.cancel('enough'),
});

const whileUndecided: Happening[] = [
  {
    name: 'ready',
    event: { type: 'task.ready', at: verdictAt },
    bring: ({ before }) => before[0]?.resolve('first'),
  },
  {
    name: 'skip',
    event: { type: 'task.skip', at: verdictAt, cause: 'rule', because: 'before' },
    bring: ({ before }) => before[0]?.reject(new SkipTask()),
  },
  {
    name: 'upstream failed',
    event: { type: 'task.fail_upstream', at: verdictAt, cause: 'upstream', because: 'before' },
    bring: ({ before }) => before[0]?.reject(fatal()),
  },
  cancelledAt(verdictAt),
];

const whileRunning = (attempt: number, at: number): Happening[] => {
  const tooLongMs = maxElapsedMs - (at - firstStartAt);
  const failed = (cause: Cause, name: string, message: string, retryAt?: number): Happening['event'] => ({
    type: 'attempt.failed',
    at,
    cause,
    error: error(name, message),
    retryAt,
  });
  const retries: Happening[] = [
    {
      name: 'failure with a retry',
      event: failed('exhausted', 'Error', 'not yet', at + backoffMs),
      bring: ({ body }) => body.reject(new Error('not yet')),
    },
    {
      name: 'failure with a long wait',
      event: failed('exhausted', 'RetryAfterError', `Try again in ${longWaitMs} ms`, at + longWaitMs),
      bring: ({ body }) => body.reject(new RetryAfterError(longWaitMs)),
      options: { maxElapsedMs: 2 * longWaitMs },
    },
  ];
  return [
    ...(attempt < 3 ? retries : []),
    {
      name: 'progress',
      event: { type: 'attempt.progress', at, fraction: 0.5, note: 'half' },
      bring: ({ body }) => body.scope.progress(0.5, 'half'),
    },
    {
      name: 'done',
      event: { type: 'attempt.done', at, output: 'made' },
      bring: ({ body }) => body.resolve('made'),
    },
    {
      name: 'failure with no time for a retry',
      event: failed('exhausted', 'RetryAfterError', `Try again in ${tooLongMs} ms`),
      bring: ({ body }) => body.reject(new RetryAfterError(tooLongMs)),
    },
    {
      name: 'fatal failure',
      event: failed('fatal', 'FatalError', 'no use'),
      bring: ({ body }) => body.reject(fatal()),
    },
    {
      name: 'refused output',
      event: failed('output', 'OutputError', notAString),
      bring: ({ body }) => body.resolve(42),
    },
    {
      name: 'skips itself',
      event: { type: 'attempt.skipped', at, reason: 'nothing to do' },
      bring: ({ body }) => body.reject(new SkipTask('nothing to do')),
    },
    {
      name: 'time-out of the attempt',
      event: { type: 'attempt.expire', at: startOf(attempt) + timeoutMs },
      options: { timeoutMs },
    },
    { name: 'time-out', event: expire },
    cancelledAt(at),
  ];
};

const whileTimingOut = (attempt: number, at: number): Happening[] => {
  const message = `Attempt ${attempt} of task \`subject\` took longer than its \`timeoutMs\` of ${timeoutMs} ms`;
  const failed = (at: number, cause: Cause, retryAt?: number): Happening['event'] => ({
    type: 'attempt.failed',
    at,
    cause,
    error: error('TimeoutError', message),
    retryAt,
  });
  const ends: Happening = {
    name: 'the body heeds it',
    event: attempt < 3 ? failed(at, 'exhausted', at + backoffMs) : failed(at, 'timeout'),
    bring: ({ body }) => body.resolve('too late'),
  };
  const isGivenUp: Happening = { name: 'the body is given up', event: failed(at + graceMs, 'timeout') };
  return [
    ends,
    ...(attempt < 3 ? [] : [isGivenUp]),
    { name: 'time-out', event: expire, options: { graceMs: 2 * limitMs } },
    cancelledAt(at + 50),
  ];
};

const whileExpiring: Happening[] = [
  {
    name: 'the body heeds it',
    event: { type: 'attempt.failed', at: expireAt + 50, cause: 'timeout', error: outOfTime },
    bring: ({ body }) => body.resolve('too late'),
  },
  cancelledAt(expireAt + 25),
];

const whileCancelling = (): Happening[] => {
  // It may have been out of time before: this is after all other instants.
  const event = { type: 'attempt.cancelled', at: expireAt + 100, ...enough } as const;
  return [
    {
      name: 'the body heeds it',
      event,
      bring: ({ body }) => body.reject(body.scope.signal.reason),
      options: { graceMs: 2 * limitMs },
    },
  ];
};

const whileBackingOff = (dueAt: number): Happening[] => {
  // After a long wait its time is over first.
  if (dueAt > expireAt) return [cancelledAt(expireAt - 50), { name: 'time-out', event: expire }];
  return [{ name: 'due', event: { type: 'attempt.due', at: dueAt } }, cancelledAt(dueAt - 50)];
};
