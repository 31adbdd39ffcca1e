import {
  type AnyFlow,
  createMemoryStore,
  type EngineOptions,
  type Entry,
  type MemoryStore,
  type Run,
  type RunView,
} from '../../index.ts';
import { placeOf } from '../../model/child-id.ts';
import { type FlowDefinition, isWaitBody } from '../../model/definition.ts';
import {
  CancelledError,
  EngineStoppedError,
  FatalError,
  type RunFailedError,
  SkipTask,
  TimeoutError,
  viewError,
} from '../../model/error.ts';
import type { RunSettings } from '../../model/journal.ts';
import type { PerformScope } from '../../model/perform.ts';
import { createVirtualClock, type VirtualClock } from '../clock.ts';
import { childFlowsOf, hasChild } from '../model/child-flow.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { SlotLimits } from '../model/slots.ts';
import type { Step } from '../model/steps.ts';
import type { TreeRun } from '../model/tree-run.ts';
import { pathRunId, type Told, type Walked, walk } from '../paths/path.ts';
import { realBodies } from './bodies.ts';
import { pathChance } from './comparison.ts';
import { Difference } from './difference.ts';
import { saidKey, saidOfSkip } from './expected-entry.ts';
import { unjudged } from './fits.ts';
import { PathError } from './path-error.ts';
import { PathProcess } from './path-process.ts';
import { type Real, saidOfCancel } from './path-says.ts';
import { probeEngine } from './probe.ts';
import { type Happened, RunReplay, type Shared } from './run-replay.ts';
import { type PathBodies, timedDefinition } from './timed-flow.ts';
import { neverMs, stepMs, type Timetable } from './timetable.ts';

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
  readonly #clock: VirtualClock = createVirtualClock();
  readonly #store: MemoryStore = createMemoryStore();
  readonly #steps: readonly Told[];
  /** The limits of its engines. */
  readonly #limits: SlotLimits;
  /** The runs of the path, those of earlier lives too, in the order in which they begin. */
  readonly #runs = new Map<string, RunReplay>();
  readonly #root: RunReplay;
  /** The inputs of runs by their places, so that a new life has the same. */
  readonly #inputs = new Map<string, unknown>();
  /** Whether an inspector is attached: then tasks have actors from the start. */
  readonly #isWatched: boolean;
  readonly #cancel = new AbortController();
  /** Whether the run is still the one started with the signal. */
  #heedsSignal: boolean;
  /** Errors that must not be retried. */
  readonly #hopeless = new WeakSet<Error>();
  /** The attempts that threw errors. */
  readonly #threw = new WeakMap<object, Attempted>();
  /** Whether its stores take their time: where a crash may come while entries are on their way. */
  readonly #isLate: boolean;
  readonly #makeFlow: (process: () => PathProcess) => AnyFlow;
  #number = 0;
  /** The instant of the last recovery. */
  #recoveredAt = 0;
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
    const { definition } = world;
    this.#isWatched = this.#heedsSignal = isWatched;
    // Where slots are limited, what is being kept lets others go first: an order that the model does not have.
    this.#isLate =
      !isWatched &&
      !definition.hasChildren &&
      !world.slots.isLimited &&
      path.some((step) => step.kind === 'crash' || step.kept !== undefined);
    const walked = walk(world, path);
    this.#steps = walked.steps;
    const performs = realBodies(definition, options.performs);
    const real = { hasInput: 'input' in options, isReal: (task: number) => performs.has(task), performs };
    const input = options.performs === undefined && !real.hasInput ? madeUpInput : options.input;
    const settings = (timetable: Timetable): RunSettings =>
      isWatched ? settingsOf(world, path, timetable) : {};
    for (const [run, records] of recordsOf(walked)) {
      const isRoot = run.parent === undefined;
      const given = isRoot ? input : this.#inputOf(run);
      const replay = new RunReplay(run, records, this.#shared, isRoot ? real : unreal, given, (timetable) =>
        isRoot ? settings(timetable) : {},
      );
      this.#runs.set(run.id, replay);
    }
    this.#root = this.#runs.get(pathRunId) as RunReplay;
    const said = this.#root.says.settings;
    this.#limits = said.concurrency === undefined ? limits : { ...limits, concurrency: undefined };
    this.#makeFlow = (process) => {
      const timed = timedDefinition(definition, this.#bodiesOf(process, real, [], false), said);
      // An engine knows a flow only by its brand and its definition.
      return { name: definition.name, definition: timed, [Symbol.for('topple.flow')]: true } as AnyFlow;
    };
    [this.#process, this.#flow] = this.#begin();
  }

  get #shared(): Shared {
    return {
      store: this.#store,
      isWatched: this.#isWatched,
      byId: (id) => this.#runs.get(id),
      countsOf: (id) => {
        const run = this.#runs.get(id);
        // An engine that recovers a run does not read what has settled below it.
        const isUnread =
          run?.comparison.now?.run.status === 'done' && run.lastAt(this.#number) < this.#recoveredAt;
        // Nor is it known what a run counted that has ended and goes on in one step.
        const isAgain = run?.at(this.#number)?.also.some(({ kind }) => kind === 'rerun');
        return isUnread || isAgain ? (unjudged as never) : run?.counts;
      },
      childOf: (runId, task) =>
        [...this.#runs.values()].findLast(
          ({ run: { parent }, begunAt }) =>
            parent?.run.id === runId && parent.task === task && begunAt <= this.#number,
        ),
    };
  }

  async begin(): Promise<void> {
    this.#beginRuns();
    const said = { id: pathRunId, ...this.#root.says.settings };
    const options = this.#isWatched ? { ...said, signal: this.#cancel.signal } : said;
    const starting = this.#process.engine.start(this.#flow, this.#root.says.given, options);
    this.#run = await this.#clock.run(starting);
    this.#hear();
    await this.#clock.advance(0);
    await this.#compare();
  }

  /** Carries out a step at its instant, and lets all of it happen. */
  async take(number: number): Promise<void> {
    const { step, taken } = this.#steps[number - 1] as Told;
    this.#number = number;
    this.#beginRuns();
    if (taken.cut !== undefined) this.#process.endAfter(pathRunId, taken.cut.kept);
    await this.#clock.advance(number * stepMs - this.#clock.now());
    for (const { bodies } of this.#runs.values()) bodies.reportLate();
    const brought = this.#bring(step, number);
    if (taken.cut === undefined) await brought;
    else {
      // A command may wait for ever for a process that is gone.
      await Promise.race([brought, this.#process.gone]);
      await this.#crash();
    }
    await this.#clock.advance(0);
    await this.#compare();
  }

  /** Tells each run what the model says that happens now. */
  #beginRuns(): void {
    const number = this.#number;
    const up = [...this.#runs.values()].filter((run) => run.isUp(number));
    for (const run of up)
      for (const { kind, task } of run.at(number)?.also ?? [])
        if (kind === 'fails' || kind === 'child cancelled') run.says.childFailed(task);
    for (const run of up) run.begin(number);
  }

  /** Compares every run after a step, what is kept first. Throws `Difference`. */
  async #compare(): Promise<void> {
    const up = [...this.#runs.values()].filter((run) => run.isUp(this.#number));
    for (const run of up) at(run, () => run.comparison.compareKept());
    for (const run of up) {
      const handle = run === this.#root ? this.#run : await this.#handleOf(run);
      if (handle !== undefined) at(run, () => run.comparison.compare(handle));
      at(run, () => run.undos.compare(run.comparison.now));
    }
  }

  /** The handle of a child run: the engine gives it while the run is under way. */
  async #handleOf(run: RunReplay): Promise<Run | undefined> {
    if (run.comparison.now.run.status !== 'active') return run.handle;
    const handle = await this.#process.engine.run(run.id);
    if (handle === undefined) throw new Difference(`the engine does not know run ${run.id}`);
    if (handle !== run.handle) this.#listen(run, handle);
    return handle;
  }

  #listen(run: RunReplay, handle: Run): void {
    const process = this.#process;
    run.forget();
    run.handle = handle;
    run.comparison.heardFrom(this.#store.read(run.id).length);
    const { unsubscribe } = handle.on('*', (entry: Entry) => process.isGone || run.comparison.hear(entry));
    run.unsubscribe = unsubscribe;
  }

  /** Checks after the last step that nothing is left behind. */
  async finish(): Promise<void> {
    const last = this.#root.comparison.now;
    if (last.run.status !== 'done') return;
    const run = this.#run as Run;
    const view = await this.#clock.run(run.settled());
    if (view.status !== last.run.value)
      throw new Difference(`the run settles as ${view.status}, where the model has it ${last.run.value}`);
    if (this.#clock.pending > 0)
      throw new Difference(`${this.#clock.pending} timers are set after the run has settled`);
    await this.#root.comparison.compareEnd(run);
    const like = this.#root.world.definition.tasks.find((task) => !hasChild(task) && !isWaitBody(task.body));
    if (like === undefined) return;
    const knowsKey = (key: string): boolean => this.#root.comparison.knowsKey(key);
    await probeEngine(this.#process.engine, this.#clock, this.#limits, { like, knowsKey });
  }

  result(): PathRun {
    return { view: (this.#run as Run).view(), entries: this.#store.read(pathRunId) };
  }

  async close(): Promise<void> {
    for (const { bodies, undos } of this.#runs.values()) {
      bodies.close();
      undos.close();
    }
    await this.#process.engine.stop().catch(() => {});
  }

  #inputOf({ id, items }: TreeRun): unknown {
    const place = `${id.replaceAll(/#\d+/g, '')} ${items ?? ''}`;
    if (!this.#inputs.has(place)) {
      const list = Array.from({ length: items ?? 0 }, (_, index) => `item ${index} of ${place}`);
      this.#inputs.set(place, items === undefined ? { of: place } : list);
    }
    return this.#inputs.get(place);
  }

  /** The bodies of the runs at a place in the tree. What a process asks that is gone is of no account. */
  #bodiesOf(
    process: () => PathProcess,
    real: Real,
    within: readonly number[],
    isShared: boolean,
  ): PathBodies {
    const place = within.join('/');
    const here = (): RunReplay | undefined =>
      [...this.#runs.values()].findLast(
        ({ run, begunAt }) => run.within.join('/') === place && begunAt <= this.#number,
      );
    const askedOf = (task: number | undefined, error: unknown): Attempted =>
      isShared || task === undefined ? this.#whose(error) : { run: here() as RunReplay, task };
    return {
      ...real,
      timetable: () => (isShared ? undefined : here()?.timetable),
      now: () => Math.floor(this.#clock.now() / stepMs),
      perform: (task) => (scope) =>
        process().isGone ? new Promise(() => {}) : this.#called(scope, task ?? Number(scope.taskId)),
      retryIf: (place, error, question) => {
        if (process().isGone) return false;
        const { run, task } = askedOf(place, error);
        run.comparison.asked(task, error, question);
        return !this.#hopeless.has(error as Error);
      },
      backoff: (place, failure) => {
        if (process().isGone) return 0;
        const { run, task } = askedOf(place, failure.error);
        run.comparison.asked(task, failure.error, failure);
        return run.timetable.waitMs(task, this.#number);
      },
      ask: (task, { runId }) => {
        const run = this.#runs.get(runId);
        if (process().isGone || run === undefined) return new Promise(() => {});
        return run.bodies.ask(task);
      },
      undo: (task, scope) => {
        const run = this.#runs.get(scope.runId);
        return process().isGone || run === undefined ? new Promise(() => {}) : run.undo(task, scope);
      },
      inputOf: ({ runId, taskId }) => {
        const task = this.#runs.get(runId)?.world.definition.graph.indexOf(taskId) ?? 0;
        return this.#shared.childOf(runId, task)?.says.given;
      },
      inside: (task) => {
        const { tasks } = this.#worldAt(within);
        const isMap = isShared || tasks[task]?.body.kind === 'map';
        return this.#bodiesOf(process, unreal, [...within, task], isMap);
      },
    };
  }

  /** The flow of the runs at a place. Of a map's items, any will do. */
  #worldAt(within: readonly number[]): FlowDefinition {
    let { definition } = this.#root.world;
    for (const task of within) {
      const [child] = childFlowsOf(definition, task, 1);
      definition = child?.definition ?? definition;
    }
    return definition;
  }

  /** The attempt that threw an error, or whose child did. */
  #whose(error: unknown): Attempted {
    const known = this.#threw.get(error as object);
    if (known !== undefined) return known;
    const place = placeOf((error as Partial<RunFailedError>).runId ?? '');
    const run = this.#runs.get(place?.parentId ?? '');
    if (run === undefined || place === undefined)
      throw new Difference(`a retry policy is asked about ${viewError(error).message}, which no body threw`);
    return { run, task: run.world.definition.graph.indexOf(place.taskId) };
  }

  async #bring({ kind, task, within = [] }: Step, number: number): Promise<void> {
    const replay = this.#runAt(within);
    const run = (replay === this.#root ? this.#run : replay.handle) as Run;
    const { bodies } = replay;
    const fail = (error: Error): void => {
      this.#threw.set(error, { run: replay, task });
      bodies.fail(task, error);
    };
    switch (kind) {
      case 'done':
        return bodies.finish(task);
      case 'fails':
        return fail(new Error(`told to fail in step ${number}`));
      case 'fatal':
        return fail(this.#fatalError());
      case 'skips':
        return fail(new SkipTask(saidOfSkip));
      case 'undone':
        return replay.undos.end(task, undefined);
      case 'undo fails':
        return replay.undos.end(task, new Error(`told to fail in step ${number}`));
      case 'progresses':
        return bodies.progress(task);
      case 'ends':
        return bodies.heed(task, number);
      case 'cancel':
        return replay === this.#root && this.#heedsSignal
          ? this.#cancel.abort(saidOfCancel)
          : run.cancel(saidOfCancel);
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
      case 'lists':
        return bodies.give(task, this.#shared.childOf(replay.id, task)?.says.given);
      case 'list refused':
        return fail(new Error(`no list in step ${number}`));
      case 'agrees':
      case 'declines':
        return bodies.answer(task, kind === 'agrees');
      case 'condition throws':
        return bodies.answer(task, new Error(`told to throw in step ${number}`));
      case 'delivered': {
        const { ids } = replay.world.definition.graph;
        const told = await run.deliver([ids[task] as string], replay.says.deliveryOf(task), { key: saidKey });
        if (told !== 'delivered') throw new Difference(`a value is delivered, and its sender told ${told}`);
        return;
      }
      case 'child cancelled':
        return;
      case 'wakes':
      case 'waits too long':
      case 'times out':
      case 'expires':
      case 'due':
      case 'out of time':
        // The clock has done it.
        return;
    }
  }

  async #stop(): Promise<void> {
    const left = [...this.#runs.values()].flatMap(({ bodies }) => bodies.abandon());
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
    for (const { bodies, comparison, begunAt } of this.#runs.values()) {
      bodies.lose();
      if (begunAt < this.#number) comparison.crashed();
    }
    await this.#recover();
  }

  async #recover(): Promise<void> {
    this.#heedsSignal = false;
    this.#run = undefined;
    this.#recoveredAt = this.#number;
    for (const run of this.#runs.values()) run.forget();
    [this.#process, this.#flow] = this.#begin();
    const [run] = await this.#clock.run(this.#process.engine.recover([this.#flow]));
    if (run === undefined) throw new Difference('the engine does not take the run up');
    this.#run = run;
    this.#hear();
  }

  #hear(): void {
    const process = this.#process;
    this.#listen(this.#root, this.#run as Run);
    if (this.#isLate)
      this.#run?.settled().then(
        () => process.isGone || this.#root.comparison.settled(),
        () => {},
      );
  }

  /** Begins a process that knows the path's flow. */
  #begin(): [PathProcess, AnyFlow] {
    const complain = (message: string, ...data: unknown[]): void => {
      if (!process.isGone) this.#root.comparison.complain(message, data);
    };
    const options: EngineOptions = {
      random: () => pathChance,
      logger: {
        error: complain,
        warn: complain,
        info: (message, data) => {
          for (const { comparison } of process.isGone ? [] : this.#runs.values())
            comparison.log(message, data);
        },
      },
      concurrency: this.#limits.concurrency,
      pools: this.#limits.pools,
      inspect: this.#isWatched ? () => {} : undefined,
    };
    const onFlight = (): void => this.#root.comparison.checkShown(this.#run);
    const process: PathProcess = new PathProcess(options, this.#clock, this.#store, this.#isLate, onFlight);
    return [process, this.#makeFlow(() => process)];
  }

  /** Handles the engine's call of a body. */
  #called(scope: PerformScope, task: number): Promise<unknown> {
    const run = this.#runs.get(scope.runId);
    if (run === undefined || run.begunAt > this.#number) {
      const message = `a body of run ${scope.runId} is called, and the model has no such run`;
      this.#root.comparison.note(message);
      return new Promise(() => {});
    }
    const leave = run.comparison.called(task, scope);
    return run.bodies.begin(task, scope, leave);
  }

  /** The run of the tasks that lead to it, as of now. */
  #runAt(within: readonly number[]): RunReplay {
    let run = this.#root;
    for (const task of within) run = this.#shared.childOf(run.id, task) ?? run;
    return run;
  }

  #fatalError(): Error {
    if (!this.#isWatched) return new FatalError('told to fail for good');
    const error = new Error('of no use to try again');
    this.#hopeless.add(error);
    return error;
  }
}

/** An attempt of a run's task. */
interface Attempted {
  readonly run: RunReplay;
  readonly task: number;
}

/** Of a child run no value is the user's. */
const unreal = { hasInput: false, isReal: () => false, performs: new Map<number, never>() };

/** What happens to each run of a path, in the order in which they begin. */
function recordsOf({ runs, steps }: Walked): ReadonlyMap<TreeRun, readonly Happened[]> {
  const records = new Map<TreeRun, Happened[]>();
  for (const [at, told] of [runs, ...steps.map((one) => one.runs)].entries()) {
    for (const { run, ...happened } of told) {
      const known = records.get(run);
      if (known === undefined) records.set(run, [{ ...happened, at }]);
      else known.push({ ...happened, at });
    }
  }
  return records;
}

/** Names the run in which something differs. */
function at(run: RunReplay, compare: () => void): void {
  try {
    compare();
  } catch (error) {
    if (!(error instanceof Difference) || run.run.parent === undefined) throw error;
    throw new Difference(`in run ${run.id}, ${error.message}`, { cause: error });
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
