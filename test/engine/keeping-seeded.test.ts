// Random flows on a store that takes its time and fails at random: the same run as on a memory store, whatever happens
// in the moments between. `TOPPLE_SEEDS=3000` tries so many flows, `TOPPLE_SEED` others.

import fc from 'fast-check';
import { createMemoryStore, type Engine, type Entry, type Run, type RunView } from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor } from 'xstate';
import { RunJournal } from '../../src/engine/run-journal.ts';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { ChanceStore, chance } from '../support/chance-store.ts';
import { rest } from '../support/late-store.ts';
import {
  checkCall,
  command,
  courseOf,
  engineOf,
  type Flow,
  flowOf,
  give,
  idsOf,
  isLimited,
  isOrderFree,
  isTimed,
  keptOf,
  type Life,
  type Plan,
  plans,
  reference,
  runEndings,
  taskEndings,
} from '../support/random-runs.ts';
import { silent } from '../support/virtual.ts';

const test = spec('runs on a store that takes its time, at random');

const numRuns = Number(process.env.TOPPLE_SEEDS ?? 200);
const seed = Number(process.env.TOPPLE_SEED ?? 15);

/** What has been tried: a test that tries too little has failed. */
const tried: Record<string, number> = {};

function count(what: string, times = 1): void {
  tried[what] = (tried[what] ?? 0) + times;
}

/** Errors of checks that are made within a run, which would take them for those of a listener or a body. */
class Broken {
  #first: unknown;

  guard<Args extends unknown[]>(call: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      try {
        call(...args);
      } catch (error) {
        this.#first ??= error;
      }
    };
  }

  check(): void {
    if (this.#first !== undefined) throw this.#first;
  }
}

/** Watches what a run tells and shows, and checks that it was kept. */
function watch(plan: Plan, run: Run, store: ChanceStore, broken: Broken): void {
  if (plan.way === 'unseen') return;
  const { memory } = store;
  const { actor } = run;
  const check = (): void => {
    if (store.isDead) return;
    const { value, context } = actor.getSnapshot();
    const { startedAt, status } = context;
    const early = { running: 'opening', paused: 'held' }[status as string] ?? status;
    assert.is(value, startedAt === null ? early : status);
    const done = memory.read(run.id).filter(({ type }) => type === 'task.done').length;
    const shown = Object.values(context.tasks).filter((task) => task.status === 'done').length;
    assert.ok(shown <= done, `${shown} tasks are shown as done, and ${done} are kept`);
  };
  let last: number | undefined;
  const hear = broken.guard((entry: Entry): void => {
    if (store.isDead) return;
    const { seq } = entry;
    const lastSeq = memory.lastSeq(run.id);
    assert.ok(seq <= lastSeq && run.seq === lastSeq, `${seq} is told, ${run.seq} known, ${lastSeq} kept`);
    if (last !== undefined) assert.is(seq, last + 1);
    assert.equal(entry, memory.read(run.id)[seq - 1]);
    last = seq;
    count('entries told');
    check();
    for (const heard of plan.heard) if (heard.seq === seq) give(run, heard.type);
  });
  if (plan.way === 'listener') run.on('*', hear);
  else {
    actor.on('*', hear);
    actor.subscribe(broken.guard(check));
  }
}

async function startOf(
  plan: Plan,
  flow: Flow,
  engine: Engine,
  clock: VirtualClock,
  id: string,
): Promise<Run> {
  if (plan.way !== 'logic') return (await engine.start(flow, undefined, { id })) as Run;
  return restoreOf(flow, engine, clock, id, []);
}

/** Continues a run from the entries that were kept. */
async function restoreOf(
  flow: Flow,
  engine: Engine,
  clock: VirtualClock,
  id: string,
  entries: readonly Entry[],
): Promise<Run> {
  const run = { id, flow: 'random', input: undefined, entries };
  const snapshot = { status: 'active', value: 'running', output: undefined, error: undefined, run };
  const logic = engine.logic(flow) as AnyActorLogic;
  const actor = createActor(logic, { clock, snapshot } as never) as AnyActorRef & { start(): void };
  actor.subscribe({ error: () => {} });
  actor.start();
  return (await engine.run(id)) as Run;
}

