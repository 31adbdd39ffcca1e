import { type Append, createMemoryStore, type Entry, type MemoryStore, type Store } from 'topple';

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
  /** Answers `lastSeq` in place of the memory, once set. */
  tellLastSeq: ((runId: string) => Promise<number>) | undefined;
  /** Lands the oldest append, and lets everything follow that needs no time. */
  landOne(): Promise<Flight>;
}

/** @param isByHand whether appends wait for the test; otherwise they land once the event loop has had its turn */
export function lateStore({ isByHand = false, memory = createMemoryStore() } = {}): LateStore {
  const flights: Flight[] = [];
  let count = 0;
  const store: LateStore = {
    isAsync: true,
    memory,
    flights,
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
    lastSeq: (runId) => store.tellLastSeq?.(runId) ?? later(() => memory.lastSeq(runId)),
    read: (runId) => later(() => memory.read(runId)),
    list: (filter) => later(() => memory.list(filter)),
    remove: (runId) => later(() => memory.remove(runId)),
    async landOne() {
      const [flight] = flights;
      if (flight === undefined) throw new Error('No append is under way');
      flight.land();
      await rest();
      return flight;
    },
  };
  return store;
}

/** Lets everything happen that waits for no answer of a store. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function later<T>(answer: () => T): Promise<T> {
  return new Promise((resolve) => setImmediate(() => resolve(answer())));
}
