import { assign, emit, type StateValueFrom, setup } from 'xstate';
import type { ErrorView, TaskFailure } from '../src/model/error.ts';
import type { ParentTask, RunFact } from '../src/model/journal.ts';
import { lazy } from '../src/model/lazy.ts';
import type { Ledger, Verdict } from '../src/model/ledger.ts';
import type { Cause, SettledRunStatus, SettledStatus } from '../src/model/status.ts';

export interface OrchestratorInput {
  /** The ledger of a new or resumed run. It holds the graph, which is not part of the context's data. */
  readonly ledger: Ledger;
}

export interface OrchestratorContext {
  /** Each task's status, and its trigger rule's facts about its dependencies. */
  readonly ledger: Ledger;
  /** The cause if the run ends early, or failed as a whole. */
  readonly cause: Cause | undefined;
  /** The reason given to `cancel`, or the message of the error that ended the run. */
  readonly reason: unknown;
  /** The run's return value. */
  readonly outputs: unknown;
  /** Failures that count, in order. */
  readonly failures: readonly TaskFailure[];
}

/** Instants are epoch milliseconds. */
export type OrchestratorEvent =
  /** The input was accepted. */
  | ({ readonly type: 'run.start' } & Omit<Extract<RunFact, { type: 'run.started' }>, 'type'>)
  /** A stopped run, or one that runs again in part, resumes from its ledger. */
  | { readonly type: 'run.recover'; readonly at: number }
  /** No attempt may start; those under way continue. */
  | { readonly type: 'run.pause'; readonly at: number }
  /** Attempts may start again. */
  | { readonly type: 'run.resume'; readonly at: number }
  /** A request (cause `cancelled`, the default), a time limit (`timeout`) or a refused input (`input`) cancels it. */
  | {
      readonly type: 'run.cancel';
      readonly at: number;
      readonly cause?: Cause | undefined;
      readonly reason?: unknown;
      /** Of a child run: the attempt that has it end. */
      readonly parent?: ParentTask | undefined;
    }
  /** All tasks have settled, and the return value has been made. */
  | {
      readonly type: 'run.conclude';
      readonly at: number;
      /** The run's return value. */
      readonly outputs: unknown;
      /** The same, if the flow defines `output`. */
      readonly output?: unknown;
      readonly failures: readonly TaskFailure[];
      /** The error from making the output. */
      readonly error?: ErrorView | undefined;
    }
  /** Something is to be undone: before the run ends, or further, in a run that was being undone when it was left. */
  | {
      readonly type: 'run.compensate';
      readonly at: number;
      /** Of a run that was left: why it ends. */
      readonly cause?: Cause | undefined;
      readonly reason?: unknown;
      /** The error from making the output. */
      readonly error?: ErrorView | undefined;
      /** Ids of the tasks to undo. */
      readonly tasks: readonly string[];
    }
  /** A run that has ended is undone, as its parent asks. The cause and the reason are those of its end. */
  | {
      readonly type: 'run.reopen';
      readonly at: number;
      readonly cause?: Cause | undefined;
      readonly reason?: unknown;
    }
  /** A task is in a final state. `task` is its place in definition order. */
  | {
      readonly type: 'task.settled';
      readonly at: number;
      readonly task: number;
      readonly status: SettledStatus;
    };

/** A run's result, passed to its actor's `onDone`. */
export type RunResult<Outputs = unknown> =
  | { readonly status: 'done'; readonly outputs: Outputs }
  | { readonly status: 'failed'; readonly failures: readonly TaskFailure[]; readonly outputs: unknown }
  | { readonly status: 'cancelled'; readonly reason: unknown; readonly outputs: unknown };

/** The params of an effect without any. */
export type NoParams = Readonly<Record<string, never>>;

/** Params of the effect actions that the engine carries out. */
export interface OrchestratorEffects {
  /** Checks the input: `run.start` or `run.cancel` follows; `run.recover` if the run resumes. */
  readonly openRun: NoParams;
  /** Creates an actor for each of these tasks and gives it its verdict. */
  readonly deliverVerdicts: { readonly verdicts: readonly Verdict[] };
  /** Sends `task.cancel` to every live task; tasks of the verdicts live only for that. */
  readonly cancelTasks: {
    readonly cause: Cause | undefined;
    readonly reason: unknown;
    readonly verdicts: readonly Verdict[];
  };
  /** Lets no more attempts start. */
  readonly holdSlots: NoParams;
  /** Lets attempts start again. */
  readonly releaseSlots: NoParams;
  /** Undoes what is to be undone: `run.conclude` follows once that is over. */
  readonly undoTasks: NoParams;
  /** Makes the result of a run whose tasks have settled: `run.conclude`, or `run.compensate`, follows at once. */
  readonly concludeRun: { readonly ending: SettledRunStatus };
}

