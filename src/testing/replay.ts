import {
  type AnyFlow,
  createEngine,
  createMemoryStore,
  type Engine,
  type Entry,
  type MemoryStore,
  type Run,
  type RunView,
} from '../index.ts';
import { CancelledError, EngineStoppedError, SkipTask, TimeoutError, viewError } from '../model/error.ts';
import { unknownTask } from '../model/graph-check.ts';
import type { RunSettings } from '../model/journal.ts';
import type { Perform, PerformScope } from '../model/perform.ts';
import { createVirtualClock, type VirtualClock } from './clock.ts';
import { Comparison, type OpenBody, pathChance } from './comparison.ts';
import { Difference } from './difference.ts';
import { saidOfSkip, saidProgress } from './expected-entry.ts';
import { type FlowWorld, fatalError, type Taken, type WorldLimits } from './flow-world.ts';
import { PathError } from './path-error.ts';
import { PathSays, saidOfCancel } from './path-says.ts';
import { probeEngine } from './probe.ts';
import type { Step } from './steps.ts';
import { performOf, timedDefinition } from './timed-flow.ts';
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

/** The longest time that a real body may take, in real time. */
const bodyLimitMs = 10_000;

/**
 * Replays a path with the real engine on the virtual clock, and compares it with the model after each step: the
 * journal, the view, the bodies called or told to end, and their arguments.
 *
 * @throws PathError if they differ
 */
