import type { FlowDefinition } from '../model/definition.ts';
import type { Entry } from '../model/journal.ts';
import type { Logger } from '../model/logger.ts';
import type { RunJournal } from './run-journal.ts';
import type { Limit } from './slots.ts';
import type { Turn } from './turn.ts';

/** What a run needs of its engine. */
export interface EngineCore<Run> {
  readonly logger: Logger;
  /** From 0, below 1: for backoffs with jitter. */
  readonly random: () => number;
  /** Whether it is being stopped: nothing starts any more. */
  readonly isDraining: boolean;
  /** The limit that lanes share that share none. */
  readonly noLimit: Limit;
  /** The beat of a clock; without one, of the engine's own. */
  turnOf(clock: unknown): Turn;
  /** The next place in the order of starting. */
  nextOrder(): number;
  /** A pool of the engine, by name. */
  sharedPool(name: string): Limit;
  /** Of a new run; with an id of its own where none is given. */
  newJournal(definition: FlowDefinition, runId?: string): RunJournal;
  /** Of a run that was started earlier, whose entries have been checked. */
  openJournal(definition: FlowDefinition, runId: string, entries: readonly Entry[]): RunJournal;
  /** A run starts, or goes on. Throws JournalError where it is under way, or has gone on from a later entry. */
  enter(run: Run): void;
  /** A run has come to its end. */
  leave(run: Run): void;
}
