import type { FlowDefinition } from '../model/definition.ts';
import type { Delivered, Delivery } from '../model/delivery.ts';
import type { Entry } from '../model/journal.ts';
import type { Logger } from '../model/logger.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Store } from '../store/store.ts';
import type { ChildAttempt } from './child-attempt.ts';
import type { Waits } from './pending.ts';
import type { RunCommand } from './run-command.ts';
import type { End } from './run-end.ts';
import type { RunJournal } from './run-journal.ts';
import type { Limit } from './slots.ts';
import type { Turn } from './turn.ts';
import type { Watchers } from './watchers.ts';

/** The part of an engine that a run needs. */
export interface EngineCore<Run> {
  readonly logger: Logger;
  /** From 0, below 1: for backoff jitter. */
  readonly random: () => number;
  /** Whether it is being stopped: nothing more starts. */
  readonly isDraining: boolean;
  /** The limit of lanes that share no pool. */
  readonly noLimit: Limit;
  /** Keeps the journals of its runs. */
  readonly store: Store | undefined;
  /** Those who hear of all its runs; `undefined` while there are none. */
  readonly watchers: Watchers<Run> | undefined;
  /** The turn of a clock; by default of the engine's own. */
  turnOf(clock: unknown): Turn;
  /** The next place in start order. */
  nextOrder(): number;
  /** Finds a pool of the engine by name. */
  sharedPool(name: string): Limit;
  /** Makes the journal of a new run, with a generated id if none is given. */
  newJournal(definition: FlowDefinition, runId?: string): RunJournal;
  /** Opens the journal of an earlier run; its entries have been checked. */
  openJournal(definition: FlowDefinition, runId: string, entries: readonly Entry[]): RunJournal;
  /**
   * Enters a run that starts or is recovered. Throws JournalError if it is under way or has later entries; rejects with it
   * if the store takes its time to tell.
   */
  enter(run: Run): MaybePromise<void>;
  /**
   * Has a command carried out for a run that is not under way here, if other engines share the store; else `undefined`.
   */
  commandElsewhere(runId: string, command: RunCommand): Promise<void> | undefined;
  /** Has a value delivered to a run that is not under way here, if other engines share the store; else `undefined`. */
  deliverElsewhere(runId: string, flow: string, delivery: Delivery): Promise<Delivered> | undefined;
  /** Begins the run that is the body of an attempt, or has it go on. */
  beginChild(parent: Run, attempt: ChildAttempt): void;
  /** Has the child run of a failed attempt undone, after which none follows. Calls back then; not if it was stopped. */
  undoChild(parent: Run, attempt: ChildAttempt, done: () => void): void;
  /** Undoes, in a run of its own, what is to be undone in a run. */
  beginUndo(run: Run): void;
  /** Calls back with what conditions and waits of a run need, once it is loaded; at once if it is. */
  withWaits(run: Run, callback: (waits: Waits) => void): void;
  /** Reads the journal of a run below another one, of that flow and id; `undefined` if the store has none. */
  readChild(above: FlowDefinition, aboveId: string, runId: string): Promise<RunJournal | undefined>;
  /** Removes a run that is over. */
  leave(run: Run, end: End): void;
}
