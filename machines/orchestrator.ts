import { assign, emit, type StateValueFrom, setup } from 'xstate';
import type { ErrorView, TaskFailure } from '../src/model/error.ts';
import type { RunFact } from '../src/model/journal.ts';
import type { Ledger, Verdict } from '../src/model/ledger.ts';
import type { Cause, SettledRunStatus, SettledStatus } from '../src/model/status.ts';

export interface OrchestratorInput {
  /** Of a new run, or of one that is taken up again. It holds the graph, which is no part of the context's data. */
  readonly ledger: Ledger;
}

export interface OrchestratorContext {
  /** Each task's status, and what its trigger rule needs to know of its dependencies. */
  readonly ledger: Ledger;
  /** Why the run ends early, or failed as a whole. */
  readonly cause: Cause | undefined;
  /** What was said by whoever cancelled, or the text of what ended the run. */
  readonly reason: unknown;
  /** What the run returns. */
  readonly outputs: unknown;
  /** Tasks whose failure counts, first failure first. */
  readonly failures: readonly TaskFailure[];
}

/** Instants are epoch milliseconds. */
export type OrchestratorEvent =
  /** The input was accepted. */
  | ({ readonly type: 'run.start' } & Omit<Extract<RunFact, { type: 'run.started' }>, 'type'>)
  /** A run that was stopped, or is to run again in part, goes on from its ledger. */
  | { readonly type: 'run.recover'; readonly at: number }
  /** Attempts under way go on; none is to start. */
  | { readonly type: 'run.pause'; readonly at: number }
  /** Attempts may start again. */
  | { readonly type: 'run.resume'; readonly at: number }
  /** Someone asked for it (cause `cancelled`, the default), the time is over (`timeout`), or the input was refused (`input`). */
  | {
      readonly type: 'run.cancel';
      readonly at: number;
      readonly cause?: Cause | undefined;
      readonly reason?: unknown;
    }
  /** All tasks have settled, and what the run returns has been made. */
  | {
      readonly type: 'run.conclude';
      readonly at: number;
      /** What the run returns. */
      readonly outputs: unknown;
      /** The same, where the flow says how it is made of the tasks' outputs. */
      readonly output?: unknown;
      readonly failures: readonly TaskFailure[];
      /** Where making the output failed. */
      readonly error?: ErrorView | undefined;
    }
  /** A task's machine has reached a final state. `task` is its place in definition order. */
  | {
      readonly type: 'task.settled';
      readonly at: number;
      readonly task: number;
      readonly status: SettledStatus;
    };

/** How a run ended: what its actor's `onDone` gets. */
export type RunResult<Outputs = unknown> =
  | { readonly status: 'done'; readonly outputs: Outputs }
  | { readonly status: 'failed'; readonly failures: readonly TaskFailure[]; readonly outputs: unknown }
  | { readonly status: 'cancelled'; readonly reason: unknown; readonly outputs: unknown };

/** Of an effect that needs none. */
export type NoParams = Readonly<Record<string, never>>;

