// What can happen to a task, with what brings it about in life: the events of the task machine as the engine sends them.

import { RetryAfterError, SkipTask } from 'topple';
import type { SnapshotFrom } from 'xstate';
import type { TaskEvent, taskMachine } from '../../machines/index.ts';
import type { ErrorView } from '../../src/model/error.ts';
import type { Cause } from '../../src/model/status.ts';
import { backoffMs, fatal, graceMs, limitMs, maxElapsedMs, type TaskWorld } from './task-world.ts';

/** A task as the model has it. */
export type State = SnapshotFrom<typeof taskMachine>;

/** Something that happens to a task. */
export interface Happening {
  readonly name: string;
  /** What the engine sends: last the event in question, before it those that come along and change nothing. */
  readonly events: readonly TaskEvent[];
  /** When it is brought about. */
  readonly at: number;
  /** Brings it about from outside. Without it, time alone does. */
  readonly bring?: (world: TaskWorld) => void | Promise<void>;
}

// Instants follow from where a task is, so that there are finitely many states.
const verdictAt = 10;
const firstStartAt = 20;
const startOf = (attempt: number) => firstStartAt + (attempt - 1) * 1_000;
const endOf = (attempt: number) => startOf(attempt) + 100;
const dueOf = (attempt: number) => endOf(attempt) + backoffMs;
/** The first wait is cancelled before the retry is due, the second while it wants a slot. */
const cancelOf = (attempt: number) => dueOf(attempt) + (attempt === 1 ? -50 : 50);
const expireAt = firstStartAt + limitMs;

const enough = { cause: 'cancelled', reason: 'enough' } as const;
const error = (name: string, message: string): ErrorView => ({ name, message });
const outOfTime = error('TimeoutError', 'Task `subject` took longer than its `totalTimeoutMs` of 10000 ms');

const notAString = 'Output of task `subject` is not valid: Invalid input: expected string, received number';

/** All that can happen to a task in a state. */
export function happeningsIn({ value, status, context: { attempt, readyAt, retryAt } }: State): Happening[] {
  if (status !== 'active') return [];
  if (value === 'pending') return whilePending(readyAt === undefined ? verdictAt : firstStartAt);
  if (value === 'running') return whileRunning(attempt, endOf(attempt));
  return whileRetrying(attempt, retryAt ?? 0);
}

const whilePending = (at: number): Happening[] => [
  {
    name: 'ready',
    at,
    events: [{ type: 'task.ready', at: verdictAt }],
    bring: ({ before }) => before[0]?.resolve('first'),
  },
  {
    name: 'skip',
    at,
    events: [{ type: 'task.skip', at, cause: 'rule', because: 'before' }],
    bring: ({ before }) => before[0]?.reject(new SkipTask()),
  },
  {
    name: 'upstream failed',
    at,
    events: [{ type: 'task.fail_upstream', at, cause: 'upstream', because: 'before' }],
    bring: ({ before }) => before[0]?.reject(fatal()),
  },
  {
    name: 'cancel',
    at,
    events: [{ type: 'task.cancel', at, ...enough }],
    bring: ({ run }) => run.cancel('enough'),
  },
  {
    name: 'start',
    at,
    events: [{ type: 'attempt.start', at }],
    bring: (world) => world.freeSlot(),
  },
];

const whileRunning = (attempt: number, at: number): Happening[] => {
  const cancel: TaskEvent = { type: 'task.cancel', at, ...enough };
  const tooLongMs = maxElapsedMs - (at - firstStartAt);
  const expire: TaskEvent = { type: 'task.expire', at: expireAt, cause: 'timeout', error: outOfTime };
  const failed = (cause: Cause, name: string, message: string, retryAt?: number): TaskEvent => ({
    type: 'attempt.failed',
    at,
    cause,
    error: error(name, message),
    retryAt,
  });
  return [
    {
      name: 'progress',
      at,
      events: [{ type: 'attempt.progress', at, fraction: 0.5, note: 'half' }],
      bring: ({ body }) => body.scope.progress(0.5, 'half'),
    },
    {
      name: 'cancel that the body does not heed',
      at,
      events: [cancel],
      bring: ({ run }) => run.cancel('enough'),
    },
    {
      name: 'time-out that the body does not heed',
      at: expireAt,
      events: [expire],
    },
    {
      name: 'done',
      at,
      events: [{ type: 'attempt.done', at, output: 'made' }],
      bring: ({ body }) => body.resolve('made'),
    },
    {
      name: 'failure with a retry',
      at,
      events: [failed('exhausted', 'Error', 'not yet', dueOf(attempt))],
      bring: ({ body }) => body.reject(new Error('not yet')),
    },
    {
      name: 'failure with no time for a retry',
      at,
      events: [failed('exhausted', 'RetryAfterError', `Try again in ${tooLongMs} ms`)],
      bring: ({ body }) => body.reject(new RetryAfterError(tooLongMs)),
    },
    {
      name: 'fatal failure',
      at,
      events: [failed('fatal', 'FatalError', 'no use')],
      bring: ({ body }) => body.reject(fatal()),
    },
    {
      name: 'refused output',
      at,
      events: [failed('output', 'OutputError', notAString)],
      bring: ({ body }) => body.resolve(42),
    },
    {
      name: 'time-out',
      at: expireAt,
      events: [
        expire,
        { type: 'attempt.failed', at: expireAt + graceMs, error: outOfTime, cause: 'timeout' },
      ],
    },
    {
      name: 'skips itself',
      at,
      events: [{ type: 'attempt.skipped', at, reason: 'nothing to do' }],
      bring: ({ body }) => body.reject(new SkipTask('nothing to do')),
    },
    {
      name: 'cancel',
      at,
      events: [cancel, { type: 'attempt.cancelled', at, ...enough }],
      bring: ({ run, body: { scope, reject } }) => {
        scope.signal.addEventListener('abort', () => reject(scope.signal.reason));
        run.cancel('enough');
      },
    },
    {
      name: 'cancel, and the body is given up',
      at,
      events: [cancel, { type: 'attempt.cancelled', at: at + graceMs, ...enough }],
      bring: ({ run }) => run.cancel('enough'),
    },
    {
      name: 'cancel that takes the place of a time-out',
      at: expireAt + 100,
      events: [
        expire,
        { type: 'task.cancel', at: expireAt + 100, ...enough },
        { type: 'attempt.cancelled', at: expireAt + graceMs, ...enough },
      ],
      bring: ({ run }) => run.cancel('enough'),
    },
  ];
};

const whileRetrying = (attempt: number, dueAt: number): Happening[] => {
  const due: TaskEvent = { type: 'attempt.due', at: dueAt };
  const startAt = startOf(attempt + 1);
  const cancelAt = cancelOf(attempt);
  return [
    {
      name: 'due',
      at: dueAt,
      events: [due],
    },
    {
      name: 'start',
      at: startAt,
      events: [due, { type: 'attempt.start', at: startAt }],
      bring: (world) => world.freeSlot(),
    },
    {
      name: 'cancel',
      at: cancelAt,
      events: [...(cancelAt < dueAt ? [] : [due]), { type: 'task.cancel', at: cancelAt, ...enough }],
      bring: ({ run }) => run.cancel('enough'),
    },
    {
      name: 'time-out',
      at: expireAt,
      events: [due, { type: 'task.expire', at: expireAt, cause: 'timeout', error: outOfTime }],
    },
  ];
};
