import {
  type AnyFlow,
  createEngine,
  createMemoryStore,
  type Engine,
  type Entry,
  type Run,
  type RunView,
  type Store,
} from '../index.ts';
import { FlowDefinition, type TaskDefinition } from '../model/definition.ts';
import { CancelledError, EngineStoppedError, SkipTask, TimeoutError, viewError } from '../model/error.ts';
import { unknownTask } from '../model/graph-check.ts';
import type { Perform, PerformScope } from '../model/perform.ts';
import { createVirtualClock, type VirtualClock } from './clock.ts';
import { Comparison, type OpenBody } from './comparison.ts';
import { scriptOf, sequenceOf } from './counter-example.ts';
import { Difference } from './difference.ts';
import { type FlowWorld, fatalError, type Taken, type WorldLimits } from './flow-world.ts';
import { type Step, seedOf } from './steps.ts';
import { describePath, tellPath } from './story.ts';
import { performOf, stepMs, Timetable, timedDefinition } from './timetable.ts';

/** How a path is tried on the real engine. */
export interface TestOptions {
  /** Bodies by task: called where the path says that the task is done. Without one a body returns a text that names it. */
  readonly performs?: Readonly<Record<string, unknown>> | undefined;
  /** The run's input. Without it the flow's schema is not asked. */
  readonly input?: unknown;
}

/** What became of a run that went a path. */
export interface PathRun {
  readonly view: RunView;
  readonly entries: readonly Entry[];
}

/** The engine did not do what the model says, or a body not what the path says. */
export class PathError extends Error {
  override readonly name = 'PathError';
  readonly flow: string;
  /** What happened, step by step, up to where they differ. */
  readonly story: readonly string[];
  /** What is different. */
  readonly difference: string;
  /** The same path as a Mermaid sequence diagram, as a text that `pathOf` reads, and as a module that goes it. */
  readonly mermaid: string;
  readonly seed: string;
  readonly script: string;
  readonly path: readonly Step[];

  /** Made by `test` of a path. @internal */
  constructor(world: FlowWorld, path: readonly Step[], difference: string, options?: ErrorOptions) {
    const { name } = world.definition;
    const story = tellPath(world, path);
    const steps = story.map((sentence, index) => `  ${index}. ${sentence}`).join('\n');
    const seed = seedOf(path);
    super(
      `Flow \`${name}\`, path "${describePath(world, path)}": ${difference}\n${steps}\nSeed: ${seed}`,
      options,
    );
    this.flow = name;
    this.story = story;
    this.difference = difference;
    this.mermaid = sequenceOf(world, path);
    this.seed = seed;
    this.path = path;
    this.script = scriptOf(world, path);
  }
}

/** The one id that a run of a path has. */
const runId = 'path';

/** Longest that a real body may take, by the time of day. */
const bodyLimitMs = 10_000;

/**
 * Has the real engine go a path on the virtual clock, and compares it with the model after each step: the journal,
 * the view, which bodies were called, told to end, and with what.
 *
 * @throws PathError where they differ
 */
