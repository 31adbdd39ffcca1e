import type { Clock } from '../model/clock.ts';
import { type Limit, SlotQueue } from './slots.ts';
import { Timers } from './timers.ts';

/**
 * So long turns follow one another in microtasks, and attempts are started in one of them; then the event loop gets
 * its turn, so that tasks which never wait for anything outside hold up neither timers nor sockets.
 */
const SLICE_MS = 10;

/** Something with entries to keep. */
export interface Committer {
  /** Keeps what was recorded and tells listeners. Must not throw. */
  commit(): void;
}

/**
 * The beat of an engine on one clock: completions are taken as they come; at the end of the turn what was recorded
 * is kept, then slots are filled. What completes at once while slots are filled waits for the next turn.
 */
export class Turn {
  readonly timers: Timers;
  readonly slots: SlotQueue;
  readonly #clock: Clock;
  readonly #dirty: Committer[] = [];
  readonly #next: (() => void)[] = [];
  #isScheduled = false;
  /** When the event loop last had its turn between two of ours. */
  #yieldedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, engineLimit: Limit) {
    this.#clock = clock;
    this.timers = new Timers(clock, () => this.schedule());
    this.slots = new SlotQueue(engineLimit, () => this.schedule());
  }

  /** Calls back as the next turn begins. */
  next(callback: () => void): void {
    this.#next.push(callback);
    this.schedule();
  }

  /** Calls back once the event loop has had its turn. */
  afterEventLoop(callback: () => void): void {
    if (this.#clock.whenIdle === undefined) macrotask(callback);
    else this.next(callback);
  }

  /** Has what was recorded kept at the end of the turn. To be called once between two commits. */
  commitLater(committer: Committer): void {
    this.#dirty.push(committer);
    this.schedule();
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (this.#clock.whenIdle !== undefined) this.#clock.whenIdle(this.#run);
    else if (this.#isInSlice(this.#yieldedAt)) void soon.then(this.#run);
    else macrotask(this.#runAfresh);
  }

  readonly #runAfresh = (): void => {
    this.#yieldedAt = this.timers.now();
    this.#run();
  };

  readonly #run = (): void => {
    call(this.#next);
    this.#commit();
    // Slots are filled here and in no method of its own: each frame below a body adds to the price of its errors. When
    // the time is over, what has been started may complete first.
    let beganAt: number | undefined;
    let isFilled = false;
    while (!isFilled && (beganAt === undefined || this.#isInSlice(beganAt))) {
      const claim = this.slots.giveBest();
      claim?.start()?.begin();
      beganAt ??= this.timers.latest;
      isFilled = claim === undefined;
    }
    this.#commit();
    this.timers.adjust();
    this.#isScheduled = false;
    if (!isFilled || this.#next.length > 0) this.schedule();
  };

  /**
   * Whether a slice that began then is not over. It goes by the stamps, which are read anyway: where the time of day
   * is set, forward or back, a slice ends early.
   */
  #isInSlice(beganAt: number): boolean {
    return Math.abs(this.timers.latest - beganAt) < SLICE_MS;
  }

  /** A listener may start a run: that is kept too, since its bodies may be called next. */
  #commit(): void {
    while (this.#dirty.length > 0) {
      // Most turns have one run's.
      if (this.#dirty.length === 1) this.#dirty.pop()?.commit();
      else for (const committer of this.#dirty.splice(0)) committer.commit();
    }
  }
}

/** Costs a fraction of `queueMicrotask`. */
const soon = Promise.resolve();

function call(callbacks: (() => void)[]): void {
  for (const callback of take(callbacks)) callback();
}

/** Empties a list; what is in none is made of nothing. */
function take<Item>(list: Item[]): readonly Item[] {
  return list.length === 0 ? nothing : list.splice(0);
}

const nothing: readonly never[] = [];

/** Node's `setImmediate`; elsewhere the shortest wait that there is. */
function macrotask(callback: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (callback: () => void) => void };
  if (setImmediate === undefined) setTimeout(callback, 0);
  else setImmediate(callback);
}
