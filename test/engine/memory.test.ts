import { text } from 'node:stream/consumers';
import { getHeapSnapshot, queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createFlowFromGraph,
  createMemoryStore,
  type EngineOptions,
  FatalError,
  type GraphTask,
  type Run,
  SkipTask,
} from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { Actor, type AnyActorLogic, createActor, fromPromise, setup, toPromise } from 'xstate';

import { LiveTask } from '../../src/engine/live-task.ts';
import { LocalAttempt } from '../../src/engine/local-attempt.ts';
import { StoredRun } from '../../src/engine/stored-run.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { Registered } from '../support/registry.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('memory of runs');

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** A flow whose tasks end in every way, some after retries, some of them actors. */
function motley(name: string, size: number, onStart = (_scope: PerformScope) => {}) {
  const perform = async (scope: PerformScope): Promise<unknown> => {
    onStart(scope);
    const kind = numberOf(scope.taskId) % 5;
    await Promise.resolve(scope.signal.aborted);
    if (kind === 1) throw new SkipTask();
    if (kind === 2 && scope.attempt < 3) throw new Error('once more');
    if (kind === 3) throw new FatalError('no');
    return { deps: scope.deps, outcomes: scope.outcomes };
  };
  const actor = fromPromise<unknown, PerformScope>(({ input }) => perform(input));
  const spawned = { actor, input: (scope: PerformScope) => scope };
  const ids = Array.from({ length: size }, (_, number) => `${name}-${number}`);
  const tasks = ids.map((id, number): [string, GraphTask] => [
    id,
    {
      dependsOn: ids.slice(Math.max(number - 3, 0), number),
      triggerRule: number % 2 === 0 ? 'all_settled' : 'none_failed',
      retry: { maxAttempts: 3, backoff: 1 },
      timeoutMs: 1_000,
      totalTimeoutMs: 10_000,
      skippable: true,
    },
  ]);
  const bodies = ids.map((id, number) => [id, number % 4 === 0 ? spawned : { perform }] as const);
  return createFlowFromGraph({ name, tasks: new Map(tasks) }, new Map(bodies));
}

function numberOf(taskId: string): number {
  return Number(taskId.split('-')[1]);
}

/** How many of these are reachable. */
function count(...classes: readonly (abstract new (...args: never) => unknown)[]): number[] {
  return classes.map((one) => queryObjects(one, { format: 'count' }));
}

/** Runs a flow as an actor of its own system, on a clock of its own. */
async function runAs(logic: unknown): Promise<{ readonly actor: object; readonly registered: Registered }> {
  const clock = createVirtualClock();
  const actor = createActor(logic as AnyActorLogic, { input: {}, clock });
  const registered = new Registered(actor.system);
  const settled = toPromise(actor);
  actor.start();
  await clock.run(settled);
  return { actor, registered };
}

test("nothing of a run's tasks is reachable once it has settled", async () => {
  const { clock, engine } = virtualEngine();
  let amid: number[] = [];
  const flow = motley('settled', 20, ({ taskId }) => {
    if (taskId === 'settled-16') amid = count(Actor, LiveTask, LocalAttempt);
  });
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  const endings = new Set(Object.values(view.tasks).map(({ status }) => status));
  assert.equal([...endings].sort(), ['done', 'failed', 'skipped', 'upstream_failed']);
  assert.equal([amid.length, amid.every((number) => number >= 1)], [3, true]);
  assert.equal(count(Actor, LiveTask, LocalAttempt), [1, 0, 0]);
  assert.ok(run.actor, 'what is left is the actor that the run is held by');
});

test("nothing of a run's tasks is reachable once it was cancelled, or its engine stopped", async () => {
  const { clock, engine } = virtualEngine();
  const hang = createFlowFromGraph(
    { tasks: { a: { graceMs: 5 }, b: { dependsOn: ['a'] } } },
    () => new Promise(() => {}),
  );
  const cancelled = await engine.start(hang);
  await clock.advance(1);
  assert.equal(count(LiveTask, LocalAttempt), [1, 1]);
  cancelled.cancel('enough');
  await clock.run(cancelled.settled());
  assert.equal(count(Actor, LiveTask, LocalAttempt), [0, 0, 0]);
  const stopped = await engine.start(hang);
  await clock.advance(1);
  await engine.stop();
  assert.equal(count(Actor, LiveTask, LocalAttempt), [0, 0, 0]);
  assert.ok(cancelled.actor !== stopped.actor, 'the runs are still held');
});

