import { LedgerOpening } from '../model/ledger.ts';
import { Results } from './results.ts';
import type { RunJournal } from './run-journal.ts';

/** The number of tasks between two pauses. */
const PIECE = 250;

/**
 * Prepares what a run is recovered from, task by task. Its journal must be complete, and nothing be recorded until it goes on.
 * Yields where the event loop may have its turn.
 *
 * @param isLate whether entries are kept later than they are recorded
 */
export function* prepare(journal: RunJournal, isLate: boolean): Generator<void> {
  const { definition } = journal;
  const ledger = new LedgerOpening(definition.plan);
  const results = new Results(definition, isLate);
  const fold = journal.foldTo();
  for (let task = 0; task < fold.graph.size; task++) {
    ledger.enter(task, fold.task(task).status);
    results.recoverTask(fold, task);
    if (task % PIECE === 0) yield;
  }
  journal.prepared = { ledger, results };
}
