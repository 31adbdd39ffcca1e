import type { Clock } from '../model/clock.ts';
import { type Limit, SlotQueue } from './slots.ts';
import { Timers } from './timers.ts';

/**
 * Milliseconds that turns follow one another in microtasks, and that one turn starts attempts. Then the event loop
 * gets its turn, so that tasks which never wait for I/O do not block timers or sockets.
 */
const SLICE_MS = 10;

/** A holder of entries to keep. */
export interface Committer {
  /** Keeps recorded entries and notifies listeners. Must not throw. */
  commit(): void;
}

/**
 * The scheduler of an engine on one clock. Takes completions as they come; at the end of the turn keeps recorded
 * entries, then fills slots. Anything that completes while slots are filled waits for the next turn.
 */
export class Turn {
  readonly timers: Timers;
  readonly slots: SlotQueue;
  readonly #clock: Clock;
  readonly #dirty: Committer[] = [];
  readonly #next: (() => void)[] = [];
  readonly #afterLoop: (() => void)[] = [];
  #isScheduled = false;
  /** The last instant the event loop had its turn between two of ours. */
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
    if (this.#clock.whenIdle !== undefined) this.next(callback);
    // Many runs ask at a time, and each macrotask costs about a microsecond.
    else if (this.#afterLoop.push(callback) === 1) macrotask(() => call(this.#afterLoop));
  }

  /** Schedules a commit for the end of the turn. Call it once between two commits. */
  commitLater(committer: Committer): void {
    this.#dirty.push(committer);
    this.schedule();
  }

  /** Whether the clock is virtual, and can be held. */
  get canHoldTime(): boolean {
    return this.#clock.hold !== undefined;
  }

  /** Lets no time pass until the promise settles, where the clock is virtual. */
  holdTime(until: Promise<unknown>): void {
    this.#clock.hold?.(until);
  }

  /** Whether a turn is to come without being asked for. */
  get isScheduled(): boolean {
    return this.#isScheduled;
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
    // What was started is begun here, by no method of the turn: see `LocalAttempt`. When the slice is over, started
    // attempts may complete first.
    let beganAt: number | undefined;
    let isFilled = false;
    while (!isFilled && (beganAt === undefined || this.#isInSlice(beganAt))) {
      const claim = this.slots.giveFree() ?? this.slots.giveBest();
      claim?.start()?.begin();
      beganAt ??= this.timers.latest;
      isFilled = claim === undefined;
    }
    // A listener may let more tasks start: slots are filled again then, in another turn.
    this.#isScheduled = false;
    this.#commit();
    this.timers.adjust();
    if (!isFilled || this.#next.length > 0) this.schedule();
  };

  /**
   * Whether a slice that began then is not over. It uses stamps, which are read anyway: if the time of day is set,
   * forward or back, a slice ends early.
   */
  #isInSlice(beganAt: number): boolean {
    return Math.abs(this.timers.latest - beganAt) < SLICE_MS;
  }

  /** Commits all, and runs started by listeners too, since their bodies may be called next. */
  #commit(): void {
    while (this.#dirty.length > 0) {
      // Most turns have only one.
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

/** Empties a list and returns its items, without allocating if there are none. */
function take<Item>(list: Item[]): readonly Item[] {
  return list.length === 0 ? nothing : list.splice(0);
}

const nothing: readonly never[] = [];

/** Calls back by Node's `setImmediate`; elsewhere after the shortest wait. */
function macrotask(callback: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (callback: () => void) => void };
  if (setImmediate === undefined) setTimeout(callback, 0);
  else setImmediate(callback);
}
