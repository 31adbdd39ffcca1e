import type { Append, Store } from '../../index.ts';
import { textOf } from '../../model/error.ts';
import type { SqliteStore } from '../../store/sqlite/index.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import { type FlowPlace, keepModuleOf } from './module-of-run.ts';
import type { OpenStore } from './open-store.ts';

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
 * A store that keeps beside each new run where its flow comes from, before anybody learns that it has the run: so no
 * body is called of a run of which that is not kept.
 */
export function keepingModules(open: OpenStore, place: FlowPlace, io: Io): SqliteStore {
  const { store, file } = open;
  return withMethods(store, {
    append: async (given: Append) => {
      await store.append(given);
      if (given.expectedSeq > 0) return;
      try {
        keepModuleOf(open, given.runId, place, io);
      } catch (error) {
        tell(io, `${file}: run \`${given.runId}\` is kept without its module: ${textOf(error)}`);
      }
    },
  });
}
