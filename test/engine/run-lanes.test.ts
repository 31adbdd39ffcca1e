import * as assert from 'uvu/assert';
import type { Claim } from '../../src/engine/claims.ts';
import { RunLanes } from '../../src/engine/run-lanes.ts';
import { Limit, SlotQueue } from '../../src/engine/slots.ts';
import { type Dice, diceOf, oneOf } from '../logic/oracle.ts';
import { spec } from '../spec.ts';
import { type Count, type Holder, holderOf, SlotsWorld, someSlots } from './slots-world.ts';

const test = spec('lanes of runs');

const names = ['a', 'b', 'c'] as const;

/** A run of a tree, and what is known of it apart from its lanes. */
interface Node {
  readonly lanes: RunLanes;
  readonly above: Node | undefined;
  readonly concurrency: Count | undefined;
  readonly pools: Readonly<Record<string, Count>>;
  readonly holders: readonly Holder[];
}

/** A tree of runs, each perhaps with a concurrency and pools of its own. Some lanes are made while they are held. */
function treeOf(dice: Dice): SlotsWorld {
  const world = new SlotsWorld(dice(3) === 0 ? 1 + dice(6) : Number.POSITIVE_INFINITY);
  const counted = (slots: number): Count => ({ slots, taken: 0 });
  const enginePools = Object.fromEntries(names.map((name) => [name, counted(someSlots(dice))]));
  const limits = Object.fromEntries(names.map((name) => [name, new Limit(enginePools[name]?.slots ?? 1)]));
  const noLimit = new Limit(Number.POSITIVE_INFINITY);
  const shared = { noLimit, sharedPool: (name: string) => limits[name] as Limit };
  const nodes: Node[] = [];
  for (let runs = 1 + dice(6); runs > 0; runs--) {
    const above = nodes.length === 0 || dice(5) === 0 ? undefined : oneOf(dice, nodes);
    const concurrency = dice(2) === 0 ? counted(someSlots(dice)) : undefined;
    const own = names.filter(() => dice(3) === 0).map((name) => [name, counted(someSlots(dice))] as const);
    const slots = Object.fromEntries(own.map(([name, count]) => [name, count.slots]));
    const lanes = new RunLanes(world.queue, shared, slots, concurrency?.slots, above?.lanes);
    const paused = holderOf((isHeld) => lanes.hold(isHeld));
    const inDoubt = holderOf((isHeld) => lanes.doubt(isHeld));
    const holders = [paused, inDoubt, ...(above?.holders ?? [])];
    nodes.push({ lanes, above, concurrency, pools: Object.fromEntries(own), holders });
    if (dice(4) === 0) oneOf(dice, holders).hold(true);
    for (const pool of [undefined, ...names].filter(() => dice(2) === 0)) {
      const counts = countsOf(nodes.at(-1) as Node, pool, enginePools);
      world.add(lanes.of(pool), counts, holders);
    }
    if (dice(3) === 0) world.add(lanes.free, undefined, holders);
  }
  const [root] = nodes as [Node];
  world.add(root.lanes.of(undefined), countsOf(root, undefined, enginePools), root.holders);
  return world;
}

/** The concurrency of a run and all above it, and a pool: its own, else the nearest above, else the engine's. */
function countsOf(
  node: Node,
  pool: string | undefined,
  enginePools: Readonly<Record<string, Count>>,
): Count[] {
  const path: Node[] = [];
  for (let at: Node | undefined = node; at !== undefined; at = at.above) path.push(at);
  const counts = path.flatMap(({ concurrency }) => concurrency ?? []);
  if (pool === undefined) return counts;
  const nearest = path.find(({ pools }) => pool in pools)?.pools ?? enginePools;
  return [...counts, nearest[pool] as Count];
}

test('have the limits of all runs above, and are held with them, on 3,000 schedules of trees', () => {
  let started = 0;
  for (let seed = 0; seed < 3_000; seed++) {
    const dice = diceOf(seed);
    const world = treeOf(dice);
    for (let step = 0; step < 60; step++) world.step(dice, `seed ${seed}, step ${step}`);
    world.drain(dice, `seed ${seed}, at the end`);
    started += world.started;
  }
  assert.ok(started > 50_000, `${started} claims have started`);
});

/** A queue without limits of its own, and runs in it. */
function createQueue() {
  const queue = new SlotQueue(new Limit(Number.POSITIVE_INFINITY), () => {});
  const noLimit = new Limit(Number.POSITIVE_INFINITY);
  const mail = new Limit(1);
  const shared = { noLimit, sharedPool: () => mail };
  let made = 0;
  const claim = (): Claim => ({
    place: -1,
    priority: 0,
    readyAt: 0,
    runOrder: 0,
    index: made++,
    start: () => undefined,
  });
  return {
    queue,
    claim,
    run: (slots: Record<string, number>, concurrency?: number, above?: RunLanes) =>
      new RunLanes(queue, shared, slots, concurrency, above),
  };
}

test('are the same for each task that wants the same', () => {
  const { run } = createQueue();
  const lanes = run({ own: 1 });
  assert.is(lanes.of(undefined), lanes.of(undefined));
  assert.is(lanes.of('own'), lanes.of('own'));
  assert.is(lanes.of('mail'), lanes.of('mail'));
  assert.is(lanes.free, lanes.free);
  assert.is(new Set([lanes.of(undefined), lanes.of('own'), lanes.of('mail'), lanes.free]).size, 4);
});

test('let a run below start while the one above has a single slot, at any depth', () => {
  const { queue, claim, run } = createQueue();
  let lanes = run({}, 1);
  for (let depth = 0; depth < 20; depth++) {
    const body = claim();
    lanes.free.push(body);
    assert.is(queue.giveFree(), body);
    lanes = run({}, 1, lanes);
  }
  const [first, second] = [claim(), claim()];
  lanes.of(undefined).push(first);
  lanes.of(undefined).push(second);
  assert.equal([queue.giveBest(), queue.giveBest()], [first, undefined]);
  queue.release(lanes.of(undefined));
  assert.is(queue.giveBest(), second);
});

test('are held no more with a run above that they have left', () => {
  const { queue, claim, run } = createQueue();
  const above = run({});
  const below = run({}, undefined, above);
  const waiting = claim();
  below.of(undefined).push(waiting);
  below.close();
  above.close();
  above.hold(true);
  assert.is(queue.giveBest(), waiting);
});

/** Counts how often claims are compared, by looks at their priority: two for each time. */
function counting(claim: Claim): { readonly claim: Claim; readonly count: () => number } {
  let reads = 0;
  const counted = Object.defineProperty(claim, 'priority', { get: () => reads++ * 0 });
  return { claim: counted, count: () => reads / 2 };
}

test('cost a release nothing for runs below that have pools and a concurrency of their own', () => {
  const { queue, claim, run } = createQueue();
  const root = run({}, 4);
  const all = Array.from({ length: 2_000 }, () => {
    const lanes = run({ own: 1 }, 2, root);
    const one = counting(claim());
    lanes.of('own').push(one.claim);
    return { ...one, lanes };
  });
  const count = (): number => all.reduce((sum, one) => sum + one.count(), 0);
  for (let started = 0; started < 2_000; started++) {
    const before = count();
    if (started >= 4) queue.release((all[started - 4] as (typeof all)[number]).lanes.of('own'));
    assert.is(queue.giveBest(), all[started]?.claim);
    assert.ok(count() - before <= 4 * Math.log2(2_000), `${count() - before} comparisons`);
  }
});
