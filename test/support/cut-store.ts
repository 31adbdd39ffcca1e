import { createMemoryStore, type Entry, type MemoryStore } from 'topple';
import { isChildId } from '../../src/model/child-id.ts';
import { append, storeOver } from './stores.ts';

/** A memory store that notes in which order it got the entries of all runs. */
export function notingStore(): { readonly store: MemoryStore; readonly entries: Entry[] } {
  const memory = createMemoryStore();
  const entries: Entry[] = [];
  const store = storeOver(memory, {
    append: (given) => {
      memory.append(given);
      entries.push(...given.entries);
    },
    list: (filter) => memory.list(filter).filter(({ id }) => !isChildId(id)),
  });
  return { store, entries };
}

/** A store that has these entries, as after a crash; it notes those that follow. */
export function storeOf(entries: readonly Entry[]): {
  readonly store: MemoryStore;
  readonly entries: Entry[];
} {
  const noting = notingStore();
  for (const entry of entries) append(noting.store, entry.runId, [entry], entry.seq - 1);
  return noting;
}
