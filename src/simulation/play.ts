import type { MemoryStore, RunView } from '../index.ts';
import { createChance } from '../model/chance.ts';
import { isThenable } from '../model/check.ts';
import { showDuration } from '../model/duration.ts';
import { type Caller, callers } from './caller.ts';
import { makeWorld } from './make-world.ts';
import { Points } from './points.ts';
import { type Around, Processes } from './processes.ts';
import { realProgress, realTurn } from './real-time.ts';
import { type Chooser, Recorder, type Schedule } from './schedule.ts';
import { type Setup, startAt } from './setup.ts';
import type { Broken, FailureKind, Stage, Told } from './stage.ts';
import { waitsForReal, whyStuck } from './stuck.ts';
import { VirtualTime } from './virtual-time.ts';
import { shownError } from './words.ts';

/** A schedule that was played. */
export interface Played {
  readonly schedule: Schedule;
  readonly broken: Broken | undefined;
  readonly steps: number;
  /** Everything that happened, if it was to be told. */
  readonly told: readonly Told[];
  readonly views: readonly RunView[];
  readonly store: MemoryStore;
  readonly world: object;
  /** Whether it taught that a method is asynchronous, and must be played again. */
  readonly hasLearned: boolean;
}

/** The longest time, in virtual milliseconds, by which the clock overtakes what could happen first. */
const mostHasteMs = 1_000;

/** Virtual milliseconds after the end of all runs at which a body that was told to end must have ended. */
const mostLateMs = 60_000;

/** Instants that timers of bodies get after all runs have settled. */
const mostLateInstants = 100;

/** Plays one schedule, to its end. */
export async function play(setup: Setup, chooser: Chooser, isTold = false): Promise<Played> {
  const one = new Play(setup, chooser, isTold);
  await one.toEnd();
  return one.played();
}

/** The schedule under way in this process: promises that nobody handles are its doing. */
let underWay: Play | undefined;

/** Hears of promises that were rejected and that nobody handles, until the returned function is called. */
export function hearUnhandled(): () => void {
  const listener = (reason: unknown): void => underWay?.unhandled(reason);
  process.on('unhandledRejection', listener);
  return () => process.off('unhandledRejection', listener);
}

class Play implements Stage {
  readonly #setup: Setup;
  readonly #recorder: Recorder;
  readonly #isTold: boolean;
  readonly #time: VirtualTime;
  readonly #points = new Points();
  readonly #names = new Map<string, number>();
  readonly #told: Told[] = [];
  readonly #world: object;
  readonly #random: () => number;
  readonly #processes: Processes;
  /** Up to which step what could happen comes before an instant. */
  readonly #patience = new Map<number, number>();
  #idle: (() => void)[] = [];
  #holds = 0;
  #step = 0;
  /** The name of the last step. */
  #last = 'start';
  #broken: Broken | undefined;
  #hasLearned = false;
  #lateInstants = 0;
  isLooking = false;

  constructor(setup: Setup, chooser: Chooser, isTold: boolean) {
    this.#setup = setup;
    this.#recorder = new Recorder(chooser);
    this.#isTold = isTold;
    this.#time = new VirtualTime(startAt, setup.fakes);
    const seed = this.#recorder.seed ?? setup.seed;
    this.#random = createChance(seed);
    this.#world = makeWorld(this, setup.makeWorld, this.#random, () => this.#time.wall);
    this.#processes = new Processes(this.#around(createChance(seed + 1)));
  }

