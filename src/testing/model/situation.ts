import type { OrchestratorMachine } from '../../../machines/orchestrator.ts';
import type { SnapshotOf } from '../../logic/actor-logic.ts';
import type {
  RunFact,
  TaskDelivered,
  TaskFact,
  TaskRerun,
  TaskUndoFailed,
  TaskUndone,
} from '../../model/journal.ts';
import type { Verdict } from '../../model/ledger.ts';
import type { SettledStatus } from '../../model/status.ts';
import type { UndoStatus } from '../../model/view.ts';
import type { Row } from './task-model.ts';

/** A run of a flow between two steps, after all that follows from a step has happened. Immutable. */
export interface Situation {
  readonly run: SnapshotOf<OrchestratorMachine>;
  /** Rows by task; `undefined` before its verdict. */
  readonly rows: readonly (Row | undefined)[];
  /** Whether no attempt may start. */
  readonly isHeld: boolean;
  /** The number of steps from the start: the model's only time. */
  readonly tick: number;
  /** The tick at which each task first became ready. */
  readonly readyAt: readonly number[];
  /** The tick at which each task got in line for its slot. */
  readonly claimAt: readonly number[];
  /** Live tasks, in the order of their verdicts. */
  readonly live: readonly number[];
  /** The undo of the run, once it is undone, until a rerun. */
  readonly undo: Undo | undefined;
}

/** The undo of a run, as far as it has come. Its tasks are named by their places in the run that is undone. */
export interface Undo {
  /** The tasks to undo, in definition order. */
  readonly tasks: readonly number[];
  /** How far each of them is undone, in the same order. */
  readonly statuses: readonly UndoStatus[];
  /** The tasks whose undo is under way. */
  readonly underWay: readonly number[];
  /** The run that undoes: of a flow of its own. */
  readonly at: Situation;
}

/** A fact that a machine announced; `task` is -1 for the orchestrator's own. */
export interface ModelFact {
  readonly task: number;
  readonly fact: TaskFact | TaskDelivered | TaskRerun | TaskUndone | TaskUndoFailed | RunFact;
}

/** A step that a crash cuts short. */
export interface CutStep {
  /** The number of its facts that are kept; those after them are of the recovery. */
  readonly kept: number;
  /** The step as it would have been: the process may have done any of it before it was gone. */
  readonly whole: Taken;
}

/** The effects of a step. */
export interface Taken {
  /** Set if a crash cut the step short: then the rest is what is kept of it and the recovery. */
  readonly cut?: CutStep | undefined;
  readonly next: Situation;
  readonly facts: readonly ModelFact[];
  /** The tasks of which an attempt started. */
  readonly started: readonly number[];
  /** The tasks that reported that they have settled, and how. */
  readonly settled: readonly { readonly task: number; readonly status: SettledStatus }[];
  readonly verdicts: readonly Verdict[];
  /** The edges that the two machines took. */
  readonly taskEdges: readonly { readonly task: number; readonly edge: string }[];
  readonly runEdges: readonly string[];
  /** The tasks whose undo has started. */
  readonly undoStarted: readonly number[];
}