async function compare(plan: Plan): Promise<void> {
  const broken = new Broken();
  const here: { life?: Life } = {};
  const flow = flowOf(plan, here);
  const clock = createVirtualClock();
  const store = new ChanceStore(chance(plan.seed), { failureRate: plan.failureRate });
  const { memory } = store;
  const engine = engineOf(plan, clock, store);
  here.life = { clock, called: broken.guard((scope) => checkCall(memory, scope)) };
  const views = new Map<string, RunView>();
  const ended = idsOf(plan).map(async (id) => {
    const run = await startOf(plan, flow, engine, clock, id);
    if (plan.way !== 'logic') assert.ok(memory.lastSeq(id) > 0);
    watch(plan, run, store, broken);
    command(plan, clock, run);
    const view = await run.settled();
    assert.ok(hasEnded(store, id));
    assert.equal(view, run.view());
    count(`${plan.way} ${view.status}`);
    views.set(id, view);
  });
  await clock.run(Promise.all(ended));
  broken.check();
  assert.is(store.underWay.size, 0);
  await engine.stop();
  count('appends', store.count);
  count('failures', store.failures);
  if (hears(plan) || (isLimited(plan) && isTimed(plan))) return;
  const withInstants = !isLimited(plan);
  for (const { entries, view } of await reference(plan)) {
    if (!withInstants && !isOrderFree(view)) continue;
    count('runs compared');
    const course = courseOf(memory.read(view.id), views.get(view.id) as RunView, withInstants);
    assert.equal(course, courseOf(entries, view, withInstants));
  }
}

/** Has processes die and be stopped at random; the next one continues from what was kept. */
async function survive(plan: Plan): Promise<void> {
  const here: { life?: Life } = {};
  const flow = flowOf(plan, here);
  const memory = createMemoryStore();
  const random = chance(plan.seed);
  let startAt = 0;
  for (const life of [...plan.lives, undefined]) {
    const broken = new Broken();
    const clock = createVirtualClock(startAt);
    const store = new ChanceStore(random, { memory, failureRate: plan.failureRate });
    const isLast = life === undefined && plan.recovers;
    const engine = engineOf(plan, clock, isLast ? memory : store);
    const { promise: ending, resolve } = Promise.withResolvers<void>();
    store.onAppend = (number) => {
      if (number !== life?.at) return;
      count(life.as);
      if (life.as === 'crash') store.crash();
      resolve(life.as === 'stop' ? Promise.resolve().then(() => engine.stop()) : undefined);
    };
    const called = broken.guard((scope: PerformScope): void => {
      if (!store.isDead) checkCall(memory, scope);
    });
    here.life = { clock, called };
    const left = idsOf(plan).filter((id) => !hasEnded(store, id));
    const recovered = isLast ? ((await engine.recover([flow])) as readonly Run[]) : [];
    const ended = left.map(async (id) => {
      const entries = memory.read(id);
      const run =
        recovered.find((one) => one.id === id) ??
        (entries.length === 0
          ? await startOf(plan, flow, engine, clock, id)
          : await restoreOf(flow, engine, clock, id, entries));
      if (!isLast) watch(plan, run, store, broken);
      command(plan, clock, run);
      await run.settled().catch((error: Error) => assert.is(error.name, 'EngineStoppedError'));
    });
    await Promise.race([clock.run(Promise.all(ended)), ending]);
    if (!store.isDead) assert.is(store.underWay.size, 0);
    startAt = clock.now();
    // What is left of a process that has died comes to rest, and is heard of no more.
    await rest();
    broken.check();
  }
  const expected = isTimed(plan) || hears(plan) ? [] : await reference(plan);
  for (const [index, id] of idsOf(plan).entries()) {
    const entries = memory.read(id);
    assert.equal(
      entries.map(({ seq }) => seq),
      entries.map((_, at) => at + 1),
    );
    assert.ok(runEndings.has(entries.at(-1)?.type as string));
    for (const task of plan.tasks.keys()) {
      const ends = keptOf(memory, id, `t${task}`).filter(({ type }) => taskEndings.has(type));
      assert.is(ends.length, 1, `t${task} has settled ${ends.length} times`);
    }
    const view = new RunJournal(id, flow.definition, silent, entries).view();
    const other = expected[index]?.view;
    if (other === undefined || !isOrderFree(other)) continue;
    count('survivors compared');
    assert.equal(courseOf([], view, false), courseOf([], other, false));
  }
}

const hears = ({ way, heard }: Plan): boolean => way !== 'unseen' && heard.length > 0;

function hasEnded({ memory }: ChanceStore, id: string): boolean {
  return runEndings.has(memory.read(id).at(-1)?.type as string);
}

test('are the same as on a store that keeps at once, and tell nothing that is not kept', async () => {
  await fc.assert(fc.asyncProperty(plans, compare), { seed, numRuns });
});

test('go on from what was kept, wherever their process ends, and perform nothing again that has settled', async () => {
  await fc.assert(fc.asyncProperty(plans, survive), { seed: seed + 1, numRuns });
});

test('try enough', () => {
  const least: Record<string, number> = {
    appends: 5,
    'entries told': 10,
    failures: 0.5,
    'runs compared': 0.5,
    crash: 0.5,
    stop: 0.2,
    'survivors compared': 0.1,
  };
  for (const [what, times] of Object.entries(least))
    assert.ok((tried[what] ?? 0) >= times * numRuns, `${what}: ${tried[what]} in ${numRuns} flows`);
  for (const way of ['unseen', 'listener', 'actor', 'logic', 'inspected'])
    for (const end of ['done', 'failed', 'cancelled'])
      assert.ok((tried[`${way} ${end}`] ?? 0) > 0, `${way} ${end}`);
});
