import type { Append, Store } from '../../index.ts';
import type { SqliteStore } from '../../store/sqlite/index.ts';

/** A store with some other methods. */
export function withMethods<Kind extends Store>(store: Kind, methods: Partial<Kind>): Kind {
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const found: unknown = Reflect.get(target, name, target);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

/**
 * A store that says something about each new run before anybody learns that it has it: so no body is called of a run
 * of which that is not kept.
 */
export function notingNewRuns(store: SqliteStore, note: (runId: string) => void): SqliteStore {
  return withMethods(store, {
    append: async (given: Append) => {
      await store.append(given);
      if (given.expectedSeq === 0) note(given.runId);
    },
  });
}
