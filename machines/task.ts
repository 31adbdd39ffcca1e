import { assign, emit, setup } from 'xstate';
import type { ErrorView } from '../src/model/error.ts';
import type { TaskFact } from '../src/model/journal.ts';
import { lazy } from '../src/model/lazy.ts';
import type { Cause, SettledStatus } from '../src/model/status.ts';

/** The input of a task's actor, created at its verdict or when a stopped run resumes. */
export interface TaskInput {
  /** The task's place in the flow's definition order. */
  readonly task: number;
  /** At least 1. */
  readonly maxAttempts: number;
  /** Whether it has a condition. Default false. */
  readonly asks?: boolean | undefined;
  /** Whether it waits instead of making attempts. Default false. */
  readonly waits?: boolean | undefined;
}

export interface TaskContext {
  /** Its place in the flow's definition order. */
  readonly task: number;
  /** The maximum of attempts, the first included. */
  readonly maxAttempts: number;
  /** Whether it has a condition. */
  readonly asks: boolean;
  /** Whether it waits instead of making attempts. */
  readonly waits: boolean;
  /** The number of attempts started. One cut short by a stop is repeated, and counts once. */
  readonly attempt: number;
  /** The instant its trigger rule said run. */
  readonly readyAt: number | undefined;
  /** The instant the next attempt is due; set from a failed attempt until that one starts. */
  readonly retryAt: number | undefined;
  /** The error of its last failed attempt. */
  readonly error: ErrorView | undefined;
  /** Its ending, once it has ended. */
  readonly ending: Ending | undefined;
}

/** Instants are epoch milliseconds. */
export type TaskEvent =
  /** The trigger rule says run. */
  | { readonly type: 'task.ready'; readonly at: number }
  /** The trigger rule says skip, or the time of a wait is over, which skips it. */
  | {
      readonly type: 'task.skip';
      readonly at: number;
      readonly cause: 'rule' | 'timeout';
      readonly because?: string | undefined;
    }
  /** Its condition says that it runs. */
  | { readonly type: 'condition.true'; readonly at: number }
  /** Its condition says that it does not run. */
  | { readonly type: 'condition.false'; readonly at: number; readonly cause: 'condition' }
  /** Its condition threw, or returned neither true nor false. */
  | {
      readonly type: 'condition.threw';
      readonly at: number;
      readonly error: ErrorView;
      readonly cause: 'condition';
    }
  /** It is known until when it waits. */
  | {
      readonly type: 'wait.planned';
      readonly at: number;
      /** Of a sleep: when it ends. */
      readonly until?: number | undefined;
      /** Of a wait for a value: when its time is over. */
      readonly timeoutAt?: number | undefined;
    }
  /** The value for which it waits is there. */
  | { readonly type: 'wait.delivered'; readonly at: number; readonly output: unknown }
  /** The instant of a sleep has come, or the time of a wait is over, which has a value for this case. */
  | { readonly type: 'wait.over'; readonly at: number; readonly output: unknown }
  /** There is no instant until which it could wait, or no output that can be kept. */
  | {
      readonly type: 'wait.failed';
      readonly at: number;
      readonly error: ErrorView;
      readonly cause: 'input' | 'output';
    }
  /** The trigger rule says that a dependency's failure ends this task too. */
  | {
      readonly type: 'task.fail_upstream';
      readonly at: number;
      readonly cause: 'upstream';
      readonly because?: string | undefined;
    }
  /** The run is being cancelled, or is out of time. */
  | { readonly type: 'task.cancel'; readonly at: number; readonly cause: Cause; readonly reason?: unknown }
  /** The time for this attempt is over. */
  | { readonly type: 'attempt.expire'; readonly at: number }
  /** The time for all attempts together is over. */
  | {
      readonly type: 'task.expire';
      readonly at: number;
      readonly cause: 'timeout';
      readonly error: ErrorView;
    }
  /** A slot is free for it. */
  | { readonly type: 'attempt.start'; readonly at: number }
  /** The wait before the next attempt is over. */
  | { readonly type: 'attempt.due'; readonly at: number }
  /** The body reports progress. */
  | {
      readonly type: 'attempt.progress';
      readonly at: number;
      /** From 0 to 1. */
      readonly fraction: number;
      readonly note?: string | undefined;
    }
  /** The body returned, and its output matched the schema. */
  | { readonly type: 'attempt.done'; readonly at: number; readonly output: unknown }
  /** The attempt failed; `retryAt` is set if the retry policy wants another. */
  | {
      readonly type: 'attempt.failed';
      readonly at: number;
      readonly error: ErrorView;
      readonly cause: Cause;
      readonly retryAt?: number | undefined;
    }
  /** The body threw `SkipTask`. */
  | { readonly type: 'attempt.skipped'; readonly at: number; readonly reason?: string | undefined }
  /** The body has ended, or was abandoned, after a cancel. */
  | {
      readonly type: 'attempt.cancelled';
      readonly at: number;
      readonly cause: Cause;
      readonly reason?: unknown;
    }
  /** XState's report that a body's actor failed; the engine answers with `attempt.failed`. */
  | { readonly type: 'xstate.error.actor.body'; readonly error: unknown };

