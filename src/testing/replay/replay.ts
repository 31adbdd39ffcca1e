import {
  type AnyFlow,
  createMemoryStore,
  type EngineOptions,
  type Entry,
  type MemoryStore,
  type Run,
  type RunView,
} from '../../index.ts';
import {
  CancelledError,
  EngineStoppedError,
  FatalError,
  SkipTask,
  TimeoutError,
  viewError,
} from '../../model/error.ts';
import type { RunSettings } from '../../model/journal.ts';
import type { PerformScope } from '../../model/perform.ts';
import { createVirtualClock, type VirtualClock } from '../clock.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Taken } from '../model/situation.ts';
import type { SlotLimits } from '../model/slots.ts';
import type { Step } from '../model/steps.ts';
import { Bodies, realBodies } from './bodies.ts';
import { Comparison, pathChance } from './comparison.ts';
import { Difference } from './difference.ts';
import { saidOfSkip } from './expected-entry.ts';
import { PathError } from './path-error.ts';
import { PathProcess } from './path-process.ts';
import { PathSays, saidOfCancel } from './path-says.ts';
import { probeEngine } from './probe.ts';
import { type PathBodies, timedDefinition } from './timed-flow.ts';
import { neverMs, stepMs, Timetable } from './timetable.ts';

/** Options for replaying a path on the real engine. */
export interface TestOptions {
  /** Bodies by task: called when the path says the task is done. By default a body returns a text that names it. */
  readonly performs?: Readonly<Record<string, unknown>> | undefined;
  /** The run's input. Without it the flow's schema is not called. */
  readonly input?: unknown;
}

/** The result of a run that took a path. */
export interface PathRun {
  readonly view: RunView;
  readonly entries: readonly Entry[];
}

/** The id of every run of a path. */
const runId = 'path';

/** The input if none is given. */
const madeUpInput = { of: 'path' };

/**
 * Replays a path with the real engine on the virtual clock, and compares it with the model after each step: the
 * journal, the view, the bodies called or told to end, and their arguments.
 *
 * @throws PathError if they differ
 */
export async function replayPath(
  world: FlowWorld,
  path: readonly Step[],
  limits: SlotLimits,
  options: TestOptions = {},
): Promise<PathRun> {
  const run = await goPath(world, path, limits, options, false);
  // With an inspector the engine works differently, and each choice is made the other way: limits of the run instead of
  // its flow and engine, a cancel by a signal, a failure for good by `retryIf`, and bodies read their scope as late as
  // they can. The user's bodies are not called again for that.
  if (options.performs === undefined) await goPath(world, path, limits, options, true);
  return run;
}

async function goPath(
  world: FlowWorld,
  path: readonly Step[],
  limits: SlotLimits,
  options: TestOptions,
  isWatched: boolean,
): Promise<PathRun> {
  const replay = new Replay(world, path, limits, options, isWatched);
  let step = 0;
  try {
    await replay.begin();
    for (step = 1; step <= path.length; step++) await replay.take(step);
    step = path.length;
    await replay.finish();
    return replay.result();
  } catch (error) {
    const { name, message } = viewError(error);
    const difference = error instanceof Difference ? message : `${name}: ${message}`;
    const where = isWatched ? `with an inspector, ${difference}` : difference;
    throw new PathError(world, path.slice(0, step), where, { cause: error });
  } finally {
    await replay.close();
  }
}

class Replay {
  readonly #timetable: Timetable;
  readonly #clock: VirtualClock = createVirtualClock();
  readonly #store: MemoryStore = createMemoryStore();
  /** The limits of its engines. */
  readonly #limits: SlotLimits;
  readonly #world: FlowWorld;
  readonly #bodies: Bodies;
  readonly #says: PathSays;
  readonly #comparison: Comparison;
  /** Whether an inspector is attached: then tasks have actors from the start. */
  readonly #isWatched: boolean;
  readonly #cancel = new AbortController();
  /** Whether the run is still the one started with the signal. */
  #heedsSignal: boolean;
  /** Errors that must not be retried. */
  readonly #hopeless = new WeakSet<Error>();
  /** Whether its stores take their time: where a crash may come while entries are on their way. */
  readonly #isLate: boolean;
  readonly #makeFlow: (process: () => PathProcess) => AnyFlow;
  #flow: AnyFlow;
  #process: PathProcess;
  #run: Run | undefined;