interface In {
  readonly context: OrchestratorContext;
}

interface On<Type extends OrchestratorEvent['type']> extends In {
  readonly event: Extract<OrchestratorEvent, { readonly type: Type }>;
}

const started = ({ event }: On<'run.start'>): RunFact => ({ ...event, type: 'run.started' });

const cancelling = ({ context, event }: On<'run.cancel'>): RunFact => ({
  type: 'run.cancelling',
  at: event.at,
  cause: context.cause ?? 'cancelled',
  reason: context.reason,
  ...(event.parent && { parent: event.parent }),
});

const tooManyFailures = ({ context: { ledger } }: In) => ({
  cause: 'tolerance' as const,
  reason: `${ledger.failures} items failed`,
});

const endingEarly = ({ context, event }: On<'task.settled'>): RunFact => ({
  type: 'run.cancelling',
  at: event.at,
  cause: context.cause ?? 'tolerance',
  reason: context.reason,
});

const done = ({ event }: On<'run.conclude'>): RunFact => ({
  type: 'run.done',
  at: event.at,
  output: event.output,
});

const failed = ({ context, event }: On<'run.conclude'>): RunFact => ({
  type: 'run.failed',
  at: event.at,
  cause: context.cause,
  error: event.error,
});

const cancelled = ({ context, event }: On<'run.conclude'>): RunFact => ({
  type: 'run.cancelled',
  at: event.at,
  reason: context.reason,
});

const compensating = ({ context, event }: On<'run.compensate'>): RunFact => ({
  type: 'run.compensating',
  at: event.at,
  ending: endingOf(context),
  cause: context.cause,
  reason: context.reason,
  error: event.error,
  tasks: event.tasks,
});

const compensated = ({ context, event }: On<'run.conclude'>): RunFact => ({
  type: 'run.compensated',
  at: event.at,
  ending: endingOf(context),
});

const ending = ({ context }: In) => ({ ending: endingOf(context) });

const cancel = ({ context: { cause, reason, ledger } }: In) => ({ cause, reason, verdicts: ledger.verdicts });

const verdicts = ({ context }: In) => ({ verdicts: context.ledger.verdicts });

/** The ending of a run whose tasks have all settled. */
function endingOf({ cause, ledger }: OrchestratorContext): SettledRunStatus {
  if (cause === 'cancelled') return 'cancelled';
  return cause !== undefined || ledger.hasFailed ? 'failed' : 'done';
}

function resultOf(context: OrchestratorContext): RunResult {
  const { outputs, failures, reason } = context;
  switch (endingOf(context)) {
    case 'done':
      return { status: 'done', outputs };
    case 'failed':
      return { status: 'failed', failures, outputs };
    case 'cancelled':
      return { status: 'cancelled', reason, outputs };
  }
}

/**
 * One run: gives each task its verdict as soon as its trigger rule is certain, and ends when all have settled.
 *
 * It decides, and requests all work through effect actions. Without an engine these do nothing, so each transition is
 * a pure function of state and event.
 */
