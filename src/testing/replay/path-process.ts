import { createEngine, type Engine, type EngineOptions, type MemoryStore, type Store } from '../../index.ts';
import { isChildId } from '../../model/child-id.ts';
import type { Clock } from '../../model/clock.ts';
import type { Append } from '../../store/store.ts';
import { macrotask } from '../clock.ts';

/** Turns of the event loop that an append takes. */
const turnsOfFlight = 3;

/** The process that a path's run is in, with its engine. Once it is gone, its engine reaches nothing and nobody. */
export class PathProcess {
  readonly engine: Engine;
  readonly #memory: MemoryStore;
  readonly #clock: Clock;
  readonly #timers = new Set<unknown>();
  readonly #end = Promise.withResolvers<void>();
  /** Called while an append is on its way, before it is kept. */
  readonly #onFlight: () => void;
  /** The run of which entries are kept up to a `seq` only. */
  #cut: { readonly runId: string; readonly seq: number } | undefined;
  #isGone = false;

  /**
   * @param memory what outlives the process
   * @param isLate whether its store takes its time
   */
  constructor(
    options: EngineOptions,
    clock: Clock,
    memory: MemoryStore,
    isLate: boolean,
    onFlight: () => void,
  ) {
    this.#clock = clock;
    this.#memory = memory;
    this.#onFlight = onFlight;
    this.engine = createEngine({ ...options, clock: this.#ownClock(), store: this.#ownStore(isLate) });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Resolves once it is gone. */
  get gone(): Promise<void> {
    return this.#end.promise;
  }

  /** Has it be gone as soon as it appends more than so many further entries to a run, of which these are kept. */
  endAfter(runId: string, entries: number): void {
    this.#cut = { runId, seq: this.#memory.lastSeq(runId) + entries };
  }

  /** Ends it as a kill does: nothing is told to end, and what is on its way to the store is not kept. */
  kill(): void {
    this.#isGone = true;
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
    this.#end.resolve();
  }

  #ownClock(): Clock {
    const clock = this.#clock;
    return {
      now: () => clock.now?.() ?? 0,
      monotonicNow: () => clock.monotonicNow?.() ?? 0,
      setTimeout: (callback, timeoutMs) => {
        if (this.#isGone) return undefined;
        const timer = clock.setTimeout(() => {
          this.#timers.delete(timer);
          callback();
        }, timeoutMs);
        this.#timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => {
        this.#timers.delete(timer);
        clock.clearTimeout(timer);
      },
      ...(clock.whenSet && { whenSet: (callback) => clock.whenSet?.(() => this.#isGone || callback()) }),
      whenIdle: (callback) => {
        if (!this.#isGone) clock.whenIdle?.(() => this.#isGone || callback());
      },
      hold: (until) => {
        if (!this.#isGone) clock.hold?.(Promise.race([until, this.gone]));
      },
    };
  }

  #ownStore(isLate: boolean): Store {
    const memory = this.#memory;
    return {
      isAsync: isLate,
      append: (given) => (isLate ? this.#appendLater(given) : this.#append(given)),
      lastSeq: (runId) => memory.lastSeq(runId),
      read: (runId) => memory.read(runId),
      list: (filter) => memory.list(filter).filter(({ id }) => !isChildId(id)),
      remove: (runId) => memory.remove(runId),
    };
  }

  async #appendLater(given: Append): Promise<void> {
    // Whatever the engine does too early, it does meanwhile.
    for (let turn = 0; turn < turnsOfFlight; turn++) await macrotask();
    if (!this.#isGone) this.#onFlight();
    this.#append(given);
    if (this.#isGone) await new Promise<never>(() => {});
  }

  #append(given: Append): void {
    if (this.#isGone) return;
    const { runId, expectedSeq, seq, entries, journal } = given;
    if (this.#cut?.runId !== runId || seq <= this.#cut.seq) return this.#memory.append(given);
    const kept = this.#cut.seq - expectedSeq;
    if (kept > 0)
      this.#memory.append({
        runId,
        expectedSeq,
        seq: this.#cut.seq,
        entries: entries.slice(0, kept),
        journal,
      });
    this.kill();
  }
}