test('a run that was read from the store goes with its handle', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  const flow = motley('stored', 12);
  for (const id of ['one', 'two'])
    await first.clock.run((await first.engine.start(flow, undefined, { id })).settled());
  const { engine } = virtualEngine({ store, flows: [flow] });
  const held: (Run | undefined)[] = [await engine.run('one'), await engine.run('two')];
  assert.ok(held[0]?.actor);
  // A reference that was read weakly lives until the current job is over.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(count(StoredRun), [2]);
  held.pop();
  assert.equal(count(StoredRun), [1]);
  assert.is(await engine.run('one'), held.pop());
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(count(StoredRun), [0]);
});

test('nothing of a run is reachable once a machine that invoked it has gone on', async () => {
  const clock = createVirtualClock();
  const parent = setup({ actors: { flow: motley('invoked', 12).logic } }).createMachine({
    initial: 'running',
    states: {
      running: { invoke: { src: 'flow', input: {}, onDone: 'later' } },
      later: { on: { end: 'over' } },
      over: { type: 'final' },
    },
  });
  const actor = createActor(parent, { clock });
  const registered = new Registered(actor.system);
  actor.start();
  await clock.advance(100);
  assert.is(actor.getSnapshot().value, 'later');
  assert.equal(count(Actor, LiveTask, LocalAttempt), [1, 0, 0]);
  // The machine, the run, three tasks whose bodies are actors, and those: nobody asked for the other tasks.
  assert.equal([registered.live, registered.total], [1, 8]);
});

for (const way of ['logic', 'machine'] as const) {
  test(`no actor is left in the maps of a run's system (flow.${way})`, async () => {
    const flow = motley(`maps by ${way}`, 20);
    const { actor, registered } = await runAs(flow[way]);
    // The run, its tasks, and the bodies that are actors, once for each attempt.
    assert.is.not(registered.total, 0);
    assert.is(registered.live, 0);
    assert.equal((actor as InstanceType<typeof Actor>).system.getAll(), {});
    assert.equal(count(Actor, LiveTask, LocalAttempt), [1, 0, 0]);
  });
}

/** For how many event types XState's state nodes have memoised what they do, by the flow whose tasks sent them. */
async function memoisedFor(...flows: readonly string[]): Promise<number[]> {
  const { strings } = JSON.parse(await text(getHeapSnapshot())) as { readonly strings: readonly string[] };
  const type = /^candidates-xstate\.done\.actor\.(\w+)-\d+$/;
  const names = strings.map((string) => type.exec(string)?.[1]);
  return flows.map((flow) => names.filter((name) => name === flow).length);
}

test('XState memoises nothing for a run, compiled or interpreted', async () => {
  const compiled = motley('compiled', 10);
  const interpreted = motley('interpreted', 10);
  await runAs(compiled.logic);
  await runAs(interpreted.machine);
  assert.equal(await memoisedFor('compiled', 'interpreted'), [0, 0]);
});

/** Enough that what V8 itself needs now and then is little for each. */
const runsOfRound = 500;

/**
 * Bytes by which the heap grows with each of many runs once it is warm: the least of some rounds, since V8 itself
 * makes code now and then. What leaks, leaks in each of them.
 */
async function growthOf(run: () => Promise<unknown>): Promise<number> {
  let before = Number.NEGATIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= 6 && least >= growthAllowed; round++) {
    for (let count = 0; count < runsOfRound; count++) await run();
    collectGarbage();
    const { heapUsed } = process.memoryUsage();
    least = Math.min(least, (heapUsed - before) / runsOfRound);
    before = heapUsed;
  }
  return least;
}

/** Bytes a run. */
const growthAllowed = 100;

const ways: Readonly<Record<string, () => () => Promise<unknown>>> = {
  'flow.run': () => {
    const flow = createFlowFromGraph(
      { tasks: { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } } },
      async () => 1,
    );
    return () => flow.run();
  },
  'engine.start': engineWay({ keepSettled: 3 }),
  'an engine that keeps none': engineWay({ keepSettled: 0 }),
  'flow.logic as an actor': () => {
    const flow = motley('flat', 6);
    return () => runAs(flow.logic);
  },
  'flow.machine as an actor': () => {
    const flow = motley('flat', 6);
    return () => runAs(flow.machine);
  },
};

function engineWay(options: EngineOptions) {
  return () => {
    const { clock, engine } = virtualEngine(options);
    const flow = motley('flat', 6);
    return async () => clock.run((await engine.start(flow)).settled());
  };
}

for (const [name, way] of Object.entries(ways)) {
  test(`settled and dropped runs leave the heap as it was (${name})`, async () => {
    const growth = await growthOf(way());
    assert.ok(growth < growthAllowed, `${growth} bytes a run`);
  });
}