/** Params of the effect actions that the engine carries out. */
export interface TaskEffects {
  /** Asks the condition, in line since `at`: `condition.true`, `.false` or `.threw` follows, once. */
  readonly askCondition: { readonly at: number };
  /** Finds until when to wait, counted from `readyAt`: `wait.planned`, `.delivered` or `.failed` follows, once. */
  readonly planWait: { readonly readyAt: number };
  /** Waits until the instant, by the time of day: `wait.over`, `task.skip` or `task.expire` follows. Never without one. */
  readonly awaitInstant: { readonly at: number | undefined };
  /** Requests a slot, waiting in line since `readyAt`: `attempt.start` follows. */
  readonly requestSlot: { readonly readyAt: number };
  /** Calls the body: `attempt.done`, `.failed`, `.skipped` or `.cancelled` follows, once. */
  readonly performAttempt: { readonly attempt: number };
  /** Aborts the body's signal, and abandons the body after its grace. A repeat before that changes only the outcome. */
  readonly abortAttempt: {
    /** The attempt or task whose time is over, or the run that ends early. */
    readonly of: 'attempt' | 'task' | 'run';
    readonly cause: Cause;
    readonly reason?: unknown;
  };
  /** Waits until that instant: `attempt.due` follows. */
  readonly wakeAt: { readonly at: number };
  /** Reports the ending: the orchestrator gets `task.settled`, and the actor is released. */
  readonly reportSettled: { readonly status: SettledStatus };
}

/** The recorded ending of a task, taken from the event that ends it; each kind sets some of the fields. */
export interface Ending {
  /** The instant it settled. */
  readonly at: number;
  /** The body's output after its schema. */
  readonly output?: unknown;
  /** The error of its last attempt. */
  readonly error?: ErrorView | undefined;
  /** The cause of its ending; none if it is done or skipped itself. */
  readonly cause?: Cause | undefined;
  /** The reason given by a cancel, or by a task that skipped itself. */
  readonly reason?: unknown;
  /** The dependency that decided the verdict. */
  readonly because?: string | undefined;
}

interface In {
  readonly context: TaskContext;
}

interface On<Type extends TaskEvent['type']> extends In {
  readonly event: Extract<TaskEvent, { readonly type: Type }>;
}

const started = ({ context, event }: On<'attempt.start'>): TaskFact => ({
  type: 'task.started',
  at: event.at,
  attempt: context.attempt,
});

const progress = ({ context, event }: On<'attempt.progress'>): TaskFact => ({
  type: 'task.progress',
  at: event.at,
  attempt: context.attempt,
  fraction: event.fraction,
  note: event.note,
});

const retrying = ({ context, event }: On<'attempt.failed'>): TaskFact => ({
  type: 'task.retrying',
  at: event.at,
  attempt: context.attempt,
  retryAt: event.retryAt ?? event.at,
  error: event.error,
});

const waiting = ({ event }: On<'wait.planned'>): TaskFact => ({
  type: 'task.waiting',
  at: event.at,
  ...(event.until !== undefined && { until: event.until }),
  ...(event.timeoutAt !== undefined && { timeoutAt: event.timeoutAt }),
});

type Ready = Extract<TaskEvent, { readonly type: 'task.ready' }>;

/** Casts the event, since entry actions get any: only `task.ready` leads into `asking`. */
const asked = ({ event }: { readonly event: TaskEvent }): TaskEffects['askCondition'] => ({
  at: (event as Ready).at,
});

type Planned = Extract<TaskEvent, { readonly type: 'wait.planned' }>;