  constructor(
    world: FlowWorld,
    path: readonly Step[],
    limits: SlotLimits,
    options: TestOptions,
    isWatched: boolean,
  ) {
    this.#world = world;
    this.#isWatched = this.#heedsSignal = isWatched;
    // Where slots are limited, what is being kept lets others go first: an order that the model does not have.
    this.#isLate =
      !isWatched &&
      !world.slots.isLimited &&
      path.some((step) => step.kind === 'crash' || step.kept !== undefined);
    this.#timetable = new Timetable(world, path, isWatched ? 1 : 0);
    const { definition } = world;
    const performs = realBodies(definition, options.performs);
    const said = isWatched ? settingsOf(world, path, this.#timetable) : {};
    this.#limits = said.concurrency === undefined ? limits : { ...limits, concurrency: undefined };
    const real = { hasInput: 'input' in options, isReal: (task: number) => performs.has(task) };
    const now = (): number => Math.floor(this.#clock.now() / stepMs);
    // What a process asks that is gone is of no account.
    this.#makeFlow = (process) => {
      const bodies: PathBodies = {
        ...real,
        perform: (task) => (scope) => (process().isGone ? new Promise(() => {}) : this.#called(task, scope)),
        retryIf: (task, error, question) => {
          if (process().isGone) return false;
          this.#comparison.asked(task, error, question);
          return !this.#hopeless.has(error as Error);
        },
        backoff: (task, failure) => {
          if (process().isGone) return 0;
          this.#comparison.asked(task, failure.error, failure);
          return this.#timetable.waitMs(task, now());
        },
      };
      const timed = timedDefinition(definition, this.#timetable, now, bodies, said);
      // An engine knows a flow only by its brand and its definition.
      return { name: definition.name, definition: timed, [Symbol.for('topple.flow')]: true } as AnyFlow;
    };
    const input = options.performs === undefined && !real.hasInput ? madeUpInput : options.input;
    this.#says = new PathSays(runId, definition, this.#timetable, real, input, said);
    this.#bodies = new Bodies(definition.graph.ids, this.#timetable, this.#says, performs);
    const { open } = this.#bodies;
    this.#comparison = new Comparison(world, this.#timetable, this.#store, this.#says, open, isWatched);
    [this.#process, this.#flow] = this.#begin();
  }

  async begin(): Promise<void> {
    const said = { id: runId, ...this.#says.settings };
    const options = this.#isWatched ? { ...said, signal: this.#cancel.signal } : said;
    this.#run = await this.#clock.run(this.#process.engine.start(this.#flow, this.#says.given, options));
    this.#hear();
    await this.#clock.advance(0);
    this.#comparison.compare(this.#run);
  }

  /** Carries out a step at its instant, and lets all of it happen. */
  async take(number: number): Promise<void> {
    const { step, taken } = this.#timetable.steps[number - 1] as {
      readonly step: Step;
      readonly taken: Taken;
    };
    this.#comparison.begin(step, taken, number);
    if (taken.cut !== undefined) this.#process.endAfter(runId, taken.cut.kept);
    await this.#clock.advance(number * stepMs - this.#clock.now());
    this.#bodies.reportLate();
    const brought = this.#bring(step, number);
    if (taken.cut === undefined) await brought;
    else {
      // A command may wait for ever for a process that is gone.
      await Promise.race([brought, this.#process.gone]);
      await this.#crash();
    }
    await this.#clock.advance(0);
    this.#comparison.compare(this.#run as Run);
  }

  /** Checks after the last step that nothing is left behind. */
  async finish(): Promise<void> {
    const last = this.#timetable.steps.at(-1)?.taken ?? this.#timetable.start;
    if (last.next.run.status !== 'done') return;
    const run = this.#run as Run;
    const view = await this.#clock.run(run.settled());
    if (view.status !== last.next.run.value)
      throw new Difference(
        `the run settles as ${view.status}, where the model has it ${last.next.run.value}`,
      );
    if (this.#clock.pending > 0)
      throw new Difference(`${this.#clock.pending} timers are set after the run has settled`);
    await this.#comparison.compareEnd(run);
    const [like] = this.#world.definition.tasks;
    if (like === undefined) return;
    const knowsKey = (key: string): boolean => this.#comparison.knowsKey(key);
    await probeEngine(this.#process.engine, this.#clock, this.#limits, { like, knowsKey });
  }

  result(): PathRun {
    return { view: (this.#run as Run).view(), entries: this.#store.read(runId) };
  }

  async close(): Promise<void> {
    this.#bodies.close();
    await this.#process.engine.stop().catch(() => {});
  }

  async #bring({ kind, task }: Step, number: number): Promise<void> {
    const run = this.#run as Run;
    switch (kind) {
      case 'done':
        return this.#bodies.finish(task);
      case 'fails':
        return this.#bodies.fail(task, new Error(`told to fail in step ${number}`));
      case 'fatal':
        return this.#bodies.fail(task, this.#fatalError());
      case 'skips':
        return this.#bodies.fail(task, new SkipTask(saidOfSkip));
      case 'progresses':
        return this.#bodies.progress(task);
      case 'ends':
        return this.#bodies.heed(task, number);
      case 'cancel':
        return this.#heedsSignal ? this.#cancel.abort(saidOfCancel) : run.cancel(saidOfCancel);
      case 'pause':
        return run.pause();
      case 'resume':
        return run.resume();
      case 'stop':
        return this.#stop();
      case 'crash':
        return this.#crash();
      case 'rerun':
        this.#heedsSignal = false;
        return run.rerun();
      case 'times out':
      case 'expires':
      case 'due':
      case 'out of time':
        // The clock has done it.
        return;
    }
  }

  async #stop(): Promise<void> {
    const left = this.#bodies.abandon();
    await this.#process.engine.stop();
    for (const { scope } of left) {
      const { aborted, reason } = scope.signal;
      if (!aborted)
        throw new Difference(`the body of \`${scope.taskId}\` was not told that the engine was stopped`);
      const isEnding = reason instanceof TimeoutError || reason instanceof CancelledError;
      if (!isEnding && !(reason instanceof EngineStoppedError))
        throw new Difference(
          `the body of \`${scope.taskId}\` was told ${viewError(reason).name}, and the engine was stopped`,
        );
    }
    await this.#recover();
  }

  /** Has the process be gone, unless it is already, and another recover the run. */
  async #crash(): Promise<void> {
    await this.#clock.advance(0);
    this.#process.kill();
    this.#bodies.lose();
    this.#comparison.crashed();
    await this.#recover();
  }

  async #recover(): Promise<void> {
    this.#heedsSignal = false;
    this.#run = undefined;
    [this.#process, this.#flow] = this.#begin();
    const [run] = await this.#clock.run(this.#process.engine.recover([this.#flow]));
    if (run === undefined) throw new Difference('the engine does not take the run up');
    this.#run = run;
    this.#hear();
  }

  #hear(): void {
    const process = this.#process;
    this.#comparison.heardFrom(this.#store.read(runId).length);
    this.#run?.on('*', (entry: Entry) => process.isGone || this.#comparison.hear(entry));
    if (this.#isLate)
      this.#run?.settled().then(
        () => process.isGone || this.#comparison.settled(),
        () => {},
      );
  }

  /** Begins a process that knows the path's flow. */
  #begin(): [PathProcess, AnyFlow] {
    const complain = (message: string, ...data: unknown[]): void => {
      if (!process.isGone) this.#comparison.complain(message, data);
    };
    const options: EngineOptions = {
      random: () => pathChance,
      logger: {
        error: complain,
        warn: complain,
        info: (message, data) => process.isGone || this.#comparison.log(message, data),
      },
      concurrency: this.#limits.concurrency,
      pools: this.#limits.pools,
      inspect: this.#isWatched ? () => {} : undefined,
    };
    const onFlight = (): void => this.#comparison.checkShown(this.#run);
    const process: PathProcess = new PathProcess(options, this.#clock, this.#store, this.#isLate, onFlight);
    return [process, this.#makeFlow(() => process)];
  }

  /** Handles the engine's call of a body. */
  #called(task: number, scope: PerformScope): Promise<unknown> {
    const leave = this.#comparison.called(task, scope);
    return this.#bodies.begin(task, scope, leave);
  }

  #fatalError(): Error {
    if (!this.#isWatched) return new FatalError('told to fail for good');
    const error = new Error('of no use to try again');
    this.#hopeless.add(error);
    return error;
  }
}

/** The settings that a run can have instead of its flow and its engine. */
function settingsOf(world: FlowWorld, path: readonly Step[], timetable: Timetable): RunSettings {
  const { definition, slots } = world;
  // A rerun has another limit each time, as far as a path goes.
  const isTimed =
    definition.settings.totalTimeoutMs !== undefined && path.every(({ kind }) => kind !== 'rerun');
  return {
    ...(Number.isFinite(slots.concurrency) ? { concurrency: slots.concurrency } : {}),
    ...(isTimed ? { totalTimeoutMs: timetable.runMs(0) ?? neverMs } : {}),
  };
}
