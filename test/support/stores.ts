import type { Append, Entry, MemoryStore } from 'topple';

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
    lastSeq: (runId) => memory.lastSeq(runId),
    read: (runId) => memory.read(runId),
    list: (filter) => memory.list(filter),
    remove: (runId) => memory.remove(runId),
    ...methods,
  };
}
