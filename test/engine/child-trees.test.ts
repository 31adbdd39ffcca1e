// Random trees of runs, whose process dies again and again: what must hold of child runs whatever happens. `TOPPLE_SEEDS`
// says how many trees are tried, `TOPPLE_SEED` which is the first.

import {
  createEngine,
  createFlow,
  createMemoryStore,
  type Engine,
  type Flow,
  type MemoryStore,
  type Run,
  type RunView,
  type Store,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { childIdOf } from '../../src/model/child-id.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { ChanceStore, chance } from '../support/chance-store.ts';
import { Kept, keyOfTask } from '../support/kept-tree.ts';
import { flowOfTree, type Node, type Tree, treeOf } from '../support/random-trees.ts';
import { storeOver } from '../support/stores.ts';
import { silent } from '../support/virtual.ts';

const test = spec('random trees of runs');

const numTrees = Number(process.env.TOPPLE_SEEDS ?? 25);
const firstSeed = Number(process.env.TOPPLE_SEED ?? 1);

const tried: Record<string, number> = {};
function count(what: string, times = 1): void {
  tried[what] = (tried[what] ?? 0) + times;
}

/** A process on a store that may die. */
interface Mortal {
  readonly store: Store;
  readonly isDead: boolean;
  crash(): void;
  onAppend: (count: number) => void;
}

/** Keeps at once, and nothing more once it is dead. */
class MortalMemory {
  isDead = false;
  onAppend: (count: number) => void = () => {};
  readonly store: MemoryStore;

  constructor(memory: MemoryStore) {
    let appends = 0;
    this.store = storeOver(memory, {
      append: (given) => {
        if (this.isDead) return;
        this.onAppend(++appends);
        this.onAppend(++appends);
        if (!this.isDead) memory.append(given);
      },
    });
  }

  crash(): void {
    this.isDead = true;
  }
}

/** Answers late, and dies with appends under way. */
class MortalLate extends ChanceStore {
  override async list(filter?: never): Promise<never[]> {
    return [...this.memory.list(filter)] as never[];
  }

  get store(): this {
    return this;
  }
}

/** A tree, what it runs on, and what has been seen of its runs. */
class Trial {
  readonly random: () => number;
  readonly memory = createMemoryStore();
  tree: Tree;
  flow!: Flow;
  isLate: boolean;
  isTimed: boolean;
  readonly broken: string[] = [];
  now = 0;
  clock!: VirtualClock;
  engine!: Engine;
  mortal!: Mortal;
  calls: string[] = [];

  constructor(seed: number) {
    this.random = chance(seed);
    this.isTimed = this.random() < 0.3;
    this.isLate = this.random() < 0.5;
    this.tree = treeOf(this.random, this.isTimed);
  }

  /** Takes the tree of another seed. */
  retree(seed: number): void {
    const { tree, isTimed } = new Trial(seed);
    this.tree = tree;
    this.isTimed = isTimed;
  }

  below(bound: number): number {
    return Math.floor(this.random() * bound);
  }

  kept(rootId = 'r'): Kept {
    const ids = [rootId, ...this.memory.list({ under: rootId }).map(({ id }) => id)];
    return new Kept(
      rootId,
      ids.map((id) => [id, this.memory.read(id)] as const).filter(([, { length }]) => length > 0),
    );
  }

  /** A new process. */
  begin(rootId = 'r'): void {
    this.clock = createVirtualClock(this.now);
    const mortal = this.isLate
      ? new MortalLate(this.random, { memory: this.memory })
      : new MortalMemory(this.memory);
    this.mortal = mortal;
    const called = (scope: PerformScope): void => {
      if (mortal.isDead) return;
      this.calls.push(scope.idempotencyKey);
      this.checkCall(scope);
    };
    // Bodies of a process that has died go on somewhere, and are heard of no more.
    const life = { clock: this.clock, failures: this.kept(rootId).failures(), called };
    this.flow = flowOfTree(this.tree, life);
    this.engine = createEngine({
      store: mortal.store,
      clock: this.clock,
      random: () => 0.5,
      logger: { ...silent, error: (...parts: unknown[]) => this.fault(parts.map(String).join(' ')) } as never,
      concurrency: 3,
      pools: { far: 2 },
      flows: [this.flow],
    });
  }

  fault(text: string): void {
    if (!this.mortal.isDead) this.broken.push(text);
  }

  checkCall({ runId, taskId, idempotencyKey }: PerformScope): void {
    const key = keyOfTask(runId, taskId);
    if (idempotencyKey !== key) this.fault(`key ${idempotencyKey} instead of ${key}`);
    let isSettled = false;
    let isReady = false;
    for (const entry of this.memory.read(runId)) {
      if (!('taskId' in entry) || entry.taskId !== taskId) continue;
      if (entry.type === 'task.rerun') isSettled = isReady = false;
      else if (entry.type === 'task.ready') isReady = true;
      else if (/^task\.(done|failed|skipped|cancelled)$/.test(entry.type)) isSettled = true;
    }
    if (isSettled) this.fault(`${runId} ${taskId} is performed again`);
    if (!isReady) this.fault(`${runId} ${taskId} is performed before it is kept that it is ready`);
  }

  /** Lets a run go on until it has settled, or the process dies after so many appends or at an instant. */
  async goOn(
    run: Run,
    dies: { readonly after?: number; readonly at?: number } | undefined,
    steer: (run: Run) => unknown = () => {},
  ): Promise<RunView | undefined> {
    const { promise: death, resolve } = Promise.withResolvers<undefined>();
    const die = (): void => {
      if (this.mortal.isDead) return;
      this.mortal.crash();
      resolve(undefined);
    };
    if (dies?.after !== undefined) {
      const { after } = dies;
      this.mortal.onAppend = (number) => {
        if (number >= after) die();
      };
    }
    const timer = dies?.at === undefined ? undefined : this.clock.setTimeout(die, dies.at);
    const settled = run.settled();
    const { deep, stop } = this.readDeep(run);
    steer(run);
    // A dead store holds the time for ever.
    const view = await Promise.race([this.clock.run(settled), death]);
    this.now = this.clock.now();
    this.clock.clearTimeout(timer);
    this.mortal.onAppend = () => {};
    stop();
    if (!this.mortal.isDead) this.checkWhole(this.kept(run.id), await deep, 'live');
    const orphans = this.kept(run.id).orphans();
    for (const orphan of orphans) this.broken.push(`orphan ${orphan}`);
    return this.mortal.isDead ? undefined : view;
  }

  /** Checks what must be left of a tree that has settled. */
  async checkEnd(run: Run): Promise<void> {
    const kept = this.kept(run.id);
    for (const id of kept.entries.keys()) if (!kept.hasEnded(id)) this.broken.push(`${id} has not ended`);
    await this.clock.advance(10_000_000);
    assert.is(this.clock.pending, 0, 'timers are left');
    await this.checkSlots();
    await this.checkDeep(run, kept);
  }

  /** Reads the events of the whole tree from now on, until the run ends or it is stopped. */
  readDeep(run: Run): { readonly deep: Promise<Map<string, number>>; stop(): void } {
    const dead = new AbortController();
    const read = async (): Promise<Map<string, number>> => {
      const seen = new Map<string, number>();
      for await (const { runId, seq } of run.events({ deep: true, signal: dead.signal })) {
        if (seq !== (seen.get(runId) ?? 0) + 1) this.broken.push(`live: ${runId} ${seq}`);
        seen.set(runId, seq);
      }
      return seen;
    };
    return { deep: read(), stop: () => this.mortal.isDead && dead.abort() };
  }

  checkWhole(kept: Kept, seen: ReadonlyMap<string, number>, how: string): void {
    for (const [id, entries] of kept.entries)
      if (seen.get(id) !== entries.length)
        this.broken.push(`${how}: ${seen.get(id)} of ${entries.length} entries of ${id}`);
  }

  /** All slots are free. */
  async checkSlots(): Promise<void> {
    let under = 0;
    let most = 0;
    const perform = async (): Promise<void> => {
      most = Math.max(most, ++under);
      await this.clock.sleep(1);
      under--;
    };
    const flow = createFlow('probe')
      .task('1', { perform, pool: 'far' })
      .task('2', { perform, pool: 'far' })
      .task('3', { perform })
      .task('4', { perform });
    await this.clock.run(this.engine.start(flow).then((run) => run.settled()));
    if (most !== 3) this.broken.push(`${most} slots of 3 are free`);
  }

  /** Each entry once, those of a child within the attempt whose body it is. */
  async checkDeep(run: Run, kept: Kept): Promise<void> {
    const seen = new Map<string, number>();
    const started = new Set<string>();
    const ended = new Set<string>();
    for await (const entry of run.events({ deep: true })) {
      const { runId, seq } = entry;
      if (seq !== (seen.get(runId) ?? 0) + 1)
        this.broken.push(`deep: ${runId} ${seq} after ${seen.get(runId)}`);
      seen.set(runId, seq);
      const parent = runId.slice(0, runId.lastIndexOf('#'));
      if (runId !== run.id && !started.has(parent)) this.broken.push(`deep: ${runId} ${seq} before its task`);
      if (ended.has(parent) && !('taskId' in entry && entry.type === 'task.rerun'))
        this.broken.push(`deep: ${runId} ${seq} ${entry.type} after its task`);
      if (!('taskId' in entry)) continue;
      const name = keyOf(runId, entry.taskId);
      if (entry.type === 'task.started') started.add(name);
      if (/^task\.(done|failed|cancelled)$/.test(entry.type)) ended.add(name);
      if (entry.type === 'task.rerun') {
        for (const one of [...started]) if (one === name) started.delete(one);
        ended.delete(name);
      }
    }
    this.checkWhole(kept, seen, 'deep');
  }

  check(what: string): void {
    assert.equal(this.broken.slice(0, 5), [], what);
  }
}

const keyOf = (runId: string, taskId: string): string =>
  `${runId}/${taskId.replace(/[%/#]/g, (one) => ({ '%': '%25', '/': '%2F', '#': '%23' })[one] as string)}`;

/** What must be the same whatever happens: how each task of the root ends, and with which output. */
function outcomeOf({ status, tasks }: RunView): unknown {
  return {
    status,
    tasks: Object.fromEntries(Object.entries(tasks).map(([id, task]) => [id, [task.status, task.output]])),
  };
}

async function undisturbed(
  seed: number,
): Promise<{ outcome: unknown; appends: number; ms: number; isFree: boolean }> {
  const trial = new Trial(seed);
  trial.begin();
  let appends = 0;
  trial.mortal.onAppend = () => void appends++;
  const run = (await trial.engine.start(trial.flow, undefined, { id: 'r' })) as Run;
  const view = (await trial.goOn(run, undefined)) as RunView;
  const kept = trial.kept();
  const ms = trial.clock.now();
  await trial.checkEnd(run);
  trial.check(`seed ${seed}, undisturbed`);
  count(`undisturbed ${view.status}`);
  count('runs in trees', kept.entries.size);
  return { outcome: outcomeOf(view), appends, ms, isFree: !trial.isTimed && kept.isOrderFree };
}

/** Goes on with a run in as many processes as it takes. */
async function survive(
  trial: Trial,
  deaths: number,
  most: { appends: number; ms: number },
): Promise<{ run: Run; view: RunView }> {
  for (let left = deaths; ; left--) {
    const dies =
      left <= 0
        ? undefined
        : trial.random() < 0.5
          ? { after: 1 + trial.below(most.appends) }
          : { at: trial.below(most.ms + 2) };
    trial.begin();
    let [run] = (await trial.engine.recover([trial.flow])) as Run[];
    if (run === undefined) run = (await trial.engine.run('r')) as Run;
    if (run === undefined) run = (await trial.engine.start(trial.flow, undefined, { id: 'r' })) as Run;
    const view = await trial.goOn(run, dies);
    trial.check('a life');
    if (view !== undefined) return { run, view };
    count('deaths');
  }
}

async function crashAndRecover(seed: number): Promise<void> {
  const expected = await undisturbed(seed);
  const trial = new Trial(seed);
  const { run, view } = await survive(trial, 4, {
    appends: Math.max(2, Math.ceil(expected.appends / 2)),
    ms: expected.ms,
  });
  await trial.checkEnd(run);
  trial.check(`seed ${seed}`);
  if (!expected.isFree) return;
  count('outcomes compared');
  assert.equal(outcomeOf(view), expected.outcome, `seed ${seed}`);
}

/** Steers a run from outside, at instants. */
function steer(trial: Trial, run: Run, ms: number): { cancelled: boolean } {
  const told = { cancelled: false };
  const at = (): number => trial.below(ms + 2);
  const kind = trial.below(3);
  if (kind !== 1) {
    trial.clock.setTimeout(() => void quietly(() => run.pause()), at());
    trial.clock.setTimeout(() => void quietly(() => run.resume()), 1_000_000);
  }
  if (kind !== 0)
    trial.clock.setTimeout(() => {
      told.cancelled = true;
      quietly(() => run.cancel('enough'));
    }, at());
  return told;
}

function quietly(command: () => unknown): void {
  try {
    void Promise.resolve(command()).catch(() => {});
  } catch {}
}

async function steered(seed: number): Promise<void> {
  const expected = await undisturbed(seed);
  const trial = new Trial(seed + 7);
  trial.retree(seed);
  let isPaused = false;
  for (let left = 3; ; left--) {
    trial.begin();
    let [run] = (await trial.engine.recover([trial.flow])) as Run[];
    run ??= (await trial.engine.run('r')) as Run;
    run ??= (await trial.engine.start(trial.flow, undefined, { id: 'r' })) as Run;
    const before = trial.kept();
    const calls = trial.calls.length;
    const wasEnding = before.isEnding('r');
    isPaused = before.isPaused('r') && !wasEnding;
    if (isPaused || wasEnding) {
      await trial.clock.advance(5_000);
      if (trial.calls.length > calls)
        trial.broken.push(`performs ${trial.calls.slice(calls)} while ${isPaused ? 'paused' : 'cancelling'}`);
      count(isPaused ? 'recovered paused' : 'recovered cancelling');
      run.resume();
    }
    const view = await trial.goOn(run, left > 0 ? { at: trial.below(expected.ms + 2) } : undefined, (one) =>
      steer(trial, one, expected.ms),
    );
    trial.check(`seed ${seed}, steered`);
    if (view === undefined) {
      count('deaths while steered');
      continue;
    }
    count(`steered ${view.status}`);
    await trial.checkEnd(run);
    trial.check(`seed ${seed}, steered`);
    return;
  }
}

async function each(what: (seed: number) => Promise<void>, share = 1): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + numTrees * share; seed++) {
    try {
      await what(seed);
    } catch (error) {
      (error as Error).message = `seed ${seed}: ${(error as Error).message}`;
      throw error;
    }
  }
}

