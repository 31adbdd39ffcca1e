import {
  createMemoryStore,
  EngineStoppedError,
  type MemoryStore,
  type Run,
  type RunView,
  StoreError,
} from '../index.ts';
import { isA } from '../model/check.ts';
import { type OpenBody, staged } from './bodies.ts';
import { callers, world as worldCaller } from './caller.ts';
import { firstRun } from './first-run.ts';
import { type AnyFlow, definitionOf, flowOf } from './flows.ts';
import { Life, type Surroundings } from './life.ts';
import type { PlayedRun, Setup } from './setup.ts';
import type { Stage } from './stage.ts';
import { shownError } from './words.ts';

/** What the processes of a schedule need beside its stage. */
export interface Around extends Omit<Surroundings, 'memory' | 'lost'> {
  readonly stage: Stage;
  readonly setup: Setup;
  readonly world: object;
  /** For the engine's jitter. */
  readonly chance: () => number;
  /** Drops what can happen next of an owner that is gone. */
  drop(owner: unknown): void;
  /** Whether there is nothing else to do. */
  readonly isQuiet: boolean;
}

interface Held {
  readonly run: PlayedRun;
  handle: Run | undefined;
  /** How it ended; `undefined` until it settles. */
  view: RunView | undefined;
  isPaused: boolean;
  /** Whether somebody has started it. */
  isStarted: boolean;
  isAboutToStart: boolean;
}

/** The runs of a schedule, and the processes that they are in: one at a time, another after each that is lost. */
export class Processes {
  readonly memory: MemoryStore = createMemoryStore();
  /** Bodies under way. */
  readonly open = new Set<OpenBody>();
  readonly #around: Around;
  readonly #held: readonly Held[];
  #life: Life;
  #flows: readonly AnyFlow[] = [];
  #isStopping = false;
  /** Work of the engine that only microtasks and the event loop bring to an end, such as a recovery. */
  #busy = 0;
  #endedAt = 0;

