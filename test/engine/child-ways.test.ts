// Random trees of runs, in each way in which a run can be run and looked at. `TOPPLE_SEEDS` says how many trees are tried,
// `TOPPLE_SEED` which is the first.

import {
  createEngine,
  createFlow,
  createMemoryStore,
  type Entry,
  type MemoryStore,
  type Run,
  type RunView,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor, setup } from 'xstate';
import { EngineRuns } from '../../src/engine/engine.ts';
import { definitionAt } from '../../src/model/child-definition.ts';
import { pathOf } from '../../src/model/child-id.ts';
import type { FlowDefinition } from '../../src/model/definition.ts';
import { RunFold } from '../../src/model/fold.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { isSettled } from '../../src/model/status.ts';
import { spec } from '../spec.ts';
import { chance } from '../support/chance-store.ts';
import { Kept } from '../support/kept-tree.ts';
import { flowOfTree, type Tree, treeOf } from '../support/random-trees.ts';
import { silent } from '../support/virtual.ts';

const test = spec('trees of runs, in each way');

const numTrees = Number(process.env.TOPPLE_SEEDS ?? 25);
const firstSeed = Number(process.env.TOPPLE_SEED ?? 1);

/** As long as those that actors have: the lengths of outputs depend on that. */
const idOfRoot = 'r'.repeat(36);

const settles = /^task\.(done|failed|skipped|cancelled)$/;

/** A process with a tree of runs to run. */
function processOf(tree: Tree, { now = 0, failures = new Map<string, number>(), options = {} } = {}) {
  const clock = createVirtualClock(now);
  const store = createMemoryStore();
  const calls: string[] = [];
  const faults: string[] = [];
  const called = ({ idempotencyKey, runId, taskId }: PerformScope): void => {
    calls.push(idempotencyKey);
    const entries = store.read(runId).filter((entry) => 'taskId' in entry && entry.taskId === taskId);
    if (settles.test(entries.at(-1)?.type ?? '')) faults.push(`${runId} ${taskId} is performed again`);
  };
  const flow = flowOfTree(tree, { clock, failures, called });
  const logger = { ...silent, error: (...parts: unknown[]) => faults.push(parts.map(String).join(' ')) };
  const settings = { clock, random: () => 0.5, logger: logger as never, concurrency: 3, pools: { far: 2 } };
  const engine = createEngine({ ...settings, ...options, store, flows: [flow] });
  const runs = new EngineRuns({ ...settings, ...options }, store);
  const machine = (definition: FlowDefinition) => runs.machine(definition);
  /** Loads the code of child runs, which else comes while they are to begin, and has them begin together. */
  const load = async () => {
    const one = createFlow('one').flow('one', { flow: createFlow('none').task('x', { perform: () => 1 }) });
    await engine.start(one);
    await runs.start(one.definition, undefined);
    await clock.advance(0);
  };
  return { clock, store, calls, flow, engine, machine, faults, load };
}

function keptOf(store: MemoryStore, rootId: string): Kept {
  const ids = [rootId, ...store.list({ under: rootId }).map(({ id }) => id)];
  return new Kept(
    rootId,
    ids.map((id) => [id, store.read(id)]),
  );
}

/** The entries of each run of a tree, as if the root's id were `r`. */
function journalsOf(store: MemoryStore, rootId: string): Record<string, unknown[]> {
  const journals: Record<string, unknown[]> = {};
  for (const [id, entries] of keptOf(store, rootId).entries)
    journals[id.replace(rootId, 'r')] = JSON.parse(JSON.stringify(entries).replaceAll(rootId, 'r')).map(
      ({ error, ...entry }: { error?: { message: string } }) => ({ ...entry, error: error?.message }),
    );
  return journals;
}

