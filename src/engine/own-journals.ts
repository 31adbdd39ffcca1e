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

/** A journal held by its run. */
interface OwnJournal {
  readonly runId: string;
  /** `seq` of the last kept entry. */
  readonly keptSeq: number;
  entry(seq: number): Entry;
}

/**
 * Replaces the store of an engine that has none: journals stay with their runs, and entries become objects only when
 * read.
 */
export class OwnJournals implements Pick<Store, 'read' | 'list' | 'remove'> {
  readonly #journals = new PassingMap<string, { journal: OwnJournal }>();

  /** Adopts a journal from elsewhere; a no-op if as much of its run is known. */
  adopt(journal: OwnJournal): void {
    const known = this.#journals.get(journal.runId);
    if (known === undefined) this.#journals.set(journal.runId, { journal });
    else if (known.journal.keptSeq < journal.keptSeq) known.journal = journal;
  }

  /** Registers a journal that keeps more entries. Throws `StoreConflictError` if its run has continued in another. */
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