export async function replayPath(
  world: FlowWorld,
  path: readonly Step[],
  limits: WorldLimits,
  options: TestOptions = {},
): Promise<PathRun> {
  const run = await goPath(world, path, limits, options, false);
  // With an inspector much goes another way. Bodies of the user are not called again for that.
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
  readonly #world: FlowWorld;
  readonly #timetable: Timetable;
  readonly #clock: VirtualClock = createVirtualClock();
  readonly #store: Store = createMemoryStore();
  readonly #limits: WorldLimits;
  readonly #options: TestOptions;
  readonly #performs = new Map<number, Perform>();
  readonly #flow: AnyFlow;
  readonly #open = new Map<number, OpenBody>();
  /** Bodies that were given up, and end only now. */
  readonly #late: OpenBody[] = [];
  readonly #comparison: Comparison;
  /** Whether an inspector hears of everything: then tasks have actors from the start. */
  readonly #isWatched: boolean;
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
    this.#limits = limits;
    this.#options = options;
    this.#timetable = new Timetable(world, path, isWatched ? 1 : 0);
    const { definition } = world;
    for (const [id, body] of Object.entries(options.performs ?? {})) {
      const task = definition.graph.indexOf(id);
      if (task < 0) throw unknownTask(definition.name, id, definition.graph.ids);
      this.#performs.set(task, performOf(definition.name, id, body));
    }
    const timed = timedDefinition(definition, this.#timetable, () => Math.floor(this.#clock.now() / stepMs), {
      perform: (task) => (scope) => this.#called(task, scope),
      isReal: (task) => this.#performs.has(task),
      hasInput: 'input' in options,
    });
    // An engine knows a flow by its brand and its definition alone.
    this.#flow = { name: definition.name, definition: timed, [Symbol.for('topple.flow')]: true } as AnyFlow;
    this.#comparison = new Comparison(
      world,
      this.#timetable.start,
      this.#store,
      runId,
      this.#open,
      isWatched,
    );
    this.#isWatched = isWatched;
    this.#engine = this.#newEngine();
  }

  async begin(): Promise<void> {
    const starting = this.#engine.start(this.#flow, this.#options.input, { id: runId });
    this.#run = await this.#clock.run(starting);
    this.#hear();
    await this.#clock.advance(0);
    this.#comparison.compare(this.#run, undefined, this.#timetable.start, 0);
  }

  /** Brings a step about at its instant, and lets all of it happen. */
  async take(number: number): Promise<void> {
    const { step, taken } = this.#timetable.steps[number - 1] as {
      readonly step: Step;
      readonly taken: Taken;
    };
    this.#comparison.begin(taken);
    await this.#clock.advance(number * stepMs - this.#clock.now());
    for (const { end } of this.#late.splice(0)) end.resolve('too late');
    await this.#bring(step, number);
    await this.#clock.advance(0);
    this.#comparison.compare(this.#run as Run, step, taken, number);
  }

  /** After the last step: nothing may be left behind. */
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
    await this.#probeSlots();
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
        return this.#endBody(task, fatalError());
      case 'skips':
        return this.#endBody(task, new SkipTask('told to skip'));
      case 'progresses':
        this.#bodyOf(task).scope.progress(0.5, 'half');
        return;
      case 'ends':
        return this.#heed(task, number);
      case 'cancel':
        return run.cancel('told to');
      case 'pause':
        return run.pause();
      case 'resume':
        return run.resume();
      case 'stop':
        return this.#stop();
      case 'rerun':
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
    this.#engine = this.#newEngine();
    const [run] = this.#engine.recover([this.#flow]);
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
      random: () => 0,
      logger: { error: complain, warn: complain, info: () => {} },
      concurrency: this.#limits.concurrency,
      pools: this.#limits.pools,
      inspect: this.#isWatched ? () => {} : undefined,
    });
  }

  /** The engine calls a body. */
  #called(task: number, scope: PerformScope): Promise<unknown> {
    this.#comparison.called(task, scope);
    const end = Promise.withResolvers<unknown>();
    this.#open.set(task, { scope, end });
    return end.promise;
  }

  #bodyOf(task: number): OpenBody {
    const body = this.#open.get(task);
    if (body !== undefined) return body;
    throw new Difference(`no attempt of \`${this.#idOf(task)}\` is under way`);
  }

  #endBody(task: number, error: unknown): void {
    const { end } = this.#bodyOf(task);
    this.#open.delete(task);
    end.reject(error);
  }

  /** A body that was told to end has, or is given up by now; what it says after that is of no use. */
  #heed(task: number, number: number): void {
    const body = this.#bodyOf(task);
    this.#open.delete(task);
    const manner = this.#timetable.current(task, number)?.manner;
    // Nobody is to hear of that.
    body.scope.progress(1, 'told to end');
    if (manner === 'is given up') this.#late.push(body);
    else if (manner === 'returns') body.end.resolve('all the same');
    else body.end.reject(body.scope.signal.reason);
  }

  async #finishBody(task: number): Promise<void> {
    const { scope, end } = this.#bodyOf(task);
    const perform = this.#performs.get(task);
    const output =
      perform === undefined ? `${this.#idOf(task)} output` : await this.#call(task, perform, scope);
    this.#open.delete(task);
    this.#comparison.returned(task, output);
    end.resolve(output);
  }

  /** A real body, which may wait for what is real, or for the clock. */
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

  /** All slots that the run had of its engine must have come back. */
  async #probeSlots(): Promise<void> {
    const { concurrency, pools = {} } = this.#limits;
    const wanted = [
      ...(concurrency === undefined ? [] : [[undefined, concurrency] as const]),
      ...Object.entries(pools),
    ];
    for (const [pool, slots] of wanted) {
      if (!Number.isFinite(slots)) continue;
      const places = pool === undefined || concurrency === undefined ? slots : Math.min(slots, concurrency);
      let running = 0;
      const flow = this.#probe(places, pool, () => {
        running++;
        return new Promise(() => {});
      });
      const probe = await this.#clock.run(this.#engine.start(flow));
      await this.#clock.advance(0);
      if (running < places)
        throw new Difference(
          `after the run has settled ${places - running} of ${places} slots${pool === undefined ? '' : ` of pool \`${pool}\``} are gone`,
        );
      probe.cancel();
      await this.#clock.advance(10_000);
    }
  }

  #probe(size: number, pool: string | undefined, perform: () => unknown): AnyFlow {
    const [first] = this.#world.definition.tasks as readonly [TaskDefinition];
    const tasks = Array.from({ length: size }, (_, index) => ({
      ...first,
      id: `probe ${index}`,
      dependsOn: [],
      pool,
      triggerRule: 'all_success' as const,
      retry: undefined,
      timeoutMs: undefined,
      totalTimeoutMs: undefined,
      graceMs: 0,
      output: undefined,
      body: { kind: 'perform' as const, perform },
    }));
    const definition = new FlowDefinition('probe', {}, tasks);
    return { name: 'probe', definition, [Symbol.for('topple.flow')]: true } as AnyFlow;
  }

  #idOf(task: number): string {
    return this.#world.definition.graph.ids[task] as string;
  }
}