export async function replayPath(
  world: FlowWorld,
  path: readonly Step[],
  limits: WorldLimits,
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
  limits: WorldLimits,
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
  readonly #limits: WorldLimits;
  readonly #world: FlowWorld;
  readonly #performs = new Map<number, Perform>();
  readonly #flow: AnyFlow;
  readonly #open = new Map<number, OpenBody>();
  /** Bodies that were given up and end late. */
  readonly #late: OpenBody[] = [];
  /** Bodies that ended in the last step. */
  readonly #ended: OpenBody[] = [];
  readonly #says: PathSays;
  readonly #comparison: Comparison;
  /** Whether an inspector is attached: then tasks have actors from the start. */
  readonly #isWatched: boolean;
  readonly #cancel = new AbortController();
  /** Whether the run is still the one started with the signal. */
  #heedsSignal: boolean;
  /** Errors that must not be retried. */
  readonly #hopeless = new WeakSet<Error>();
  #engine: Engine;
  #run: Run | undefined;

  constructor(
    world: FlowWorld,
    path: readonly Step[],
    limits: WorldLimits,
    options: TestOptions,
    isWatched: boolean,
  ) {
    this.#world = world;
    this.#isWatched = this.#heedsSignal = isWatched;
    this.#timetable = new Timetable(world, path, isWatched ? 1 : 0);
    const { definition } = world;
    for (const [id, body] of Object.entries(options.performs ?? {})) {
      const task = definition.graph.indexOf(id);
      if (task < 0) throw unknownTask(definition.name, id, definition.graph.ids);
      this.#performs.set(task, performOf(definition.name, id, body));
    }
    const said = isWatched ? settingsOf(world, path, this.#timetable) : {};
    this.#limits = said.concurrency === undefined ? limits : { ...limits, concurrency: undefined };
    const real = { hasInput: 'input' in options, isReal: (task: number) => this.#performs.has(task) };
    const timed = timedDefinition(
      definition,
      this.#timetable,
      () => Math.floor(this.#clock.now() / stepMs),
      {
        ...real,
        perform: (task) => (scope) => this.#called(task, scope),
        retryIf: (task, error, question) => {
          this.#comparison.asked(task, error, question);
          return !this.#hopeless.has(error as Error);
        },
        backoff: (task, failure) => {
          this.#comparison.asked(task, failure.error, failure);
          return this.#timetable.waitMs(task, Math.floor(this.#clock.now() / stepMs));
        },
      },
      said,
    );
    // An engine knows a flow only by its brand and its definition.
    this.#flow = { name: definition.name, definition: timed, [Symbol.for('topple.flow')]: true } as AnyFlow;
    const input = options.performs === undefined && !real.hasInput ? madeUpInput : options.input;
    this.#says = new PathSays(runId, definition, this.#timetable, real, input, said);
    this.#comparison = new Comparison(world, this.#timetable, this.#store, this.#says, this.#open, isWatched);
    this.#engine = this.#newEngine();
  }

  async begin(): Promise<void> {
    const said = { id: runId, ...this.#says.settings };
    const options = this.#isWatched ? { ...said, signal: this.#cancel.signal } : said;
    this.#run = await this.#clock.run(this.#engine.start(this.#flow, this.#says.given, options));
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
    await this.#clock.advance(number * stepMs - this.#clock.now());
    for (const { end } of this.#late.splice(0)) end.resolve('too late');
    // No listener may hear of it.
    for (const { scope } of this.#ended.splice(0)) scope.progress(1, 'ended');
    await this.#bring(step, number);
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
    await probeEngine(this.#engine, this.#clock, this.#limits, { like, knowsKey });
  }

  result(): PathRun {
    return { view: (this.#run as Run).view(), entries: this.#store.read(runId) };
  }

  async close(): Promise<void> {
    for (const { end } of this.#open.values()) end.promise.catch(() => {});
    await this.#engine.stop().catch(() => {});
  }

  async #bring({ kind, task }: Step, number: number): Promise<void> {
    const run = this.#run as Run;
    switch (kind) {
      case 'done':
        return this.#finishBody(task);
      case 'fails':
        return this.#endBody(task, new Error(`told to fail in step ${number}`));
      case 'fatal':
        return this.#endBody(task, this.#fatalError());
      case 'skips':
        return this.#endBody(task, new SkipTask(saidOfSkip));
      case 'progresses':
        this.#bodyOf(task).scope.progress(saidProgress.fraction, saidProgress.note);
        return;
      case 'ends':
        return this.#heed(task, number);
      case 'cancel':
        return this.#heedsSignal ? this.#cancel.abort(saidOfCancel) : run.cancel(saidOfCancel);
      case 'pause':
        return run.pause();
      case 'resume':
        return run.resume();
      case 'stop':
        return this.#stop();
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
    const left = [...this.#open.values()];
    this.#open.clear();
    await this.#engine.stop();
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
    this.#heedsSignal = false;
    this.#engine = this.#newEngine();
    const [run] = await this.#engine.recover([this.#flow]);
    if (run === undefined) throw new Difference('the engine does not take the run up');
    this.#run = run;
    this.#hear();
  }

  #hear(): void {
    this.#comparison.heardFrom(this.#store.read(runId).length);
    this.#run?.on('*', (entry: Entry) => this.#comparison.hear(entry));
  }

  #newEngine(): Engine {
    const complain = (message: string, ...data: unknown[]): void => this.#comparison.complain(message, data);
    return createEngine({
      clock: this.#clock,
      store: this.#store,
      random: () => pathChance,
      logger: {
        error: complain,
        warn: complain,
        info: (message, data) => this.#comparison.log(message, data),
      },
      concurrency: this.#limits.concurrency,
      pools: this.#limits.pools,
      inspect: this.#isWatched ? () => {} : undefined,
    });
  }

  /** Handles the engine's call of a body. */
  #called(task: number, scope: PerformScope): Promise<unknown> {
    const leave = this.#comparison.called(task, scope);
    const end = Promise.withResolvers<unknown>();
    this.#open.set(task, { scope, end, leave });
    return end.promise;
  }

  #bodyOf(task: number): OpenBody {
    const body = this.#open.get(task);
    if (body !== undefined) return body;
    throw new Difference(`no attempt of \`${this.#idOf(task)}\` is under way`);
  }

  /** Removes a body that ends. */
  #leave(task: number): OpenBody {
    const body = this.#bodyOf(task);
    body.leave();
    this.#open.delete(task);
    this.#ended.push(body);
    return body;
  }

  #endBody(task: number, error: unknown): void {
    const { end } = this.#leave(task);
    this.#says.threw(task, error);
    end.reject(error);
  }

  #fatalError(): Error {
    if (!this.#isWatched) return fatalError();
    const error = new Error('of no use to try again');
    this.#hopeless.add(error);
    return error;
  }

  /** Ends a body that was told to end, or gives it up; its later reports have no effect. */
  #heed(task: number, number: number): void {
    const body = this.#leave(task);
    const manner = this.#timetable.current(task, number)?.manner;
    // No listener may hear of it.
    body.scope.progress(1, 'told to end');
    if (manner === 'is given up') this.#late.push(body);
    else if (manner === 'returns') body.end.resolve('all the same');
    else body.end.reject(body.scope.signal.reason);
  }

  async #finishBody(task: number): Promise<void> {
    const { scope } = this.#bodyOf(task);
    const perform = this.#performs.get(task);
    const output =
      perform === undefined ? `${this.#idOf(task)} output` : await this.#call(task, perform, scope);
    const { end } = this.#leave(task);
    this.#says.returned(task, output);
    end.resolve(output);
  }

  /** Calls a real body, which may wait for real things or for the clock. */
  async #call(task: number, perform: Perform, scope: PerformScope): Promise<unknown> {
    let limit: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(
        () =>
          reject(new Difference(`the body of \`${this.#idOf(task)}\` has not ended after ${bodyLimitMs} ms`)),
        bodyLimitMs,
      );
    });
    try {
      return await Promise.race([perform(scope), late]);
    } catch (error) {
      if (error instanceof Difference) throw error;
      const { name, message } = viewError(error);
      throw new Difference(
        `the path says that \`${this.#idOf(task)}\` is done, and its body threw ${name}: ${message}`,
        { cause: error },
      );
    } finally {
      clearTimeout(limit);
    }
  }

  #idOf(task: number): string {
    return this.#world.definition.graph.ids[task] as string;
  }
}

/** The settings that a run can have instead of its flow and its engine. */
function settingsOf(world: FlowWorld, path: readonly Step[], timetable: Timetable): RunSettings {
  const { concurrency, definition } = world;
  // A rerun has another limit each time, as far as a path goes.
  const isTimed =
    definition.settings.totalTimeoutMs !== undefined && path.every(({ kind }) => kind !== 'rerun');
  return {
    ...(Number.isFinite(concurrency) ? { concurrency } : {}),
    ...(isTimed ? { totalTimeoutMs: timetable.runMs(0) ?? neverMs } : {}),
  };
}
