import {
  type Append,
  createEngine,
  createMemoryStore,
  type Engine,
  type EngineOptions,
  type Entry,
  type MemoryStore,
  type Store,
} from 'topple';
import { silent } from './virtual.ts';

/** An append that waits to be answered. */
export interface Flight {
  readonly given: Append;
  /** The types of its entries. */
  readonly types: readonly Entry['type'][];
  /** Keeps the entries and says so. */
  land(): void;
  /** Says that it failed. @param kept whether the entries were kept all the same */
  fail(error: unknown, kept?: boolean): void;
}

/** A store over memory that takes its time, and lands, fails, hangs and lies as it is told. */
export interface LateStore extends Store {
  readonly memory: MemoryStore;
  /** Appends not yet answered, the oldest first. */
  readonly flights: readonly Flight[];
  /** The number of appends so far. */
  readonly count: number;
  /** Calls so far of the methods that read or remove. */
  readonly calls: readonly string[];
  /** Answers `lastSeq` in place of the memory, once set. May throw. */
  tellLastSeq: ((runId: string) => Promise<number>) | undefined;
  /** Lands the oldest append, and lets everything follow that needs no time. */
  landOne(): Promise<Flight>;
  /** Lands whatever is appended until the promise settles, and returns its value. */
  landUntil<T>(until: PromiseLike<T>): Promise<T>;
  /** Lands appends until an entry of that type is under way. */
  landBefore(type: Entry['type']): Promise<void>;
}

/** @param isByHand whether appends wait for the test; otherwise they land once the event loop has had its turn */
export function lateStore({ isByHand = false, memory = createMemoryStore() } = {}): LateStore {
  const flights: Flight[] = [];
  const calls: string[] = [];
  let count = 0;
  const later = <T>(name: string, answer: () => T): Promise<T> => {
    calls.push(name);
    return new Promise((resolve) => setImmediate(() => resolve(answer())));
  };
  const store: LateStore = {
    isAsync: true,
    memory,
    flights,
    calls,
    get count() {
      return count;
    },
    tellLastSeq: undefined,
    append(given) {
      count++;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // As a store that writes: what is given is read at once.
      const types = given.entries.map(({ type }) => type);
      const answered = (): void => void flights.splice(flights.indexOf(flight), 1);
      const flight: Flight = {
        given,
        types,
        land() {
          answered();
          try {
            memory.append(given);
            resolve();
          } catch (error) {
            reject(error);
          }
        },
        fail(error, kept = false) {
          answered();
          if (kept) memory.append(given);
          reject(error);
        },
      };
      flights.push(flight);
      if (!isByHand) setImmediate(() => flight.land());
      return promise;
    },
    lastSeq: (runId) => store.tellLastSeq?.(runId) ?? later('lastSeq', () => memory.lastSeq(runId)),
    read: (runId) => later('read', () => memory.read(runId)),
    list: (filter) => later('list', () => memory.list(filter)),
    remove: (runId) => later('remove', () => memory.remove(runId)),
    keepFlow: async (flow) => memory.keepFlow(flow),
    readFlow: (hash) => later('readFlow', () => memory.readFlow(hash)),
    async landOne() {
      const [flight] = flights;
      if (flight === undefined) throw new Error('No append is under way');
      flight.land();
      await rest();
      return flight;
    },
    async landUntil(until) {
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
      };
      until.then(settle, settle);
      for (let idle = 0; ; ) {
        await rest();
        if (isSettled) return until;
        idle = flights.length === 0 ? idle + 1 : 0;
        if (idle > 100) throw new Error('Nothing is appended, and what it was to land until has not come');
        flights[0]?.land();
      }
    },
    async landBefore(type) {
      await rest();
      while (flights[0]?.types.includes(type) === false) await store.landOne();
      if (flights.length === 0) throw new Error(`No ${type} is under way`);
    },
  };
  return store;
}

/** Stands still, so that no turn is cut where the machine is slow. */
const stillClock = { now: () => 0, setTimeout, clearTimeout: (id: unknown) => clearTimeout(id as never) };

/** An engine in real time over a store whose appends wait for the test. */
export function lateEngine(options: Omit<EngineOptions, 'store'> = {}): {
  engine: Engine;
  store: LateStore;
} {
  const store = lateStore({ isByHand: true });
  return { engine: createEngine({ store, clock: stillClock, logger: silent, ...options }), store };
}

/** Lets everything happen that waits for no answer of a store. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The value of a promise, or the error that it rejects with; `undefined` while it is unsettled. */
export function watched(promise: Promise<unknown>): { readonly value?: unknown; readonly error?: unknown } {
  const seen: { value?: unknown; error?: unknown } = {};
  promise.then(
    (value) => {
      seen.value = value;
    },
    (error) => {
      seen.error = error;
    },
  );
  return seen;
}

/** Bodies that end when the test says so. */
export function bodiesByHand() {
  const calls: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<unknown>>();
  const endOf = (taskId: string): PromiseWithResolvers<unknown> => {
    const end = ends.get(taskId);
    if (end === undefined) throw new Error(`The body of ${taskId} was not called`);
    return end;
  };
  return {
    /** The tasks whose bodies were called. */
    calls,
    perform: ({ taskId }: { readonly taskId: string }): Promise<unknown> => {
      calls.push(taskId);
      const end = Promise.withResolvers<unknown>();
      ends.set(taskId, end);
      return end.promise;
    },
    /** Has the last attempt of a task return, and lets everything follow that needs no time. */
    end(taskId: string, output: unknown = taskId.toUpperCase()): Promise<void> {
      endOf(taskId).resolve(output);
      return rest();
    },
    endNow(taskId: string): void {
      endOf(taskId).resolve(taskId.toUpperCase());
    },
    fail(taskId: string): Promise<void> {
      endOf(taskId).reject(new Error(`${taskId} failed`));
      return rest();
    },
  };
}