export const lazyOrchestratorMachine = lazy(() =>
  setup({
    types: {
      context: {} as OrchestratorContext,
      events: {} as OrchestratorEvent,
      input: {} as OrchestratorInput,
      output: {} as RunResult,
      emitted: {} as RunFact,
    },
    guards: {
      nothingUnsettled: ({ context }) => context.ledger.unsettled === 0,
      settlesLast: ({ context }) => context.ledger.unsettled === 1,
      exceedsTolerance: ({ context }, params: { readonly task: number; readonly status: SettledStatus }) =>
        context.cause === undefined && context.ledger.endsEarly(params.task, params.status),
      wasCancelled: ({ context }) => endingOf(context) === 'cancelled',
      hasFailed: ({ context }, params: { readonly error: ErrorView | undefined }) =>
        params.error !== undefined || endingOf(context) === 'failed',
    },
    actions: {
      admitTasks: assign(({ context }) => ({ ledger: context.ledger.admit() })),
      settleTask: assign(
        ({ context }, params: { readonly task: number; readonly status: SettledStatus }) => ({
          ledger: context.ledger.settle(params.task, params.status),
        }),
      ),
      recordCancel: assign(
        ({ context }, { cause = 'cancelled', reason }: { cause?: Cause | undefined; reason?: unknown }) => ({
          ledger: context.ledger.cancelWaiting(),
          cause,
          reason,
        }),
      ),
      recordOutputs: assign(
        (_, { outputs, failures }: { outputs: unknown; failures: readonly TaskFailure[] }) => ({
          outputs,
          failures,
        }),
      ),
      recordRefusal: assign((_, { error }: { error?: ErrorView | undefined }) =>
        error === undefined ? {} : { cause: 'output' as const, reason: error.message },
      ),
      recordEnd: assign((_, { cause, reason }: { cause?: Cause | undefined; reason?: unknown }) => ({
        cause,
        reason,
      })),
      announce: emit((_, params: RunFact) => params),
      openRun: () => {},
      deliverVerdicts: (_, _params: OrchestratorEffects['deliverVerdicts']) => {},
      cancelTasks: (_, _params: OrchestratorEffects['cancelTasks']) => {},
      holdSlots: () => {},
      releaseSlots: () => {},
      concludeRun: (_, _params: OrchestratorEffects['concludeRun']) => {},
      undoTasks: () => {},
    },
  }).createMachine({
    id: 'orchestrator',
    description: 'One run: gives each task its verdict, and ends when all have settled.',
    context: ({ input }) => ({
      ledger: input.ledger,
      cause: undefined,
      reason: undefined,
      outputs: undefined,
      failures: [],
    }),
    output: ({ context }) => resultOf(context),
    entry: 'openRun',
    initial: 'opening',
    on: {
      'run.cancel': [
        {
          description: 'nothing is left to do',
          guard: 'nothingUnsettled',
          target: '.concluding',
          actions: [
            { type: 'recordCancel', params: ({ event }) => event },
            { type: 'announce', params: cancelling },
          ],
        },
        {
          description: 'requested, out of time, or input refused',
          target: '.cancelling',
          actions: [
            { type: 'recordCancel', params: ({ event }) => event },
            { type: 'announce', params: cancelling },
            { type: 'cancelTasks', params: cancel },
          ],
        },
      ],
      'task.settled': [
        {
          description: 'the last task has settled',
          guard: 'settlesLast',
          target: '.concluding',
          actions: { type: 'settleTask', params: ({ event }) => event },
        },
        {
          description: 'more items of a map failed than it tolerates',
          guard: { type: 'exceedsTolerance', params: ({ event }) => event },
          target: '.cancelling',
          actions: [
            { type: 'settleTask', params: ({ event }) => event },
            { type: 'deliverVerdicts', params: verdicts },
            { type: 'recordCancel', params: tooManyFailures },
            { type: 'announce', params: endingEarly },
            { type: 'cancelTasks', params: cancel },
          ],
        },
        {
          description: 'a task has settled',
          actions: [
            { type: 'settleTask', params: ({ event }) => event },
            { type: 'deliverVerdicts', params: verdicts },
          ],
        },
      ],
    },
    states: {
      opening: {
        description: 'The input is being checked, or the journal read.',
        tags: 'running',
        on: {
          'run.start': [
            {
              description: 'a flow without tasks',
              guard: 'nothingUnsettled',
              target: 'concluding',
              actions: { type: 'announce', params: started },
            },
            {
              description: 'the input was accepted',
              target: 'running',
              actions: [
                { type: 'announce', params: started },
                'admitTasks',
                { type: 'deliverVerdicts', params: verdicts },
              ],
            },
          ],
          'run.recover': [
            { description: 'only its end was missing', guard: 'nothingUnsettled', target: 'concluding' },
            {
              description: 'it resumes from its ledger',
              target: 'running',
              actions: ['admitTasks', { type: 'deliverVerdicts', params: verdicts }],
            },
          ],
          'run.compensate': {
            description: 'it was being undone when it was left',
            target: 'compensating',
            actions: { type: 'recordEnd', params: ({ event }) => event },
          },
          'run.reopen': {
            description: 'it has ended, and its parent has it undone',
            target: 'reopened',
            actions: { type: 'recordEnd', params: ({ event }) => event },
          },
          'run.pause': {
            description: 'requested',
            target: 'held',
            actions: { type: 'announce', params: ({ event }) => ({ type: 'run.paused', at: event.at }) },
          },
        },
      },
      held: {
        description: 'Paused while the input is being checked.',
        tags: 'paused',
        on: {
          'run.start': [
            {
              description: 'a flow without tasks',
              guard: 'nothingUnsettled',
              target: 'concluding',
              actions: { type: 'announce', params: started },
            },
            {
              description: 'the input was accepted',
              target: 'paused',
              actions: [
                { type: 'announce', params: started },
                'admitTasks',
                { type: 'deliverVerdicts', params: verdicts },
              ],
            },
          ],
          'run.resume': {
            description: 'requested',
            target: 'opening',
            actions: { type: 'announce', params: ({ event }) => ({ type: 'run.resumed', at: event.at }) },
          },
        },
      },
      running: {
        description: 'Tasks get verdicts and slots.',
        tags: 'running',
        on: {
          'run.pause': {
            description: 'requested',
            target: 'paused',
            actions: { type: 'announce', params: ({ event }) => ({ type: 'run.paused', at: event.at }) },
          },
        },
      },
      paused: {
        description: 'No attempt starts; those under way continue.',
        tags: 'paused',
        entry: 'holdSlots',
        exit: 'releaseSlots',
        on: {
          'run.resume': {
            description: 'requested',
            target: 'running',
            actions: { type: 'announce', params: ({ event }) => ({ type: 'run.resumed', at: event.at }) },
          },
        },
      },
      cancelling: {
        description: 'Nothing starts; attempts under way are ended and awaited.',
        tags: 'cancelling',
        on: {
          'run.cancel': { description: 'already being cancelled' },
        },
      },
      concluding: {
        description: 'All tasks have settled and the ending is fixed; the return value is being made.',
        entry: { type: 'concludeRun', params: ending },
        on: {
          'run.cancel': { description: 'too late' },
          'run.compensate': {
            description: 'it ends failed or cancelled, and something is to be undone',
            target: 'compensating',
            actions: [
              { type: 'recordRefusal', params: ({ event }) => event },
              { type: 'announce', params: compensating },
            ],
          },
          'run.conclude': [
            {
              description: 'it was cancelled',
              guard: 'wasCancelled',
              target: 'cancelled',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'announce', params: cancelled },
              ],
            },
            {
              description:
                'a non-optional task failed or could not run, time was over, or input or output were refused',
              guard: { type: 'hasFailed', params: ({ event }) => ({ error: event.error }) },
              target: 'failed',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'recordRefusal', params: ({ event }) => event },
                { type: 'announce', params: failed },
              ],
            },
            {
              description: 'all went well',
              target: 'done',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'announce', params: done },
              ],
            },
          ],
        },
      },
      compensating: {
        description: 'All tasks have settled and the ending is fixed; what was done is being undone.',
        tags: 'compensating',
        entry: 'undoTasks',
        on: {
          'run.cancel': { description: 'it ends already: only undo is under way' },
          'run.conclude': [
            {
              description: 'undo is over; it was cancelled',
              guard: 'wasCancelled',
              target: 'cancelled',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'announce', params: cancelled },
              ],
            },
            {
              description: 'undo is over',
              target: 'failed',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'announce', params: failed },
              ],
            },
          ],
        },
      },
      reopened: {
        description: 'It had ended; what was done is being undone, as its parent asks.',
        tags: 'compensating',
        entry: 'undoTasks',
        on: {
          'run.cancel': { description: 'only undo is under way' },
          'run.conclude': [
            {
              description: 'undo is over; it had been cancelled',
              guard: 'wasCancelled',
              target: 'cancelled',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'announce', params: compensated },
              ],
            },
            {
              description: 'undo is over; it had failed',
              guard: { type: 'hasFailed', params: ({ event }) => ({ error: event.error }) },
              target: 'failed',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'announce', params: compensated },
              ],
            },
            {
              description: 'undo is over; it had been done',
              target: 'done',
              actions: [
                { type: 'recordOutputs', params: ({ event }) => event },
                { type: 'announce', params: compensated },
              ],
            },
          ],
        },
      },
      done: {
        type: 'final',
        tags: 'done',
        description: 'Every non-optional task is done or skipped.',
      },
      failed: {
        type: 'final',
        tags: 'failed',
        description: 'A non-optional task failed or could not run, or the run failed as a whole.',
      },
      cancelled: { type: 'final', tags: 'cancelled', description: 'All tasks have settled after a cancel.' },
    },
  }),
);

/** Names of the orchestrator's states: the `value` of a run's actor. */
export type OrchestratorState = StateValueFrom<ReturnType<typeof lazyOrchestratorMachine>>;

/** The type of the orchestrator machine. */
export type OrchestratorMachine = ReturnType<typeof lazyOrchestratorMachine>;
