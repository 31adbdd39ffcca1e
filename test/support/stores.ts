import type { Append, Entry, MemoryStore, Store } from 'topple';

/** Entries for a store to keep, as an engine gives them. @param before the run's entries up to them */
export function appendOf(
  runId: string,
  entries: readonly Entry[],
  expectedSeq: number,
  before: readonly Entry[],
): Append {
  const all = [...before.slice(0, expectedSeq), ...entries];
  return {
    runId,
    expectedSeq,
    seq: expectedSeq + entries.length,
    entries,
    journal: { get: (seq) => all[seq - 1] as Entry },
  };
}

/** Appends entries to a run in a memory store. */
export function append(
  store: MemoryStore,
  runId: string,
  entries: readonly Entry[],
  expectedSeq: number,
): void {
  store.append(appendOf(runId, entries, expectedSeq, store.read(runId)));
}

/** A memory store, some of whose methods are replaced. */
export function storeOver(memory: MemoryStore, methods: Partial<MemoryStore>): MemoryStore {
  return {
    append: (given) => memory.append(given),
    appendTree: (runs) => memory.appendTree(runs),
    lastSeq: (runId) => memory.lastSeq(runId),
    read: (runId) => memory.read(runId),
    list: (filter) => memory.list(filter),
    remove: (runId) => memory.remove(runId),
    keepFlow: (flow) => memory.keepFlow(flow),
    readFlow: (hash) => memory.readFlow(hash),
    ...methods,
  };
}

/**
 * A store that keeps at once, and answers later: what it has at the call, or what it has by then.
 *
 * @param later resolves when an answer may come
 */
export function lateReadingStore(
  memory: MemoryStore,
  later: () => Promise<unknown>,
  asOf: 'call' | 'answer' = 'call',
): Store {
  const late = async <T>(ask: () => T): Promise<T> => {
    const atCall = asOf === 'call' ? { answer: ask() } : undefined;
    await later();
    return (atCall ?? { answer: ask() }).answer;
  };
  return {
    append: (given) => memory.append(given),
    lastSeq: (runId) => memory.lastSeq(runId),
    read: (runId) => late(() => memory.read(runId)),
    list: (filter) => late(() => memory.list(filter)),
    remove: (runId) => late(() => memory.remove(runId)),
    keepFlow: (flow) => memory.keepFlow(flow),
    readFlow: (hash) => late(() => memory.readFlow(hash)),
  };
}