async function undisturbed(tree: Tree) {
  const given = processOf(tree);
  const run = (await given.engine.start(given.flow, undefined, { id: idOfRoot })) as Run;
  const view = await given.clock.run(run.settled());
  return { ...given, run, view, ms: given.clock.now(), kept: keptOf(given.store, idOfRoot) };
}

async function each(what: (tree: Tree, random: () => number, isTimed: boolean) => Promise<void>) {
  for (let seed = firstSeed; seed < firstSeed + numTrees; seed++) {
    const random = chance(seed);
    const isTimed = random() < 0.3;
    try {
      await what(treeOf(random, isTimed), random, isTimed);
    } catch (error) {
      (error as Error).message = `seed ${seed}: ${(error as Error).message}`;
      throw error;
    }
  }
}

const withoutCounts = ({ tasks, ...run }: RunView) => ({
  ...run,
  tasks: Object.fromEntries(
    Object.entries(tasks).map(([id, { child, ...task }]) => [id, { ...task, child: child?.runId }]),
  ),
});

/** How many tasks of a child run have settled by its entries. */
function countsIn(kept: Kept, runId: string, total: number): object {
  const counts = { total, done: 0, failed: 0, skipped: 0, upstream_failed: 0, cancelled: 0 };
  for (const { status } of kept.tasksOf(runId).values())
    if (isSettled(status as never)) counts[status as 'done']++;
  return counts;
}

test('have the view of each entry, in each run, while they run and later', () =>
  each(async (tree) => {
    const live = processOf(tree);
    const root = (await live.engine.start(live.flow, undefined, { id: 'r' })) as Run;
    /** What a listener of the tree finds that looks at the run of the entry. */
    const seen: { readonly runId: string; readonly seq: number; readonly view: Promise<RunView> }[] = [];
    const viewAt = async (runId: string, seq: number) =>
      ((await live.engine.run(runId)) as Run).view({ seq });
    root.on('*', ({ runId, seq }) => void seen.push({ runId, seq, view: viewAt(runId, seq) }), {
      deep: true,
    });
    await live.clock.run(root.settled());
    const kept = keptOf(live.store, 'r');
    const stored = createEngine({ store: live.store, logger: silent, flows: [live.flow] });
    for (const [runId, entries] of kept.entries) {
      const input = (entries[0] as Entry & { input?: unknown }).input;
      const { definition } = live.flow;
      const ofRun = runId === 'r' ? definition : definitionAt(definition, pathOf(runId), input);
      assert.ok(ofRun !== undefined);
      const fold = new RunFold(runId, ofRun as NonNullable<typeof ofRun>);
      const views = [
        fold.view(),
        ...entries.map((entry) => {
          fold.apply(entry);
          return fold.view();
        }),
      ];
      const handles = [(await live.engine.run(runId)) as Run, (await stored.run(runId)) as Run];
      for (const handle of handles)
        for (const seq of [...views.keys()].reverse())
          assert.equal(
            withoutCounts(handle.view({ seq })),
            withoutCounts(views[seq] as RunView),
            `${runId} ${seq}`,
          );
      for (const one of seen)
        if (one.runId === runId)
          assert.equal(
            withoutCounts(await one.view),
            withoutCounts(views[one.seq] as RunView),
            `${runId}, live`,
          );
      for (const { child } of Object.values((handles[1] as Run).view().tasks)) {
        if (child?.counts === undefined) continue;
        assert.equal(child.counts, countsIn(kept, child.runId, child.counts.total), child.runId);
      }
    }
    assert.ok(seen.length > 0);
    assert.equal(live.faults, []);
  }));

interface Snapshot {
  readonly run: {
    readonly id: string;
    readonly entries: readonly Entry[];
    readonly children?: readonly { readonly id: string; readonly entries: readonly Entry[] }[];
  };
}

const keptIn = ({ run }: Snapshot): Kept =>
  new Kept(run.id, [
    [run.id, run.entries],
    ...(run.children ?? []).map(({ id, entries }) => [id, entries] as const),
  ]);