  async toEnd(): Promise<void> {
    underWay = this;
    const { random } = Math;
    Math.random = this.#random;
    try {
      this.#processes.begin();
      while (this.#isGood && (await this.#goOn()));
      if (this.#isGood) this.#judgeEnd();
    } finally {
      this.#processes.life.kill();
      Math.random = random;
      underWay = undefined;
    }
  }

  played(): Played {
    const { memory, views } = this.#processes;
    return {
      schedule: this.#recorder.schedule,
      broken: this.#broken,
      steps: this.#step,
      told: this.#told,
      views,
      store: memory,
      world: this.#world,
      hasLearned: this.#hasLearned,
    };
  }

  // The stage.

  get somebody(): Caller {
    const { life } = this.#processes;
    return { name: 'somebody', idempotencyKey: '', life, calls: new Set(), hung: new Set(), hasFault: false };
  }

  get learned(): ReadonlySet<string> {
    return this.#setup.learned;
  }

  learn(method: string): void {
    this.#setup.learned.add(method);
    this.#hasLearned = true;
  }

  nameOf(name: string): string {
    const times = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, times);
    return times === 1 ? name : `${name}:${times}`;
  }

  callFault(key: string): string | undefined {
    return this.#recorder.callFault(key);
  }

  bodyFault(key: string): string | undefined {
    return this.#recorder.bodyFault(key);
  }

  add(key: string, owner: { readonly isGone: boolean } | undefined, take: () => void): void {
    if (owner?.isGone === true) return;
    this.#points.add({ key, owner, take }, this.#step + this.#recorder.delay(key));
  }

  later(waitMs: number, owner: { readonly isGone: boolean }, callback: () => void): void {
    this.#time.after(waitMs, () => owner.isGone || callback());
  }

  tell(told: () => Told): void {
    if (this.#isTold) this.#told.push(told());
  }

  fail(kind: FailureKind, message: string, cause?: unknown): void {
    this.#broken ??= { kind, message, cause };
  }

  unhandled(reason: unknown): void {
    this.fail('unhandled', `a promise was rejected, and nobody handled it: ${shownError(reason)}`, reason);
  }

  #around(chance: () => number): Around {
    const points = this.#points;
    const recorder = this.#recorder;
    return {
      stage: this,
      setup: this.#setup,
      world: this.#world,
      chance,
      time: this.#time,
      lateStore: recorder.lateStore,
      whenIdle: (callback) => void this.#idle.push(callback),
      hold: (until) => this.#hold(until),
      nameOf: (name) => this.nameOf(name),
      storeFault: (key, entries) => recorder.storeFault(key, entries),
      appendLater: (key, owner, land) => this.add(`keep ${key}`, owner, land),
      drop: (owner) => points.drop(owner),
      get isQuiet() {
        return points.size === 0;
      },
    };
  }

  #hold(until: Promise<unknown>): void {
    this.#holds++;
    const release = (): void => {
      this.#holds--;
    };
    until.then(release, release);
  }

  // Steps.

