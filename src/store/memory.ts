import type { FlowOutline } from '../model/flow-outline.ts';
import type { Entry } from '../model/journal.ts';
import { OrderedMap } from '../model/ordered-map.ts';
import {
  conflictOf,
  type ListedJournal,
  listRuns,
  type RunFilter,
  type RunSummary,
} from '../model/summary.ts';
import type { Append, EntrySource, Store } from './store.ts';

/** A store whose methods return at once. */
export interface MemoryStore extends Store {
  append(given: Append): void;
  lastSeq(runId: string): number;
  read(runId: string): readonly Entry[];
  list(filter?: RunFilter): readonly RunSummary[];
  remove(runId: string): void;
  keepFlow(flow: FlowOutline): void;
  readFlow(hash: string): FlowOutline | undefined;
}

/** Makes a store that lives as long as the process: the reference for other stores, and the double in tests. */
export function createMemoryStore(): MemoryStore {
  return new Memory();
}

/** The number of outlines of flows; the oldest go first. */
const MOST_FLOWS = 1_000;

/** Part of a journal: its entries up to a `seq`. */
interface Kept {
  journal: EntrySource;
  seq: number;
}

/** Holds the journals that it is given as they are: an entry becomes an object only when it is read. */
class Memory implements MemoryStore {
  readonly #runs = new OrderedMap<string, Kept>();
  /** By hash, the last kept last. */
  readonly #flows = new Map<string, FlowOutline>();

  append({ runId, expectedSeq, seq, journal }: Append): void {
    const kept = this.#runs.get(runId);
    const lastSeq = kept?.seq ?? 0;
    if (lastSeq !== expectedSeq) throw conflictOf(runId, lastSeq, expectedSeq);
    if (kept === undefined) this.#runs.set(runId, { journal, seq });
    else {
      kept.journal = journal;
      kept.seq = seq;
    }
  }

  lastSeq(runId: string): number {
    return this.#runs.get(runId)?.seq ?? 0;
  }

  read(runId: string): readonly Entry[] {
    const kept = this.#runs.get(runId);
    return Array.from({ length: kept?.seq ?? 0 }, (_, index) => (kept as Kept).journal.get(index + 1));
  }

  list(filter: RunFilter = {}): readonly RunSummary[] {
    return listRuns(this.#listed(filter), filter);
  }

  *#listed({ newestFirst, before }: RunFilter): Generator<ListedJournal> {
    for (const [id, { journal, seq }, order] of this.#runs.entries({ newestFirst, before })) {
      yield { id, order, seq, entryAt: (at) => journal.get(at) };
    }
  }

  remove(runId: string): void {
    this.#runs.delete(runId);
  }

  keepFlow(flow: FlowOutline): void {
    this.#flows.delete(flow.hash);
    this.#flows.set(flow.hash, flow);
    if (this.#flows.size > MOST_FLOWS) this.#flows.delete(this.#flows.keys().next().value as string);
  }

  readFlow(hash: string): FlowOutline | undefined {
    return this.#flows.get(hash);
  }
}
