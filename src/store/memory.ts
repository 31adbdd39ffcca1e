import { isChildId, parentIdOf, rootIdOf } from '../model/child-id.ts';
import type { FlowOutline } from '../model/flow-outline.ts';
import type { Entry } from '../model/journal.ts';
import { OrderedMap } from '../model/ordered-map.ts';
import {
  checkTree,
  conflictOf,
  type ListedJournal,
  listRuns,
  orphanOf,
  type RunFilter,
  type RunSummary,
} from '../model/summary.ts';
import type { Append, EntrySource, Store } from './store.ts';

/** A store whose methods return at once. */
export interface MemoryStore extends Store {
  append(given: Append): void;
  appendTree(runs: readonly Append[]): void;
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
  /** Of a root: the runs below it, once there are any. */
  below: OrderedMap<string, Kept> | undefined;
}

/** Holds the journals that it is given as they are: an entry becomes an object only when it is read. */
class Memory implements MemoryStore {
  /** Roots, which have the runs below them. */
  readonly #runs = new OrderedMap<string, Kept>();
  /** By hash, the last kept last. */
  readonly #flows = new Map<string, FlowOutline>();

  append({ runId, expectedSeq, seq, journal }: Append): void {
    const kept = this.#find(runId);
    const lastSeq = kept?.seq ?? 0;
    if (lastSeq !== expectedSeq) throw conflictOf(runId, lastSeq, expectedSeq);
    if (kept === undefined) this.#peersOf(runId).set(runId, { journal, seq, below: undefined });
    else {
      kept.journal = journal;
      kept.seq = seq;
    }
  }

  appendTree(runs: readonly Append[]): void {
    checkTree(runs);
    let kept = 0;
    try {
      for (const run of runs) {
        this.append(run);
        kept++;
      }
    } catch (error) {
      if (kept > 0) this.remove((runs[0] as Append).runId);
      throw error;
    }
  }

  lastSeq(runId: string): number {
    return this.#find(runId)?.seq ?? 0;
  }

  read(runId: string): readonly Entry[] {
    const kept = this.#find(runId);
    return Array.from({ length: kept?.seq ?? 0 }, (_, index) => (kept as Kept).journal.get(index + 1));
  }

  list(filter: RunFilter = {}): readonly RunSummary[] {
    return listRuns(this.#listed(filter), filter);
  }

  *#listed({ under, newestFirst, before }: RunFilter): Generator<ListedJournal> {
    const runs = under === undefined ? this.#runs : this.#runs.get(rootIdOf(under))?.below;
    const start = under === undefined ? '' : `${under}/`;
    for (const [id, { journal, seq }, order] of runs?.entries({ newestFirst, before }) ?? [])
      if (id.startsWith(start)) yield { id, order, seq, entryAt: (at) => journal.get(at) };
  }

  remove(runId: string): void {
    if (this.#runs.delete(runId)) return;
    const runs = this.#runs.get(rootIdOf(runId))?.below;
    if (runs === undefined) return;
    const ids = Array.from(runs.entries(), ([id]) => id);
    for (const id of ids) if (id === runId || id.startsWith(`${runId}/`)) runs.delete(id);
  }

  #find(runId: string): Kept | undefined {
    const root = this.#runs.get(runId);
    if (root !== undefined || !isChildId(runId)) return root;
    return this.#runs.get(rootIdOf(runId))?.below?.get(runId);
  }

  /** The runs among which a new run belongs. Throws `StoreConflictError` if its root or parent is unknown. */
  #peersOf(runId: string): OrderedMap<string, Kept> {
    if (!isChildId(runId)) return this.#runs;
    const [rootId, parentId] = [rootIdOf(runId), parentIdOf(runId)];
    const root = this.#runs.get(rootId);
    if (root === undefined) throw orphanOf(runId, rootId);
    if (this.#find(parentId) === undefined) throw orphanOf(runId, parentId);
    root.below ??= new OrderedMap();
    return root.below;
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