/** Casts the event: only `wait.planned` leads into `waiting`. */
const instant = ({ event }: { readonly event: TaskEvent }): TaskEffects['awaitInstant'] => ({
  at: (event as Planned).until ?? (event as Planned).timeoutAt,
});

type Cancel = Extract<TaskEvent, { readonly type: 'task.cancel' }>;

/** Casts the event, since entry actions get any: only `task.cancel` leads into `cancelling`. */
const cancelAttempt = ({ event }: { readonly event: TaskEvent }): TaskEffects['abortAttempt'] => ({
  of: 'run',
  cause: (event as Cancel).cause,
  reason: (event as Cancel).reason,
});

const done = ({ context }: In): TaskFact => ({
  type: 'task.done',
  at: endOf(context),
  attempt: context.attempt,
  output: context.ending?.output,
});

const failed = ({ context }: In): TaskFact => ({
  type: 'task.failed',
  at: endOf(context),
  attempt: context.attempt,
  error: context.ending?.error ?? { name: 'Error', message: 'The task failed' },
  cause: context.ending?.cause ?? 'exhausted',
});

const skipped = ({ context }: In): TaskFact => ({
  type: 'task.skipped',
  at: endOf(context),
  attempt: context.attempt,
  cause: context.ending?.cause,
  reason: context.ending?.reason,
  because: context.ending?.because,
});

const upstreamFailed = ({ context }: In): TaskFact => ({
  type: 'task.upstream_failed',
  at: endOf(context),
  cause: context.ending?.cause ?? 'upstream',
  because: context.ending?.because,
});

const cancelled = ({ context }: In): TaskFact => ({
  type: 'task.cancelled',
  at: endOf(context),
  attempt: context.attempt,
  cause: context.ending?.cause ?? 'cancelled',
  reason: context.ending?.reason,
});

/** The instant of the ending, recorded by every transition into a final state. */
function endOf({ ending }: TaskContext): number {
  return ending?.at ?? Number.NaN;
}

/**
 * One task of a run: from its verdict through its attempts to one of five endings.
 *
 * It decides, and requests all work through effect actions. Without an engine these do nothing, so each transition is
 * a pure function of state and event.
 */
