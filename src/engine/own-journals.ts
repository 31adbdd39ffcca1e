import type { Entry } from '../model/journal.ts';
import { PassingMap } from '../model/passing-map.ts';
import {
  conflictOf,
  type ListedJournal,
  listRuns,
  type RunFilter,
  type RunSummary,
} from '../model/summary.ts';
import type { Store } from '../store/store.ts';

/** A journal that its run holds. */
interface OwnJournal {
  readonly runId: string;
  /** `seq` of the last entry that has been kept. */
  readonly keptSeq: number;
  entry(seq: number): Entry;
}

/**
 * The journals of an engine that has no store, in its place: they stay with their runs, and no entry is made into an
 * object before somebody reads it.
 */
export class OwnJournals implements Pick<Store, 'read' | 'list' | 'remove'> {
  readonly #journals = new PassingMap<string, { journal: OwnJournal }>();

  /** A journal comes from elsewhere; nothing where as much of its run is known. */
  adopt(journal: OwnJournal): void {
    const known = this.#journals.get(journal.runId);
    if (known === undefined) this.#journals.set(journal.runId, { journal });
    else if (known.journal.keptSeq < journal.keptSeq) known.journal = journal;
  }

  /** A journal is about to keep more entries. Throws `StoreConflictError` where its run has gone on in another. */
  keep(journal: OwnJournal): void {
    const known = this.#journals.get(journal.runId);
    if (known?.journal === journal) return;
    const seq = known?.journal.keptSeq ?? 0;
    if (seq !== journal.keptSeq) throw conflictOf(journal.runId, seq, journal.keptSeq);
    if (known === undefined) this.#journals.set(journal.runId, { journal });
    else known.journal = journal;
  }

  /** Whether entries of a run have been kept. */
  has(runId: string): boolean {
    return (this.#journals.get(runId)?.journal.keptSeq ?? 0) > 0;
  }

  read(runId: string): readonly Entry[] {
    const journal = this.#journals.get(runId)?.journal;
    return Array.from({ length: journal?.keptSeq ?? 0 }, (_, index) =>
      (journal as OwnJournal).entry(index + 1),
    );
  }

  list(filter: RunFilter = {}): readonly RunSummary[] {
    return listRuns(this.#listed(filter), filter);
  }

  *#listed({ newestFirst, before }: RunFilter): Generator<ListedJournal> {
    for (const [id, { journal }, order] of this.#journals.entries({ newestFirst, before })) {
      yield { id, order, seq: journal.keptSeq, entryAt: (seq) => journal.entry(seq) };
    }
  }

  remove(runId: string): void {
    this.#journals.delete(runId);
  }
}
