import type { Store } from '../store/store.ts';
import type { RunJournal } from './run-journal.ts';

/**
 * Appends what a store lacks of runs that come from elsewhere, each behind its parent: nobody may go on with one, and the
 * views of others name it all the same.
 */
export async function backfillTree(store: Store, journals: Iterable<RunJournal>): Promise<void> {
  for (const journal of journals) {
    const { runId, keptSeq } = journal;
    const lastSeq = await store.lastSeq(runId);
    if (lastSeq < keptSeq) await store.append(journal.fresh(lastSeq, keptSeq));
  }
}