  constructor(around: Around) {
    this.#around = around;
    this.#held = around.setup.runs.map((run) => ({
      run,
      handle: undefined,
      view: undefined,
      isPaused: false,
      isStarted: false,
      isAboutToStart: false,
    }));
    this.#life = this.#newLife();
  }

  /** Has each run started at its time. */
  begin(): void {
    for (const held of this.#held) {
      if (held.run.at === 0) this.#startLater(held);
      else this.#around.time.after(held.run.at, () => this.#startLater(held));
    }
  }

  get life(): Life {
    return this.#life;
  }

  get isBusy(): boolean {
    return this.#busy > 0;
  }

  /** Whether all runs have settled. */
  get hasEnded(): boolean {
    return this.#held.every(({ view }) => view !== undefined);
  }

  /** The virtual instant at which the last run settled. */
  get endedAt(): number {
    return this.#endedAt;
  }

  /** The first run; `undefined` until it is started, and while there is no process. */
  get first(): Run | undefined {
    return this.#life.isGone ? undefined : this.#held[0]?.handle;
  }

  get views(): readonly RunView[] {
    return this.#held.flatMap(({ view, handle }) => {
      const shown = view ?? handle?.view();
      return shown === undefined ? [] : [shown];
    });
  }

  /** Tasks that wait for a value from outside, of runs that have not settled. */
  get waiting(): readonly string[] {
    const unsettled = this.#held.filter(({ view }) => view === undefined);
    return unsettled.flatMap(({ handle }) =>
      Object.entries(handle?.view().tasks ?? {}).flatMap(([id, { status }]) =>
        status === 'waiting' ? [id] : [],
      ),
    );
  }

  /** Names runs: all, or those that have not settled. */
  names(which: 'all' | 'unsettled'): string {
    return this.#held
      .filter(({ view }) => which === 'all' || view === undefined)
      .map(nameRun)
      .join(', ');
  }

  /** Commands that are possible now. */
  possible(): readonly string[] {
    if (this.#life.isGone || this.isBusy) return [];
    const possible: string[] = [];
    let isUnderWay = false;
    for (const { run, handle, view, isPaused } of this.#held) {
      if (handle === undefined) continue;
      const behind = run.id === firstRun ? '' : ` ${run.id}`;
      if (view === undefined) {
        isUnderWay = true;
        possible.push(`cancel${behind}`);
        if (!isPaused) possible.push(`pause${behind}`);
      } else if (view.status !== 'done' && this.#around.isQuiet) possible.push(`rerun${behind}`);
    }
    if (isUnderWay && !this.#isStopping) possible.push('crash', 'stop');
    return possible;
  }

  carryOut(text: string): void {
    const [command = '', id = firstRun] = text.split(' ');
    if (command === 'crash') return this.#crash();
    if (command === 'stop') return this.#stop();
    const held = this.#held.find(({ run }) => run.id === id);
    const run = held?.handle;
    if (held === undefined || run === undefined) return;
    this.#say(`${said[command]} ${nameRun(held)}`);
    if (command === 'cancel') void run.cancel('told to');
    if (command === 'pause') {
      void run.pause();
      this.#resumeLater(held);
    }
    if (command === 'rerun') {
      run.rerun();
      this.#attach(held, run, this.#life);
    }
  }

  // Processes.

  #newLife(): Life {
    const { stage, setup, world, chance } = this.#around;
    const life: Life = new Life(
      { ...setup.engine, logger: silent, random: chance },
      {
        ...this.#around,
        memory: this.memory,
        lost: (key: string, kept: number) => this.#lost(key, kept),
      },
    );
    const place = { stage, life: () => life, open: this.open };
    const made = callers.run(worldCaller, () => setup.bodies?.(world as never));
    // Each process has bodies of its own: those of one that is gone reach nothing.
    const known = new Map<unknown, AnyFlow>();
    this.#flows = this.#held.map(({ run }, nth) => {
      const same = known.get(run.flow);
      if (same !== undefined) return same;
      const definition = definitionOf(run.flow, nth === 0 ? made : undefined);
      const flow = flowOf(staged(definition, place)) as unknown as AnyFlow;
      known.set(run.flow, flow);
      return flow;
    });
    return life;
  }

  #crash(when = ''): void {
    this.#life.kill();
    this.#say(`the process is gone${when}`, true);
    this.#afterLoss();
  }

  /** A process that is gone in the middle of an append. */
  #lost(key: string, kept: number): void {
    const entries = kept === 1 ? 'the first entry is' : `the first ${kept} entries are`;
    this.#say(
      `the process is gone; of what it was about to keep (${key}), ${kept === 0 ? 'nothing is' : entries} kept`,
      true,
    );
    this.#afterLoss();
  }

  #stop(): void {
    this.#say('the engine is stopped');
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

  #afterLoss(): void {
    const { stage, drop } = this.#around;
    drop.call(this.#around, this.#life);
    this.open.clear();
    stage.add(stage.nameOf('recover'), undefined, () => this.#recover());
  }

  #recover(): void {
    this.#isStopping = false;
    const life = this.#newLife();
    this.#life = life;
    this.#say('a new process recovers what the store has');
    const unsettled = this.#held.filter(({ isStarted, view }) => isStarted && view === undefined);
    this.#await(
      life.engine.recover([...new Set(this.#flows)]).then(async (runs) => {
        if (life.isGone) return;
        for (const held of this.#held) {
          const run = runs.find(({ id }) => id === held.run.id);
          if (run !== undefined) this.#attach(held, run, life);
        }
        const others = unsettled.filter(({ run }) => !runs.some(({ id }) => id === run.id));
        await Promise.all(others.map((held) => this.#again(held, life)));
      }),
    );
  }

  /** Finds a run that had settled, or has it started again if nothing of it was kept. */
  async #again(held: Held, life: Life): Promise<void> {
    if (this.memory.lastSeq(held.run.id) === 0) {
      held.handle = undefined;
      return this.#startLater(held);
    }
    const run = await life.engine.run(held.run.id);
    if (run !== undefined && !life.isGone) this.#attach(held, run, life);
  }

  #await(work: Promise<unknown>): void {
    const life = this.#life;
    this.#busy++;
    const done = (): void => {
      this.#busy--;
    };
    Promise.race([work, life.gone]).then(done, (error) => {
      done();
      this.#around.stage.fail('unhandled', `the engine refuses: ${shownError(error)}`, error);
    });
  }

  // Runs.

  /** Has somebody start a run, unless somebody is about to. */
  #startLater(held: Held): void {
    const { stage } = this.#around;
    if (held.isAboutToStart) return;
    held.isAboutToStart = true;
    held.isStarted = false;
    stage.add(stage.nameOf(`start ${held.run.id}`), undefined, () => this.#start(held));
  }

  #start(held: Held): void {
    const { id, input } = held.run;
    const { stage } = this.#around;
    const life = this.#life;
    held.isAboutToStart = false;
    // Nobody can start a run while there is no process.
    if (life.isGone) return this.#startLater(held);
    held.isStarted = true;
    stage.tell(() => ({ from: 'world', to: 'run', text: `${nameRun(held)} is started`, kind: 'run' }));
    const flow = this.#flows[this.#held.indexOf(held)] as AnyFlow;
    this.#await(
      life.engine.start(flow, input as never, { id }).then(
        (run) => this.#attach(held, run as Run, life),
        (error) => {
          if (life.isGone) return;
          if (isA(error, EngineStoppedError)) return void life.gone.then(() => this.#startLater(held));
          if (!isA(error, StoreError)) throw error;
          stage.tell(() => ({ from: 'run', to: 'world', text: 'the store refuses the run', kind: 'run' }));
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
        if (!life.isGone && held.handle === run) this.#settled(held, view);
      },
      () => {
        const isLost = life === this.#life && !life.isGone && held.view === undefined && !this.#isStopping;
        if (isLost) this.#crash(', since its store has failed');
      },
    );
  }

  #settled(held: Held, view: RunView): void {
    held.view = view;
    this.#endedAt = this.#around.time.now;
    const cause = view.cause === undefined ? '' : ` (${view.cause})`;
    const text = `${nameRun(held)} is ${view.status}${cause}`;
    this.#around.stage.tell(() => ({ from: 'run', to: 'world', text, kind: 'run' }));
  }

  /** Has somebody resume a run, unless its process is gone by then. */
  #resumeLater(held: Held): void {
    const { stage } = this.#around;
    held.isPaused = true;
    stage.add(stage.nameOf(`resume ${held.run.id}`), this.#life, () => {
      held.isPaused = false;
      if (held.view !== undefined) return;
      this.#say(`resumes ${nameRun(held)}`);
      void held.handle?.resume();
    });
  }

  #say(text: string, isFault = false): void {
    this.#around.stage.tell(() => ({ from: 'world', to: 'run', text, kind: 'command', isFault }));
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
