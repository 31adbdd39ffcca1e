import { LedgerOpening } from '../model/ledger.ts';
import { Results } from './results.ts';
import type { RunJournal } from './run-journal.ts';

/** The number of tasks or entries between two pauses. */
const PIECE = 250;

/** What a run resumes from: made of its journal task by task, so that the event loop can have its turn in between. */
export class PreparedRun {
  readonly ledger: LedgerOpening;
  readonly results: Results;

  private constructor({ definition }: RunJournal, isLate: boolean) {
    this.ledger = new LedgerOpening(definition.plan);
    this.results = new Results(definition, isLate);
  }

  /**
   * Prepares a run whose journal is complete; nothing may be recorded until it resumes. Yields where it may pause.
   *
   * @param isLate whether entries are kept later than they are recorded
   */
  static *of(journal: RunJournal, isLate: boolean): Generator<void> {
    const prepared = new PreparedRun(journal, isLate);
    const fold = journal.foldTo();
    for (let task = 0; task < fold.graph.size; task++) {
      prepared.ledger.enter(task, fold.task(task).status);
      prepared.results.recoverTask(fold, task);
      if (task % PIECE === 0) yield;
    }
    journal.prepared = prepared;
  }
}