  get #isGood(): boolean {
    return this.#broken === undefined && !this.#hasLearned;
  }

  /** Lets one thing happen, and all that follows by itself. Returns whether there may be more. */
  async #goOn(): Promise<boolean> {
    await this.#rest();
    if (!this.#isGood || !this.#invariantHolds()) return false;
    if (this.#step >= this.#setup.maxSteps) {
      const names = this.#processes.names('unsettled');
      this.fail('never settles', `${names === '' ? 'something' : names} goes on after ${this.#step} steps`);
      return false;
    }
    const command = this.#recorder.command(this.#last, this.#processes.possible());
    if (command === undefined) return this.#take();
    this.#begin(`${this.#last} ${command}`);
    this.#processes.carryOut(command);
    return true;
  }

  async #take(): Promise<boolean> {
    const at = this.#holds > 0 ? undefined : this.#time.next;
    if (this.#recorder.picks && this.#points.size > 0) {
      this.#pick(at);
      return true;
    }
    if (this.#points.size > 0 && !this.#isTimeFirst(at)) {
      const point = this.#points.takeFirst();
      this.#step++;
      this.#last = point?.key ?? '';
      point?.take();
      return true;
    }
    if (at === undefined) return this.#stuck();
    if (this.#processes.hasEnded && this.#goesOn(at)) return false;
    this.#moveTo(at);
    return true;
  }

  /** Takes what the chooser picks, and notes how much later it came than it could. */
  #pick(at: number | undefined): void {
    const mayMove = at !== undefined && at - this.#time.now <= mostHasteMs;
    if (mayMove && !this.#patience.has(at)) this.#patience.set(at, this.#step);
    const place = this.#recorder.pick(this.#points.size + (mayMove ? 1 : 0));
    const taken = this.#points.takeAt(place);
    if (taken === undefined && at !== undefined) {
      // Infinite patience is the default: no steps are some.
      this.#recorder.hasPatience(`clock ${at}`, this.#step - (this.#patience.get(at) ?? 0));
      return this.#moveTo(at);
    }
    const [point, since] = taken ?? [];
    this.#recorder.cameLater(point?.key ?? '', this.#step - (since ?? 0));
    this.#step++;
    this.#last = point?.key ?? '';
    point?.take();
  }

  #moveTo(at: number): void {
    this.#begin(`clock ${at}`);
    if (at > this.#time.now)
      this.tell(() => ({
        from: 'clock',
        to: 'clock',
        text: `the clock stands at ${showDuration(at)}`,
        kind: 'time',
      }));
    this.#time.moveTo(at);
  }

  #begin(step: string): void {
    this.#step++;
    this.#last = this.nameOf(step);
  }

  /** Runs until nothing happens any more by itself. */
  async #rest(): Promise<void> {
    for (;;) {
      await realTurn();
      const callbacks = this.#idle;
      if (callbacks.length === 0) return;
      this.#idle = [];
      for (const callback of callbacks) callers.run(undefined, callback);
    }
  }

  /** Whether the clock moves on though there is something else to do. */
  #isTimeFirst(at: number | undefined): boolean {
    if (at === undefined || at - this.#time.now > mostHasteMs) return false;
    let until = this.#patience.get(at);
    if (until === undefined) {
      until = this.#step + this.#recorder.patience(`clock ${at}`);
      this.#patience.set(at, until);
    }
    return until <= this.#step;
  }

  /** Whether a body or its timers go on long after all runs have settled, though none of its calls had a fault. */
  #goesOn(at: number): boolean {
    const { open, endedAt } = this.#processes;
    const names = this.#processes.names('all');
    if (this.#time.isOnlyBodies && ++this.#lateInstants > mostLateInstants) {
      this.fail('left over', `a timer of a body goes on after ${names} settled`);
      return true;
    }
    if (at - endedAt <= mostLateMs) return false;
    const body = [...open].find(({ hasFault, calls }) => !hasFault && calls.size === 0);
    if (body === undefined) return false;
    const late = showDuration(at - endedAt);
    this.fail(
      'left over',
      `the body of \`${body.name}\` was told to end, and goes on ${late} after ${names} settled`,
    );
    return true;
  }

  /** Nothing can happen by itself. Returns whether it has not ended all the same. */
  async #stuck(): Promise<boolean> {
    const { open, hasEnded, isBusy } = this.#processes;
    if (hasEnded && !isBusy && open.size === 0) return false;
    const idle = [...open].filter(({ calls }) => calls.size === 0);
    if (isBusy || idle.length > 0 || !hasEnded) {
      const isReal = await realProgress(
        () => this.#idle.length > 0 || this.#points.size > 0 || this.#time.next !== undefined,
      );
      // The engine may load code of its own when it first needs it.
      if (isReal && !isBusy && idle.length > 0) this.#broken ??= waitsForReal(idle);
      if (isReal) return this.#isGood;
    }
    this.#broken ??= whyStuck(
      [...open],
      this.#processes.waiting,
      hasEnded,
      this.#processes.names('unsettled'),
    );
    return false;
  }

  // Judgements.

  #invariantHolds(): boolean {
    const { invariant } = this.#setup;
    const run = this.#processes.first;
    if (invariant === undefined || run === undefined) return true;
    return this.#judge('invariant', () =>
      invariant(this.#world as never, invariant.length > 1 ? run.view() : (undefined as never)),
    );
  }

  #judgeEnd(): void {
    const { atEnd } = this.#setup;
    if (atEnd === undefined) return;
    const { views } = this.#processes;
    this.#judge('end', () => atEnd(this.#world as never, views[0] as RunView, views));
  }

  /** Whether a judgement holds: it does unless it is false, or throws. */
  #judge(kind: 'invariant' | 'end', judge: () => unknown): boolean {
    this.isLooking = true;
    const name = kind === 'end' ? '`atEnd`' : '`invariant`';
    try {
      const result = judge();
      if (isThenable(result)) throw new TypeError(`${name} must return at once, and returned a promise`);
      if (result === false) this.fail(kind, `${name} does not hold`);
      return result !== false;
    } catch (error) {
      this.fail(kind, `${name} does not hold: ${shownError(error)}`, error);
      return false;
    } finally {
      this.isLooking = false;
    }
  }
}