test('end as undisturbed however often their process dies', () => each(crashAndRecover));

test('hold, end and go on with their root, whatever cuts that', () => each(steered));

/** What an unnamed rerun leaves alone: keys of bodies that are done, with nothing changed upstream. */
function keptByRerun(kept: Kept, trial: Trial): Set<string> {
  const keys = new Set<string>();
  const leaveAlone = (
    runId: string,
    tree: readonly Node[] | number,
    node: Node | undefined,
    isWhole: boolean,
  ): void => {
    const tasks = kept.tasksOf(runId);
    const nodes: readonly Node[] =
      typeof tree === 'number'
        ? Array.from({ length: tree }, (_, index) => ({
            ...(node as Node),
            id: String(index),
            dependsOn: [],
            items: undefined,
          }))
        : tree;
    const isDone = (id: string): boolean => ['done', 'skipped'].includes(tasks.get(id)?.status ?? '');
    const all = nodes.every(({ id }) => isDone(id));
    const again = new Set<string>();
    for (const { id, dependsOn } of nodes)
      if (!isDone(id) || (all && !isWhole) || dependsOn.some((one) => again.has(one))) again.add(id);
    for (const one of nodes) {
      const { id, dependsOn, items, tree: below } = one;
      const isUnchanged = !dependsOn.some((upstream) => again.has(upstream));
      const life = tasks.get(id)?.life ?? 1;
      const childId = childIdOf(runId, id, life);
      const hasChild = kept.entries.has(childId);
      if (!again.has(id)) addAll(kept, runId, id, hasChild, childId, keys);
      else if (hasChild && isUnchanged) leaveAlone(childId, items ?? (below as Tree).nodes, one, true);
    }
  };
  leaveAlone('r', trial.tree.nodes, undefined, false);
  return keys;
}

