import type { Entry } from '../model/journal.ts';
import { PassingMap } from '../model/passing-map.ts';
import {
  conflictOf,
  type ListedJournal,
  listRuns,
  type RunFilter,
  type RunSummary,
} from '../model/summary.ts';
import type { Store } from './store.ts';

/** A store that lives as long as the process: the reference for other stores, and the double in tests. */
export function createMemoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #journals = new PassingMap<string, Entry[]>();

  append(runId: string, entries: readonly Entry[], expectedSeq: number): void {
    const journal = this.#journals.get(runId);
    const seq = journal?.at(-1)?.seq ?? 0;
    if (seq !== expectedSeq) throw conflictOf(runId, seq, expectedSeq);
    if (journal === undefined) this.#journals.set(runId, entries.slice());
    else for (const entry of entries) journal.push(entry);
  }

  read(runId: string): readonly Entry[] {
    return this.#journals.get(runId)?.slice() ?? [];
  }

  list(filter: RunFilter = {}): readonly RunSummary[] {
    return listRuns(this.#listed(filter), filter);
  }

  *#listed({ newestFirst, before }: RunFilter): Generator<ListedJournal> {
    for (const [id, entries, order] of this.#journals.entries({ newestFirst, before })) {
      yield { id, order, seq: entries.length, entryAt: (seq) => entries[seq - 1] as Entry };
    }
  }

  remove(runId: string): void {
    this.#journals.delete(runId);
  }
}