/** Starts an actor, and lets time pass until it is over, or until an instant. */
async function letRun(clock: VirtualClock, actor: AnyActorRef, ms: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  actor.subscribe({ complete: () => resolve(true), error: reject });
  actor.start();
  if (ms < Number.POSITIVE_INFINITY) {
    await clock.advance(ms);
    return actor.getSnapshot().status !== 'active';
  }
  return clock.run(promise);
}

/** What must be the same however a tree is run: how each task of the root ends, and with which output. */
const outcomeOf = ({ status, tasks }: RunView) => [
  status,
  Object.entries(tasks).map(([id, { status: ending, output }]) => [id, ending, output]),
];

test('go on from persisted snapshots, taken at any instant, again and again', () =>
  each(async (tree, random, isTimed) => {
    const expected = await undisturbed(tree);
    let snapshot: Snapshot | undefined;
    let now = 0;
    for (let left = 3; ; left--) {
      const failures = snapshot === undefined ? new Map<string, number>() : keptIn(snapshot).failures();
      const options = random() < 0.5 ? {} : { keepSettled: 0 };
      const { clock, engine, flow, store, faults } = processOf(tree, { now, failures, options });
      const logic = engine.logic(flow) as AnyActorLogic;
      const from = snapshot === undefined ? {} : { snapshot: snapshot as never };
      const actor = createActor(logic, { clock: clock as never, input: undefined, ...from });
      const ms = left === 0 ? Number.POSITIVE_INFINITY : Math.floor(random() * (expected.ms + 2));
      const isOver = await letRun(clock, actor, ms);
      assert.equal(faults, []);
      const { context } = actor.getSnapshot();
      if (isOver) {
        if (!isTimed && expected.kept.isOrderFree)
          assert.equal(rename(outcomeOf(context), context.id), rename(outcomeOf(expected.view), idOfRoot));
        if (options.keepSettled === undefined)
          for (const id of keptOf(store, context.id).entries.keys())
            assert.ok(keptOf(store, context.id).hasEnded(id), `${id} has not ended`);
        return;
      }
      snapshot = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
      now = clock.now();
      actor.stop();
    }
  }));

const rename = (value: unknown, id: string): unknown => JSON.parse(JSON.stringify(value).replaceAll(id, 'r'));

/** The ways in which an actor of a run comes to be. */
const ways = {
  inspected: ({ engine, flow, clock }) =>
    createActor(engine.logic(flow) as AnyActorLogic, {
      clock: clock as never,
      input: undefined,
      inspect: () => {},
    }),
  interpreted: ({ machine, flow, clock }) =>
    createActor(machine(flow.definition) as unknown as AnyActorLogic, {
      clock: clock as never,
      input: undefined,
    }),
  invoked: ({ engine, flow, clock }) =>
    createActor(
      setup({ actors: { run: engine.logic(flow) as AnyActorLogic } }).createMachine({
        initial: 'busy',
        states: { busy: { invoke: { src: 'run', id: 'run', onDone: 'over' } }, over: { type: 'final' } },
      }),
      { clock: clock as never },
    ),
} satisfies Record<string, (given: ReturnType<typeof processOf>) => AnyActorRef>;

for (const [way, actorOf] of Object.entries(ways)) {
  test(`have the same journals where the root is ${way}`, () =>
    each(async (tree) => {
      const expected = await undisturbed(tree);
      const given = processOf(tree, way === 'inspected' ? { options: { inspect: () => {} } } : {});
      await given.load();
      await letRun(given.clock, actorOf(given), Number.POSITIVE_INFINITY);
      const root = given.store.list().find(({ flow }) => flow === given.flow.name);
      assert.ok(root !== undefined);
      assert.equal(
        journalsOf(given.store, (root as { id: string }).id),
        journalsOf(expected.store, idOfRoot),
      );
      assert.equal(given.faults, expected.faults);
    }));
}