function addAll(
  kept: Kept,
  runId: string,
  id: string,
  hasChild: boolean,
  childId: string,
  keys: Set<string>,
): void {
  if (!hasChild) return void keys.add(keyOfTask(runId, id));
  for (const [taskId, { life, status }] of kept.tasksOf(childId)) {
    if (status !== 'done') continue;
    const next = childIdOf(childId, taskId, life);
    addAll(kept, childId, taskId, kept.entries.has(next), next, keys);
  }
}

async function rerunning(seed: number): Promise<void> {
  const trial = new Trial(seed + 13);
  trial.retree(seed);
  const expected = await undisturbed(seed);
  const most = { appends: Math.max(2, Math.ceil(expected.appends / 2)), ms: expected.ms };
  let { run, view } = await survive(trial, 1, most);
  for (let round = 0; round < 4; round++) {
    const kept = trial.kept();
    const names =
      trial.below(2) === 0
        ? undefined
        : [trial.tree.nodes[trial.below(trial.tree.nodes.length)]?.id as string];
    const alone = names === undefined ? keptByRerun(kept, trial) : new Set<string>();
    const calls = trial.calls.length;
    const before = kept.entries.get('r')?.length ?? 0;
    if (trial.below(2) === 0) {
      // Another process has the run from the store.
      trial.begin();
      run = (await trial.engine.run('r')) as Run;
    }
    run.rerun(names);
    const dies = trial.below(2) === 0 ? { after: 1 + trial.below(most.appends) } : undefined;
    const first = await trial.goOn(run, dies);
    if (first === undefined) {
      count('reruns cut');
      if ((trial.kept().entries.get('r')?.length ?? 0) === before) {
        // Nobody knows that it was to run again.
        trial.begin();
        run = (await trial.engine.run('r')) as Run;
        continue;
      }
      ({ run, view } = await survive(trial, 2, most));
    } else view = first;
    count(names === undefined ? 'unnamed reruns' : 'named reruns');
    count('keys left alone', alone.size);
    for (const key of trial.calls.slice(calls))
      if (alone.has(key)) trial.broken.push(`the rerun performs ${key} again`);
    await trial.checkEnd(run);
    trial.check(`seed ${seed}, round ${round}`);
  }
  if (!expected.isFree || trial.isTimed) return;
  // What failed a few times is done by now.
  count(`rerun ${view.status}`);
}