/** Params of the effect actions that the engine carries out. */
export interface OrchestratorEffects {
  /** The input is to be checked: `run.start` or `run.cancel` follows; `run.recover` where the run goes on. */
  readonly openRun: NoParams;
  /** Each of these tasks is to get an actor, and to be told its verdict. */
  readonly deliverVerdicts: { readonly verdicts: readonly Verdict[] };
  /** Every task that lives is to be told `task.cancel`, and those of the verdicts are to live for no more than that. */
  readonly cancelTasks: {
    readonly cause: Cause | undefined;
    readonly reason: unknown;
    readonly verdicts: readonly Verdict[];
  };
  /** No attempt is to start from now on. */
  readonly holdSlots: NoParams;
  /** Attempts may start again. */
  readonly releaseSlots: NoParams;
  /** All tasks have settled: `run.conclude` follows at once. */
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

const ending = ({ context }: In) => ({ ending: endingOf(context) });

const cancel = ({ context: { cause, reason, ledger } }: In) => ({ cause, reason, verdicts: ledger.verdicts });

const verdicts = ({ context }: In) => ({ verdicts: context.ledger.verdicts });

/** How a run ends once all its tasks have settled. */
function endingOf({ cause, ledger }: OrchestratorContext): SettledRunStatus {
  if (cause === 'cancelled') return 'cancelled';
  return cause !== undefined || ledger.failures > 0 ? 'failed' : 'done';
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
 * One run: gives each task its verdict as soon as its trigger rule can be sure, and ends when all have settled.
 *
 * It decides, and asks for what is to be done by effect actions; without an engine these do nothing, so
 * each transition is a pure function of state and event.
 */
export const orchestratorMachine = setup({
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
    wasCancelled: ({ context }) => endingOf(context) === 'cancelled',
    hasFailed: ({ context }, params: { readonly error: ErrorView | undefined }) =>
      params.error !== undefined || endingOf(context) === 'failed',
  },
  actions: {
    admitTasks: assign(({ context }) => ({ ledger: context.ledger.admit() })),
    settleTask: assign(({ context }, params: { readonly task: number; readonly status: SettledStatus }) => ({
      ledger: context.ledger.settle(params.task, params.status),
    })),
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
    announce: emit((_, params: RunFact) => params),
    openRun: () => {},
    deliverVerdicts: (_, _params: OrchestratorEffects['deliverVerdicts']) => {},
    cancelTasks: (_, _params: OrchestratorEffects['cancelTasks']) => {},
    holdSlots: () => {},
    releaseSlots: () => {},
    concludeRun: (_, _params: OrchestratorEffects['concludeRun']) => {},
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
        description: 'nothing is left to be done',
        guard: 'nothingUnsettled',
        target: '.concluding',
        actions: [
          { type: 'recordCancel', params: ({ event }) => event },
          { type: 'announce', params: cancelling },
        ],
      },
      {
        description: 'asked for, out of time, or input refused',
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
      description: 'Its input is being checked, or its journal is being read.',
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
            description: 'it goes on from its ledger',
            target: 'running',
            actions: ['admitTasks', { type: 'deliverVerdicts', params: verdicts }],
          },
        ],
        'run.pause': {
          description: 'asked for',
          target: 'held',
          actions: { type: 'announce', params: ({ event }) => ({ type: 'run.paused', at: event.at }) },
        },
      },
    },
    held: {
      description: 'Paused while its input is being checked.',
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
          description: 'asked for',
          target: 'opening',
          actions: { type: 'announce', params: ({ event }) => ({ type: 'run.resumed', at: event.at }) },
        },
      },
    },
    running: {
      description: 'Tasks get their verdicts, and slots.',
      tags: 'running',
      on: {
        'run.pause': {
          description: 'asked for',
          target: 'paused',
          actions: { type: 'announce', params: ({ event }) => ({ type: 'run.paused', at: event.at }) },
        },
      },
    },
    paused: {
      description: 'Attempts under way go on; none starts.',
      tags: 'paused',
      entry: 'holdSlots',
      exit: 'releaseSlots',
      on: {
        'run.resume': {
          description: 'asked for',
          target: 'running',
          actions: { type: 'announce', params: ({ event }) => ({ type: 'run.resumed', at: event.at }) },
        },
      },
    },
    cancelling: {
      description: 'Nothing starts; attempts under way are ended and waited for.',
      tags: 'cancelling',
      on: {
        'run.cancel': { description: 'it is being cancelled already' },
      },
    },
    concluding: {
      description: 'All tasks have settled, and how the run ends is sealed: what it returns is being made.',
      entry: { type: 'concludeRun', params: ending },
      on: {
        'run.cancel': { description: 'too late' },
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
              'a task that is not optional failed or could not run, the time was over, or input or output were refused',
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
    done: {
      type: 'final',
      tags: 'done',
      description: 'Every task that is not optional is done or was skipped.',
    },
    failed: {
      type: 'final',
      tags: 'failed',
      description: 'A task that is not optional failed or could not run, or the run failed as a whole.',
    },
    cancelled: { type: 'final', tags: 'cancelled', description: 'All tasks have settled after a cancel.' },
  },
});

/** Names of the orchestrator's states: what a run's actor has as `value`. */
export type OrchestratorState = StateValueFrom<typeof orchestratorMachine>;
