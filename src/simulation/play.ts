import { createMemoryStore, type EngineOptions, type MemoryStore, type Run, type RunView } from '../index.ts';
import { createChance } from '../model/chance.ts';
import { isA, isThenable } from '../model/check.ts';
import { EngineStoppedError, StoreError, viewError } from '../model/error.ts';
import { type OpenBody, staged } from './bodies.ts';
import { type Caller, callers, world } from './caller.ts';
import { firstRun } from './first-run.ts';
import { type AnyFlow, definitionOf, flowOf } from './flows.ts';
import { Life } from './life.ts';
import { Points } from './points.ts';
import { realProgress, realTurn } from './real-time.ts';
import { type Chooser, Recorder, type Schedule } from './schedule.ts';
import { doubleOf, type Service, type ServiceOptions } from './services.ts';
import type { FailureKind, Stage, Told } from './stage.ts';
import { type FakeTimers, VirtualTime } from './virtual-time.ts';

/** What a world is made with. */
export interface Sim {
  /**
   * The double of a service, for bodies. Each call of an asynchronous method of it is two points at which the simulation
   * chooses: when its effect happens, and when its answer comes. Methods that return at once are called as they are.
   */
  service<T extends object>(object: T, options?: ServiceOptions<T>): T;
  /** A number from 0, below 1, from the seed of the simulation. */
  random(): number;
  /** Virtual time of day, in epoch milliseconds. */
  now(): number;
}

/** A run of a simulation. */
export interface PlayedRun {
  readonly id: string;
  readonly flow: AnyFlow;
  readonly input: unknown;
  /** Virtual milliseconds after the start. */
  readonly at: number;
}

/** What is played, whatever the schedule. */
export interface Setup {
  readonly makeWorld: (sim: Sim) => object;
  readonly bodies: ((world: never) => object) | undefined;
  readonly runs: readonly PlayedRun[];
  readonly engine: Pick<EngineOptions, 'concurrency' | 'pools'>;
  readonly invariant: ((world: never, view: RunView) => unknown) | undefined;
  readonly atEnd: ((world: never, view: RunView, views: readonly RunView[]) => unknown) | undefined;
  readonly maxSteps: number;
  readonly seed: number;
  readonly fakes: FakeTimers | undefined;
  /** Methods known to be asynchronous; grows. */
  readonly learned: Set<string>;
}

/** How a schedule broke. */
export interface Broken {
  readonly kind: FailureKind;
  readonly message: string;
  readonly cause?: unknown;
}

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

/** Virtual time at which each schedule starts. */
export const startAt = Date.UTC(2030, 0, 1);

/** The longest time, in virtual milliseconds, by which the clock overtakes what could happen first. */
const mostHasteMs = 1_000;

/** Virtual milliseconds after the end of all runs at which a body that was told to end must have ended. */
const mostLateMs = 60_000;

/** Instants that timers of bodies get after all runs have settled. */
const mostLateInstants = 100;