test('keep in reruns what is done with nothing changed upstream', () => each(rerunning));

/** Forks a run as of a random entry, under way or settled. */
async function forking(seed: number): Promise<void> {
  const trial = new Trial(seed);
  trial.begin();
  const run = (await trial.engine.start(trial.flow, undefined, { id: 'r' })) as Run;
  await trial.clock.run(run.settled());
  const seq = 1 + trial.below(run.seq);
  const calls = trial.calls.length;
  const until = trial.memory.read('r')[seq - 1]?.at ?? 0;
  const done = new Set<string>();
  for (const [runId, entries] of trial.kept().entries)
    for (const entry of entries)
      if (
        entry.type === 'task.done' &&
        entry.at < until &&
        !entries.some(({ type }) => type === 'task.rerun')
      )
        done.add(keyOfTask(runId, entry.taskId).replace(/^r/, 'f'));
  const isPlain = ![...trial.kept().entries.values()].flat().some(({ type }) => type === 'task.rerun');
  const fork = (await trial.engine.fork('r', { seq, id: 'f' })) as Run;
  await trial.clock.run(fork.settled());
  for (const orphan of trial.kept('f').orphans()) trial.broken.push(`fork: ${orphan}`);
  for (const id of trial.kept('f').entries.keys())
    if (!trial.kept('f').hasEnded(id)) trial.broken.push(`fork: ${id} has not ended`);
  if (isPlain)
    for (const key of trial.calls.slice(calls))
      if (done.has(key)) trial.broken.push(`the fork performs ${key} again`);
  trial.check(`seed ${seed}, fork at ${seq}`);
  count('forks');
  trial.memory.remove('f');
  assert.equal(trial.kept('f').entries.size, 0);
  assert.ok(trial.kept('r').entries.size > 0);
}

test('are forked whole as of any entry', () => each(forking));

test.after(() => {
  // What tries too little has failed.
  for (const what of [
    'deaths',
    'outcomes compared',
    'recovered paused',
    'steered cancelled',
    'keys left alone',
    'reruns cut',
  ])
    assert.ok((tried[what] ?? 0) > 0, `${what}: ${JSON.stringify(tried)}`);
});