export const lazyTaskMachine = lazy(() =>
  setup({
    types: {
      context: {} as TaskContext,
      events: {} as TaskEvent,
      input: {} as TaskInput,
      emitted: {} as TaskFact,
    },
    guards: {
      attemptsLeft: ({ context }, params: { readonly retryAt: number | undefined }) =>
        params.retryAt !== undefined && context.attempt < context.maxAttempts,
      hasCondition: ({ context }) => context.asks,
      waitsInstead: ({ context }) => context.waits,
    },
    actions: {
      recordReady: assign((_, params: { readonly readyAt: number }) => params),
      // A count above 0 belongs to an attempt cut short by a stop: it is repeated.
      recordFirstStart: assign(({ context }) => ({ attempt: Math.max(context.attempt, 1) })),
      recordStart: assign(({ context }) => ({ attempt: context.attempt + 1, retryAt: undefined })),
      recordFailure: assign((_, { error, retryAt }: { error: ErrorView; retryAt?: number | undefined }) => ({
        error,
        retryAt,
      })),
      recordEnding: assign((_, ending: Ending) => ({ ending, retryAt: undefined })),
      announce: emit((_, params: TaskFact) => params),
      askCondition: (_, _params: TaskEffects['askCondition']) => {},
      planWait: (_, _params: TaskEffects['planWait']) => {},
      awaitInstant: (_, _params: TaskEffects['awaitInstant']) => {},
      requestSlot: (_, _params: TaskEffects['requestSlot']) => {},
      performAttempt: (_, _params: TaskEffects['performAttempt']) => {},
      abortAttempt: (_, _params: TaskEffects['abortAttempt']) => {},
      wakeAt: (_, _params: TaskEffects['wakeAt']) => {},
      reportSettled: (_, _params: TaskEffects['reportSettled']) => {},
    },
  }).createMachine({
    id: 'task',
    description: 'One task of a run: from its verdict through its attempts to one of five endings.',
    context: ({ input }) => ({
      task: input.task,
      maxAttempts: input.maxAttempts,
      asks: input.asks ?? false,
      waits: input.waits ?? false,
      attempt: 0,
      readyAt: undefined,
      retryAt: undefined,
      error: undefined,
      ending: undefined,
    }),
    initial: 'undecided',
    on: {
      'xstate.error.actor.body': {
        description: 'a body that is an actor failed: the engine sends attempt.failed',
      },
    },
    states: {
      undecided: {
        description: 'The first event brings its verdict.',
        tags: 'pending',
        on: {
          'task.ready': [
            {
              description: 'its rule says run, if its condition does',
              guard: 'hasCondition',
              target: 'asking',
            },
            {
              description: 'its rule says run, and it waits',
              guard: 'waitsInstead',
              target: 'planning',
              actions: [
                { type: 'recordReady', params: ({ event }) => ({ readyAt: event.at }) },
                { type: 'announce', params: ({ event }) => ({ type: 'task.ready', at: event.at }) },
              ],
            },
            {
              description: 'its rule says run',
              target: 'ready',
              actions: [
                { type: 'recordReady', params: ({ event }) => ({ readyAt: event.at }) },
                { type: 'announce', params: ({ event }) => ({ type: 'task.ready', at: event.at }) },
              ],
            },
          ],
          'task.skip': {
            description: 'its rule says skip',
            target: 'skipped',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.fail_upstream': {
            description: 'a dependency failed',
            target: 'upstream_failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      asking: {
        description: 'Its condition is asked whether it runs.',
        tags: 'pending',
        entry: { type: 'askCondition', params: asked },
        on: {
          'condition.true': [
            {
              description: 'it runs, and waits',
              guard: 'waitsInstead',
              target: 'planning',
              actions: [
                { type: 'recordReady', params: ({ event }) => ({ readyAt: event.at }) },
                { type: 'announce', params: ({ event }) => ({ type: 'task.ready', at: event.at }) },
              ],
            },
            {
              description: 'it runs',
              target: 'ready',
              actions: [
                { type: 'recordReady', params: ({ event }) => ({ readyAt: event.at }) },
                { type: 'announce', params: ({ event }) => ({ type: 'task.ready', at: event.at }) },
              ],
            },
          ],
          'condition.false': {
            description: 'it does not run',
            target: 'skipped',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'condition.threw': {
            description: 'there is no answer',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.expire': {
            description: 'the answer takes too long',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      planning: {
        description: 'It is about to wait: until when is worked out.',
        tags: 'pending',
        entry: { type: 'planWait', params: ({ context }) => ({ readyAt: context.readyAt ?? 0 }) },
        on: {
          'wait.planned': {
            description: 'it is known until when',
            target: 'waiting',
            actions: { type: 'announce', params: waiting },
          },
          'wait.delivered': {
            description: 'the value has come already',
            target: 'done',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'wait.failed': {
            description: 'there is no such instant',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      waiting: {
        description: 'It waits for a value from outside, or for an instant.',
        tags: 'waiting',
        entry: { type: 'awaitInstant', params: instant },
        on: {
          'wait.delivered': {
            description: 'the value has come',
            target: 'done',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'wait.over': {
            description: 'the instant has come, or the time is over and there is a value for this case',
            target: 'done',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'wait.failed': {
            description: 'the value for this case cannot be kept',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.skip': {
            description: 'the time is over, which skips it',
            target: 'skipped',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.expire': {
            description: 'the time is over, which fails it',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      ready: {
        description: 'It waits for a slot: for its first attempt, or to repeat one cut short by a stop.',
        tags: 'pending',
        entry: { type: 'requestSlot', params: ({ context }) => ({ readyAt: context.readyAt ?? 0 }) },
        on: {
          'attempt.start': {
            description: 'a slot is free',
            target: 'running',
            actions: ['recordFirstStart', { type: 'announce', params: started }],
          },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.expire': {
            description: 'out of time after a stop cut its attempt short',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      running: {
        description: 'An attempt is under way.',
        tags: 'running',
        entry: { type: 'performAttempt', params: ({ context }) => ({ attempt: context.attempt }) },
        on: {
          'attempt.done': {
            description: 'the body returned',
            target: 'done',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'attempt.failed': [
            {
              description: 'it failed and may be retried',
              guard: { type: 'attemptsLeft', params: ({ event }) => ({ retryAt: event.retryAt }) },
              target: 'backing_off',
              actions: [
                { type: 'recordFailure', params: ({ event }) => event },
                { type: 'announce', params: retrying },
              ],
            },
            {
              description: 'it failed for good',
              target: 'failed',
              actions: { type: 'recordEnding', params: ({ event }) => event },
            },
          ],
          'attempt.skipped': {
            description: 'it skipped itself',
            target: 'skipped',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'attempt.progress': {
            description: 'the body reports progress',
            actions: { type: 'announce', params: progress },
          },
          'attempt.expire': { description: 'the attempt is out of time', target: 'timing_out' },
          'task.expire': { description: 'the task is out of time', target: 'expiring' },
          'task.cancel': { description: 'the run ends early', target: 'cancelling' },
        },
      },
      timing_out: {
        description: 'The attempt is out of time; its body has not yet heeded its signal.',
        tags: 'running',
        entry: { type: 'abortAttempt', params: { of: 'attempt', cause: 'timeout' } },
        on: {
          'attempt.failed': [
            {
              description: 'the body has ended and may be retried',
              guard: { type: 'attemptsLeft', params: ({ event }) => ({ retryAt: event.retryAt }) },
              target: 'backing_off',
              actions: [
                { type: 'recordFailure', params: ({ event }) => event },
                { type: 'announce', params: retrying },
              ],
            },
            {
              description: 'the body has ended, for good',
              target: 'failed',
              actions: { type: 'recordEnding', params: ({ event }) => event },
            },
          ],
          'task.expire': { description: 'the task is out of time too', target: 'expiring' },
          'task.cancel': { description: 'the run ends early', target: 'cancelling' },
        },
      },
      expiring: {
        description: 'The task is out of time; the body of its attempt has not yet heeded its signal.',
        tags: 'running',
        entry: { type: 'abortAttempt', params: { of: 'task', cause: 'timeout' } },
        on: {
          'attempt.failed': {
            description: 'the body has ended',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.cancel': { description: 'the run ends early', target: 'cancelling' },
        },
      },
      cancelling: {
        description: 'The run ends early; the body of the attempt has not yet heeded its signal.',
        tags: 'running',
        entry: { type: 'abortAttempt', params: cancelAttempt },
        on: {
          'attempt.cancelled': {
            description: 'the body has ended',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      backing_off: {
        description: 'The last attempt failed; the next one is not due yet.',
        tags: 'retrying',
        entry: { type: 'wakeAt', params: ({ context }) => ({ at: context.retryAt ?? 0 }) },
        on: {
          'attempt.due': { description: 'the wait is over', target: 'due' },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.expire': {
            description: 'the task is out of time',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      due: {
        description: 'The next attempt is due and waits for a slot.',
        tags: 'retrying',
        entry: { type: 'requestSlot', params: ({ context }) => ({ readyAt: context.retryAt ?? 0 }) },
        on: {
          'attempt.start': {
            description: 'a slot is free',
            target: 'running',
            actions: ['recordStart', { type: 'announce', params: started }],
          },
          'task.cancel': {
            description: 'the run ends early',
            target: 'cancelled',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
          'task.expire': {
            description: 'the task is out of time',
            target: 'failed',
            actions: { type: 'recordEnding', params: ({ event }) => event },
          },
        },
      },
      done: {
        type: 'final',
        description: 'The body returned, and its output matched the schema; or its wait is over.',
        tags: 'done',
        entry: [
          { type: 'announce', params: done },
          { type: 'reportSettled', params: { status: 'done' } },
        ],
      },
      failed: {
        type: 'final',
        description: 'The last attempt or its condition failed, or the time was over.',
        tags: 'failed',
        entry: [
          { type: 'announce', params: failed },
          { type: 'reportSettled', params: { status: 'failed' } },
        ],
      },
      skipped: {
        type: 'final',
        description:
          'Its trigger rule or its condition said so, or it skipped itself, or its time to wait was over.',
        tags: 'skipped',
        entry: [
          { type: 'announce', params: skipped },
          { type: 'reportSettled', params: { status: 'skipped' } },
        ],
      },
      upstream_failed: {
        type: 'final',
        description: 'It never ran: a dependency failed.',
        tags: 'upstream_failed',
        entry: [
          { type: 'announce', params: upstreamFailed },
          { type: 'reportSettled', params: { status: 'upstream_failed' } },
        ],
      },
      cancelled: {
        type: 'final',
        description: 'The run ended early: it was cancelled, or was out of time.',
        tags: 'cancelled',
        entry: [
          { type: 'announce', params: cancelled },
          { type: 'reportSettled', params: { status: 'cancelled' } },
        ],
      },
    },
  }),
);

/** The type of the task machine. */
export type TaskMachine = ReturnType<typeof lazyTaskMachine>;
