import { StoreConflictError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import { PassingMap } from '../model/passing-map.ts';
import type { RunFilter, RunSummary, Store } from './store.ts';

/** A store for as long as the process lives: the reference for others, and the double in tests. */
export function createMemoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #journals = new PassingMap<string, Entry[]>();

  append(runId: string, entries: readonly Entry[], expectedSeq: number): void {
    const journal = this.#journals.get(runId);
    const seq = journal?.at(-1)?.seq ?? 0;
    if (seq !== expectedSeq) {
      throw new StoreConflictError(
        runId,
        `Run ${runId} has ${seq} entries where ${expectedSeq} were expected: another engine goes on with it, or the id is taken`,
      );
    }
    if (journal === undefined) this.#journals.set(runId, entries.slice());
    else for (const entry of entries) journal.push(entry);
  }

  read(runId: string): readonly Entry[] {
    return this.#journals.get(runId)?.slice() ?? [];
  }

  list({ flow, settled }: RunFilter = {}): readonly RunSummary[] {
    const all = this.#journals.entries().map(([id, entries]) => summarise(id, entries));
    return all.filter(
      (run) =>
        (flow === undefined || run.flow === flow) &&
        (settled === undefined || settled === (run.endedAt !== null)),
    );
  }

  remove(runId: string): void {
    this.#journals.delete(runId);
  }
}

/** The start stands among the first, if the input was accepted; a settled run's journal ends with its end. */
function summarise(id: string, entries: readonly Entry[]): RunSummary {
  const started = entries.find((entry) => entry.type === 'run.started');
  const last = entries.at(-1);
  const ended = last?.type === 'run.done' || last?.type === 'run.failed' || last?.type === 'run.cancelled';
  return {
    id,
    flow: started?.flow ?? '',
    startedAt: started?.at ?? null,
    endedAt: ended ? last.at : null,
    seq: last?.seq ?? 0,
  };
}
