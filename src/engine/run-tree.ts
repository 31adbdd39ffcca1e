import type { SettledStatus } from '../model/status.ts';
import type { ChildCounts } from '../model/view.ts';
import type { RunJournal } from './run-journal.ts';

/** How many tasks of a child run have settled, and how; kept up to date with each. */
export type Tally = { -readonly [Count in keyof ChildCounts]: number };

/** What a run knows of the runs below it, at any depth. All runs of a tree share it, and it outlives reruns. */
export class RunTree {
  /** Child runs, settled ones and earlier lives included, as far as they ran or were read here. */
  readonly journals = new Map<string, RunJournal>();
  readonly #tallies = new Map<string, Tally>();

  /** The tally of a child run that begins here, or goes on. */
  tallyOf(journal: RunJournal): Tally {
    const tally: Tally = {
      total: journal.definition.tasks.length,
      done: 0,
      failed: 0,
      skipped: 0,
      upstream_failed: 0,
      cancelled: 0,
    };
    if (journal.seq > 0)
      for (const status of journal.foldTo().statuses) if (status in tally) tally[status as SettledStatus]++;
    this.#tallies.set(journal.runId, tally);
    return tally;
  }

  countsOf(runId: string): ChildCounts | undefined {
    const tally = this.#tallies.get(runId);
    return tally && { ...tally };
  }
}
