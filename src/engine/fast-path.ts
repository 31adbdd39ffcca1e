/**
 * The common steps of tasks and runs, taken without a machine while nobody watches.
 *
 * Each is a function that does what the machine's actions ask for, in their order. Beside the functions stands which
 * step of the machine each stands for. `fast-proof.ts` compares the two when the machines are compiled. Where they
 * differ, the machine takes the step.
 */
import type { OrchestratorEvent } from '../../machines/orchestrator.ts';
import type { Ending, TaskEvent, TaskInput } from '../../machines/task.ts';
import type { Outline } from '../logic/outline.ts';
import type { Step } from '../model/entry-list.ts';
import type { Ledger, Verdict } from '../model/ledger.ts';
import type { SettledStatus } from '../model/status.ts';
import { placeAt, type TaskPlace } from './task-state.ts';

/** The part of a task that its fast steps need. */
export interface FastTask {
  /** The task's place in definition order. */
  readonly index: number;
  readonly run: StepRecorder;
  requestSlot(readyAt: number): void;
  performAttempt(number: number, at: number): void;
  reportSettled(status: SettledStatus, ending: Ending): void;
}

/** The part of a run that records the steps of its tasks. */
export interface StepRecorder {
  /** Records a common step of a task without an object for it. */
  recordStep(type: Step, at: number, index: number, attempt?: number, output?: unknown): void;
}

/** The number of the only attempt on the fast path. */
const FIRST = 1;

/** The trigger rule of a task says run. */
export function becomeReady(task: FastTask, at: number): void {
  task.run.recordStep('task.ready', at, task.index);
  task.requestSlot(at);
}

/** A ready task has a slot. */
export function startFirst(task: FastTask, at: number): void {
  task.run.recordStep('task.started', at, task.index, FIRST);
  task.performAttempt(FIRST, at);
}

/** The body of a running task has returned. */
export function becomeDone(task: FastTask, at: number, output: unknown): void {
  task.run.recordStep('task.done', at, task.index, FIRST, output);
  task.reportSettled('done', { at, output });
}

/** The states in which a task can be that has gone the fast path so far. */
export type FastState = 'undecided' | 'ready' | 'running';

/** A step of a task, and the step of its machine that it stands for. */
export interface TaskStep {
  readonly take: (task: FastTask, at: number, output: unknown) => void;
  readonly from: FastState;
  event(at: number, output: unknown): TaskEvent;
  readonly outline: Outline;
}

/** A transition that a state has alone, without a guard. Those with guards are for tasks that do not go the fast path. */
const plain = { guards: [], completes: false, isShared: false };

/** The start of the task's machine. */
export const taskStart: Outline = { ...plain, actions: [], to: 'undecided' };

/** The steps of a task that is done after its first attempt, in order. */
export const taskSteps: readonly TaskStep[] = [
  {
    take: becomeReady,
    from: 'undecided',
    event: (at) => ({ type: 'task.ready', at }),
    outline: {
      ...plain,
      guards: ['hasCondition', 'waitsInstead'],
      actions: ['recordReady', 'announce', 'requestSlot'],
      to: 'ready',
    },
  },
  {
    take: startFirst,
    from: 'ready',
    event: (at) => ({ type: 'attempt.start', at }),
    outline: { ...plain, actions: ['recordFirstStart', 'announce', 'performAttempt'], to: 'running' },
  },
  {
    take: becomeDone,
    from: 'running',
    event: (at, output) => ({ type: 'attempt.done', at, output }),
    outline: {
      ...plain,
      actions: ['recordEnding', 'announce', 'reportSettled'],
      to: 'done',
      completes: true,
    },
  },
];

/** The machine's place between two steps. */
export function fastPlace(state: FastState, readyAt: number | undefined, input: TaskInput): TaskPlace {
  return placeAt(state, { ...input, attempt: state === 'running' ? FIRST : 0, readyAt });
}

/** The part of a run that its fast step needs. */
export interface FastRun {
  /** Gives each of these tasks its verdict. */
  deliverVerdicts(verdicts: readonly Verdict[], at: number): void;
}

/** The part of the orchestrator's context that the step reads and writes. */
interface FastContext {
  ledger: Ledger;
}

/** A task that is not the last has settled, in a run in any state. */
export function settle(
  run: FastRun,
  context: FastContext,
  at: number,
  task: number,
  status: SettledStatus,
): void {
  const ledger = context.ledger.settle(task, status);
  context.ledger = ledger;
  run.deliverVerdicts(ledger.verdicts, at);
}

/** Whether a settled task ends the run: it is the last, or fails one too many. Then the orchestrator takes another step. */
export function settlesRun({ ledger }: Readonly<FastContext>, task: number, status: SettledStatus): boolean {
  return ledger.unsettled === 1 || ledger.endsEarly(task, status);
}

/** The step of the orchestrator that `settle` stands for, in each of its states. */
export const settledStep = {
  event: (at: number, task: number, status: SettledStatus): OrchestratorEvent => ({
    type: 'task.settled',
    at,
    task,
    status,
  }),
  outline: (state: string): Outline => ({
    guards: ['settlesLast', 'exceedsTolerance'],
    actions: ['settleTask', 'deliverVerdicts'],
    to: state,
    completes: false,
    isShared: true,
  }),
};
