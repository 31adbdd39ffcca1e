import { createEngine, type Engine, type EngineOptions, type MemoryStore, type Store } from '../index.ts';
import { isChildId } from '../model/child-id.ts';
import type { Clock } from '../model/clock.ts';
import type { Append } from '../store/store.ts';
import { type Caller, callers } from './caller.ts';
import type { DueCall, VirtualTime } from './virtual-time.ts';

/** What a process needs of the simulation around it. */
export interface Surroundings {
  readonly time: VirtualTime;
  /** What outlives the process. */
  readonly memory: MemoryStore;
  readonly lateStore: boolean;
  /** Calls back once nothing happens any more by itself. */
  whenIdle(callback: () => void): void;
  /** Lets no time pass until it is released. */
  hold(until: Promise<unknown>): void;
  /** Makes a name unique. */
  nameOf(name: string): string;
  /** The fault of an append, if it is to have one. */
  storeFault(key: string, entries: number): string | undefined;
  /** Has an append land when the simulation chooses. */
  appendLater(key: string, life: Life, land: () => void): void;
  /** Takes note that the process has lost itself in the middle of an append. */
  lost(key: string, kept: number): void;
}

/** One process: its engine, and everything through which that reaches the world. Once it is gone, nothing of it does. */
export class Life {
  readonly engine: Engine;
  readonly #around: Surroundings;
  readonly #due = new Set<DueCall>();
  readonly #end = Promise.withResolvers<void>();
  #isGone = false;

  constructor(options: EngineOptions, around: Surroundings) {
    this.#around = around;
    this.engine = createEngine({ ...options, clock: this.#clock(), store: this.#store() });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Resolves once it is gone. */
  get gone(): Promise<void> {
    return this.#end.promise;
  }

  /** Ends it as a kill does: nothing is told to end, and what is on its way to the store is not kept. */
  kill(): void {
    this.#isGone = true;
    for (const call of this.#due) this.#around.time.cancel(call);
    this.#due.clear();
    this.#end.resolve();
  }

  #clock(): Clock {
    const { time } = this.#around;
    return {
      now: () => time.wall,
      monotonicNow: () => time.now,
      setTimeout: (callback, timeoutMs) => {
        if (this.#isGone) return undefined;
        const call = time.after(
          timeoutMs,
          inCallersContext(() => {
            this.#due.delete(call);
            callback();
          }),
        );
        this.#due.add(call);
        return call;
      },
      clearTimeout: (call) => {
        if (call === undefined) return;
        this.#due.delete(call as DueCall);
        time.cancel(call as DueCall);
      },
      // It is never set.
      whenSet: () => {},
      whenIdle: (callback) => {
        if (!this.#isGone) this.#around.whenIdle(() => this.#isGone || callback());
      },
      hold: (until) => {
        if (!this.#isGone) this.#around.hold(Promise.race([until, this.#end.promise]));
      },
    };
  }

  #store(): Store {
    const { memory, lateStore } = this.#around;
    return {
      isAsync: lateStore,
      append: (given) => (lateStore ? this.#appendLater(given) : this.#append(given)),
      appendTree: (runs) => {
        if (!this.#isGone) memory.appendTree(runs);
      },
      lastSeq: (runId) => memory.lastSeq(runId),
      read: (runId) => memory.read(runId),
      list: (filter) => memory.list(filter).filter(({ id }) => filter?.under !== undefined || !isChildId(id)),
      remove: (runId) => {
        if (!this.#isGone) memory.remove(runId);
      },
      keepFlow: (flow) => memory.keepFlow(flow),
      readFlow: (hash) => memory.readFlow(hash),
    };
  }

  #append(given: Append): void {
    if (this.#isGone) return;
    const key = this.#around.nameOf(keyOf(given));
    const fault = this.#around.storeFault(key, given.seq - given.expectedSeq);
    if (fault?.startsWith('crash ') !== true) return this.#around.memory.append(given);
    this.#loseAt(given, key, Number(fault.slice(6)));
  }

  #appendLater(given: Append): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#isGone) return promise;
    const key = this.#around.nameOf(keyOf(given));
    const fault = this.#around.storeFault(key, given.seq - given.expectedSeq);
    this.#around.appendLater(key, this, () => {
      try {
        if (fault?.startsWith('crash ') === true) return this.#loseAt(given, key, Number(fault.slice(6)));
        if (fault !== 'refused') this.#around.memory.append(given);
        if (fault === 'refused' || fault === 'unsure') throw new Error(`the store has failed (${fault})`);
        resolve();
      } catch (error) {
        reject(error);
      }
    });
    return promise;
  }

  /** Keeps the first entries of an append, and is gone. */
  #loseAt({ runId, expectedSeq, entries, journal }: Append, key: string, kept: number): void {
    const seq = expectedSeq + kept;
    if (kept > 0)
      this.#around.memory.append({ runId, expectedSeq, seq, entries: entries.slice(0, kept), journal });
    this.kill();
    this.#around.lost(key, kept);
  }
}

function keyOf({ runId, expectedSeq }: Append): string {
  return `${runId} ${expectedSeq + 1}`;
}

/** A body that waits for a timer of its engine goes on as itself. */
function inCallersContext(callback: () => void): () => void {
  const caller: Caller | undefined = callers.getStore();
  return caller === undefined ? callback : () => callers.run(caller, callback);
}