interface Held {
  readonly run: PlayedRun;
  handle: Run | undefined;
  /** How it ended; `undefined` until it settles. */
  view: RunView | undefined;
  isPaused: boolean;
  /** Whether somebody has started it. */
  isStarted: boolean;
}

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
  readonly #memory = createMemoryStore();
  readonly #points = new Points();
  readonly #names = new Map<string, number>();
  readonly #told: Told[] = [];
  readonly #open = new Set<OpenBody>();
  readonly #services = new Map<object, Service>();
  readonly #world: object;
  /** For the world and its bodies. */
  readonly #random: () => number;
  /** For the engine. */
  readonly #chance: () => number;
  readonly #held: readonly Held[];
  readonly #patience = new Map<number, number>();
  #idle: (() => void)[] = [];
  #holds = 0;
  #step = 0;
  #last = 'start';
  #life: Life;
  #flows: readonly AnyFlow[] = [];
  #broken: Broken | undefined;
  #hasLearned = false;
  #lateInstants = 0;
  /** The instant at which the last run settled. */
  #endedAt = 0;
  /** Something is under way that only microtasks and the event loop bring to an end, such as a recovery. */
  #busy = 0;
  isLooking = false;

  constructor(setup: Setup, chooser: Chooser, isTold: boolean) {
    this.#setup = setup;
    this.#recorder = new Recorder(chooser);
    this.#isTold = isTold;
    this.#time = new VirtualTime(startAt, setup.fakes);
    const seed = this.#recorder.seed ?? setup.seed;
    this.#random = createChance(seed);
    this.#chance = createChance(seed + 1);
    this.#held = setup.runs.map((run) => ({
      run,
      handle: undefined,
      view: undefined,
      isPaused: false,
      isStarted: false,
    }));
    this.#world = this.#makeWorld();
    this.#life = this.#newLife();
  }

  get learned(): ReadonlySet<string> {
    return this.#setup.learned;
  }

  get somebody(): Caller {
    return {
      name: 'somebody',
      idempotencyKey: '',
      life: this.#life,
      calls: new Set(),
      hung: new Set(),
      hasFault: false,
    };
  }

  async toEnd(): Promise<void> {
    underWay = this;
    const { random } = Math;
    Math.random = this.#random;
    try {
      this.#begin();
      while (this.#broken === undefined && !this.#hasLearned && (await this.#goOn()));
      if (this.#broken === undefined && !this.#hasLearned) this.#judgeEnd();
    } finally {
      this.#life.kill();
      Math.random = random;
      underWay = undefined;
    }
  }

  played(): Played {
    return {
      schedule: this.#recorder.schedule,
      broken: this.#broken,
      steps: this.#step,
      told: this.#told,
      views: this.#views(),
      store: this.#memory,
      world: this.#world,
      hasLearned: this.#hasLearned,
    };
  }

  // The stage.

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

  add(key: string, owner: unknown, take: () => void): void {
    if (owner !== undefined && (owner as Life).isGone) return;
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

  // The process.

  #begin(): void {
    for (const held of this.#held) {
      if (held.run.at === 0) this.#startLater(held);
      else this.#time.after(held.run.at, () => this.#startLater(held));
    }
  }

  #newLife(): Life {
    const { engine } = this.#setup;
    const life: Life = new Life(
      { ...engine, logger: silent, random: this.#chance },
      {
        time: this.#time,
        memory: this.#memory,
        lateStore: this.#recorder.lateStore,
        whenIdle: (callback) => void this.#idle.push(callback),
        hold: (until) => this.#hold(until),
        nameOf: (name) => this.nameOf(name),
        storeFault: (key, entries) => this.#recorder.storeFault(key, entries),
        appendLater: (key, owner, land) => this.add(`keep ${key}`, owner, land),
        lost: (key, kept) => this.#lost(key, kept),
      },
    );
    const place = { stage: this, life: () => life, open: this.#open };
    const made = callers.run(world, () => this.#setup.bodies?.(this.#world as never));
    // Each process has bodies of its own: those of one that is gone reach nothing.
    const known = new Map<unknown, AnyFlow>();
    this.#flows = this.#held.map(({ run }, nth) => {
      const same = known.get(run.flow);
      if (same !== undefined) return same;
      const bodies = nth === 0 && made !== undefined ? made : undefined;
      const flow = flowOf(staged(definitionOf(run.flow, bodies), place)) as unknown as AnyFlow;
      known.set(run.flow, flow);
      return flow;
    });
    return life;
  }

  #startLater(held: Held): void {
    this.add(this.nameOf(`start ${held.run.id}`), undefined, () => this.#start(held));
  }

  #start(held: Held): void {
    const { id, input } = held.run;
    held.isStarted = true;
    this.tell(() => ({ from: 'world', to: 'run', text: `starts ${id}`, kind: 'run' }));
    const flow = this.#flows[this.#held.indexOf(held)] as AnyFlow;
    const life = this.#life;
    this.#await(
      life.engine.start(flow, input as never, { id }).then(
        (run) => this.#attach(held, run as Run, life),
        (error) => {
          if (life.isGone) return;
          if (isA(error, EngineStoppedError)) return void life.gone.then(() => this.#startLater(held));
          if (!isA(error, StoreError)) throw error;
          this.tell(() => ({ from: 'run', to: 'world', text: 'is refused by its store', kind: 'fault' }));
          this.#startLater(held);
        },
      ),
    );
  }

  #attach(held: Held, run: Run, life: Life): void {
    held.handle = run;
    held.view = undefined;
    held.isPaused = false;
    if (run.view().status === 'paused') this.#resumeLater(held);
    run.settled().then(
      (view) => {
        if (life.isGone || held.handle !== run) return;
        held.view = view;
        this.#endedAt = this.#time.now;
        this.tell(() => ({
          from: 'run',
          to: 'world',
          text: `${nameRun(held)} is ${view.status}${view.cause === undefined ? '' : ` (${view.cause})`}`,
          kind: 'run',
        }));
      },
      () => {
        // The store has failed it: its process begins anew.
        if (!life.isGone && life === this.#life && held.view === undefined && !this.#isStopping)
          this.#crash('after its store has failed');
      },
    );
  }

  #isStopping = false;

  /** A process that is gone in the middle of an append. */
  #lost(key: string, kept: number): void {
    this.tell(() => ({
      from: 'world',
      to: 'run',
      text: `the process is gone; of what it was about to keep (${key}), ${kept === 0 ? 'nothing is' : `the first ${kept === 1 ? 'entry is' : `${kept} entries are`}`} kept`,
      kind: 'command',
      isFault: true,
    }));
    this.#afterLoss();
  }

  #crash(when = ''): void {
    this.#life.kill();
    this.tell(() => ({
      from: 'world',
      to: 'run',
      text: `the process is gone${when === '' ? '' : ` ${when}`}`,
      kind: 'command',
      isFault: true,
    }));
    this.#afterLoss();
  }

  #afterLoss(): void {
    this.#points.drop(this.#life);
    this.#open.clear();
    const key = this.nameOf('recover');
    this.add(key, undefined, () => this.#recover());
  }

  #recover(): void {
    this.#isStopping = false;
    const life = this.#newLife();
    this.#life = life;
    this.tell(() => ({
      from: 'world',
      to: 'run',
      text: 'a new process recovers what the store has',
      kind: 'command',
    }));
    const unsettled = this.#held.filter(({ isStarted, view }) => isStarted && view === undefined);
    this.#await(
      life.engine.recover([...new Set(this.#flows)]).then((runs) => {
        if (life.isGone) return;
        for (const held of this.#held) {
          const run = runs.find(({ id }) => id === held.run.id);
          if (run !== undefined) this.#attach(held, run, life);
        }
        return Promise.all(
          unsettled
            .filter((held) => !runs.some(({ id }) => id === held.run.id))
            .map((held) => this.#again(held, life)),
        );
      }),
    );
  }

  /** Finds a run that had settled, or has it started again if nothing of it was kept. */
  async #again(held: Held, life: Life): Promise<void> {
    if (this.#memory.lastSeq(held.run.id) === 0) {
      held.handle = undefined;
      held.isStarted = false;
      return this.#startLater(held);
    }
    const run = await life.engine.run(held.run.id);
    if (run === undefined || life.isGone) return;
    this.#attach(held, run, life);
  }

  #await(work: Promise<unknown>): void {
    const life = this.#life;
    this.#busy++;
    const done = (): void => {
      this.#busy--;
    };
    Promise.race([work, life.gone]).then(done, (error) => {
      done();
      this.fail('unhandled', `the engine refuses: ${shownError(error)}`, error);
    });
  }

  #hold(until: Promise<unknown>): void {
    this.#holds++;
    const release = (): void => {
      this.#holds--;
    };
    until.then(release, release);
  }

  // Steps.

  /** Lets one thing happen, and all that follows by itself. Returns whether there may be more. */
  async #goOn(): Promise<boolean> {
    await this.#rest();
    if (this.#broken !== undefined) return false;
    if (!this.#looksGood()) return false;
    if (this.#step >= this.#setup.maxSteps) {
      this.fail('never settles', `${this.#unsettledNames()} not settled after ${this.#step} steps`);
      return false;
    }
    const command = this.#recorder.command(this.#last, this.#possible());
    if (command !== undefined) {
      this.#step++;
      this.#last = this.nameOf(`${this.#last} ${command}`);
      this.#carryOut(command);
      return true;
    }
    return this.#take();
  }

  async #take(): Promise<boolean> {
    const at = this.#holds > 0 ? undefined : this.#time.next;
    if (this.#points.size > 0 && !this.#isTimeFirst(at)) {
      const point = this.#points.takeFirst();
      this.#step++;
      this.#last = point?.key ?? '';
      point?.take();
      return true;
    }
    if (at === undefined) return this.#stuck();
    if (this.#hasEnded && this.#time.isOnlyBodies && ++this.#lateInstants > mostLateInstants) {
      this.fail('left over', `a timer of a body goes on after ${this.#runNames()} settled`);
      return false;
    }
    if (this.#hasEnded && this.#goesOn(at)) return false;
    this.#step++;
    this.#last = this.nameOf(`clock ${at}`);
    if (at > this.#time.now)
      this.tell(() => ({ from: 'clock', to: 'clock', text: `${shownMs(at)} have passed`, kind: 'time' }));
    this.#time.moveTo(at);
    return true;
  }

  /** Whether a body goes on long after the end of its run, though none of its calls had a fault. */
  #goesOn(at: number): boolean {
    if (at - this.#endedAt <= mostLateMs) return false;
    const body = [...this.#open].find(({ hasFault, calls }) => !hasFault && calls.size === 0);
    if (body === undefined) return false;
    this.fail(
      'left over',
      `the body of \`${body.name}\` was told to end, and goes on ${shownMs(at - this.#endedAt)} after ${this.#runNames()} settled`,
    );
    return true;
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

  /** Nothing can happen by itself. Returns whether it has not ended all the same. */
  async #stuck(): Promise<boolean> {
    if (this.#hasEnded && this.#busy === 0 && this.#open.size === 0) return false;
    const idle = [...this.#open].filter(({ calls }) => calls.size === 0);
    if (this.#busy > 0 || idle.length > 0 || !this.#hasEnded) {
      const isReal = await realProgress(
        () => this.#idle.length > 0 || this.#points.size > 0 || this.#time.next !== undefined,
      );
      // The engine may load code of its own when it first needs it.
      if (isReal && this.#busy === 0 && idle.length > 0) this.#nameReal(idle);
      if (isReal) return this.#broken === undefined;
    }
    this.#nameStuck();
    return false;
  }

  #nameReal(bodies: readonly OpenBody[]): void {
    const names = bodies.map(({ name }) => `\`${name}\``);
    this.fail(
      'waits for something real',
      `the body of ${names.join(' or ')} waits for something real, such as a file or a socket: make it a service of the world, ` +
        '`sim.service(…)`, or give the task another body by `bodies`',
    );
  }

  #nameStuck(): void {
    const left = [...this.#open];
    const idle = left.filter(({ calls }) => calls.size === 0).map(({ name }) => `\`${name}\``);
    const hung = left.filter(({ hung: calls }) => calls.size > 0);
    if (!this.#hasEnded) {
      const why = [
        ...hung.map(
          ({ name, hung: calls }) =>
            `\`${name}\` waits for ${[...calls].map(callOf).join(', ')}, which never comes, without a time limit`,
        ),
        ...idle.map((name) => `${name} waits for something that nobody gives`),
      ];
      this.fail(
        'never settles',
        `${this.#unsettledNames()} never settled${why.length === 0 ? '' : `: ${why.join('; ')}`}`,
      );
    } else if (idle.length > 0)
      this.fail(
        'left over',
        `the body of ${idle.join(' and ')} never ended: it waits for something that nobody gives`,
      );
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

  // Commands.

  #possible(): readonly string[] {
    if (this.#life.isGone || this.#busy > 0) return [];
    const possible: string[] = [];
    let isUnderWay = false;
    for (const held of this.#held) {
      if (held.handle === undefined) continue;
      const behind = held.run.id === firstRun ? '' : ` ${held.run.id}`;
      if (held.view === undefined) {
        isUnderWay = true;
        possible.push(`cancel${behind}`);
        if (!held.isPaused) possible.push(`pause${behind}`);
      } else if (held.view.status !== 'done' && this.#points.size === 0) possible.push(`rerun${behind}`);
    }
    if (isUnderWay && !this.#isStopping) possible.push('crash', 'stop');
    return possible;
  }

  #carryOut(text: string): void {
    const [command = '', id = firstRun] = text.split(' ');
    if (command === 'crash') return this.#crash();
    if (command === 'stop') return this.#stop();
    const held = this.#held.find(({ run }) => run.id === id);
    const run = held?.handle;
    if (held === undefined || run === undefined) return;
    this.tell(() => ({
      from: 'world',
      to: 'run',
      text: `${said[command]} ${nameRun(held)}`,
      kind: 'command',
    }));
    if (command === 'cancel') void run.cancel('told to');
    else if (command === 'pause') this.#pause(held, run);
    else if (command === 'rerun') {
      run.rerun();
      this.#attach(held, run, this.#life);
    }
  }

  #pause(held: Held, run: Run): void {
    void run.pause();
    this.#resumeLater(held);
  }

  /** Has somebody resume a run, unless its process is gone by then. */
  #resumeLater(held: Held): void {
    held.isPaused = true;
    this.add(this.nameOf(`resume ${held.run.id}`), this.#life, () => {
      held.isPaused = false;
      if (held.view !== undefined) return;
      this.tell(() => ({ from: 'world', to: 'run', text: `resumes ${nameRun(held)}`, kind: 'command' }));
      void held.handle?.resume();
    });
  }

  #stop(): void {
    this.tell(() => ({ from: 'world', to: 'run', text: 'the engine is stopped', kind: 'command' }));
    this.#isStopping = true;
    const life = this.#life;
    this.#await(
      life.engine.stop().then(() => {
        if (life.isGone) return;
        life.kill();
        this.#afterLoss();
      }),
    );
  }

  // Judgements.

  get #hasEnded(): boolean {
    return this.#held.every(({ view }) => view !== undefined);
  }

  #looksGood(): boolean {
    const { invariant } = this.#setup;
    const handle = this.#held[0]?.handle;
    if (invariant === undefined || handle === undefined || this.#life.isGone) return true;
    return this.#judge('invariant', () =>
      invariant(this.#world as never, invariant.length > 1 ? handle.view() : (undefined as never)),
    );
  }

  #judgeEnd(): void {
    const { atEnd } = this.#setup;
    if (atEnd === undefined) return;
    const views = this.#views();
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

  #views(): readonly RunView[] {
    return this.#held.flatMap(({ view, handle }) => {
      const shown = view ?? handle?.view();
      return shown === undefined ? [] : [shown];
    });
  }

  #unsettledNames(): string {
    const names = this.#held.filter(({ view }) => view === undefined).map(nameRun);
    return `${names.join(', ')} ${names.length === 1 ? 'has' : 'have'}`;
  }

  #runNames(): string {
    return this.#held.map(nameRun).join(', ');
  }

  // The world.

  #makeWorld(): object {
    const sim: Sim = {
      service: (object, options = {}) => {
        const service: Service = { name: `service ${this.#services.size + 1}`, object };
        const double = doubleOf(
          this,
          service,
          object,
          options as Readonly<Record<PropertyKey, object | undefined>>,
        );
        this.#services.set(double, service);
        return double;
      },
      random: this.#random,
      now: () => this.#time.wall,
    };
    const made = this.#setup.makeWorld(sim);
    for (const [name, value] of Object.entries(made)) {
      const service = this.#services.get(value as object);
      if (service !== undefined) service.name = name;
    }
    return made;
  }
}

const silent = { error: () => {}, warn: () => {}, info: () => {} };

const said: Readonly<Record<string, string>> = {
  cancel: 'cancels',
  pause: 'pauses',
  rerun: 'has the failed tasks run again, of',
};

function nameRun({ run }: Held): string {
  return run.id === firstRun ? 'the run' : run.id;
}

function callOf(key: string): string {
  return `the answer of \`${key.slice(key.indexOf(' ') + 1)}\``;
}

function shownError(error: unknown): string {
  const { name, message } = viewError(error);
  return name === 'Error' ? message : `${name}: ${message}`;
}

function shownMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms) / 1000} s`;
}
