// Earlier views of random runs. `TOPPLE_SEEDS=3000` tries so many runs, `TOPPLE_SEED` others.

import fc from 'fast-check';
import {
  createEngine,
  createFlow,
  createMemoryStore,
  type Engine,
  type Entry,
  FlowError,
  type MemoryStore,
  type Run,
  type RunView,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { RunFold } from '../../src/model/fold.ts';
import { spec } from '../spec.ts';
import { ChanceStore, chance } from '../support/chance-store.ts';
import {
  command,
  engineOf,
  type Flow,
  flowOf,
  give,
  type Life,
  type Plan,
  plans,
} from '../support/random-runs.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('earlier views');

const numRuns = Number(process.env.TOPPLE_SEEDS ?? 200);
const seed = Number(process.env.TOPPLE_SEED ?? 16);

const id = 'r0';

/** Views by the `seq` at which they were seen. */
type Seen = Map<number, RunView>;

function watch(
  { heard }: Plan,
  clock: VirtualClock,
  run: Run,
  seen: Seen,
  stop: (seq: number) => void,
): void {
  seen.set(run.seq, run.view());
  run.on('*', ({ seq }) => {
    seen.set(run.seq, run.view());
    for (const { type, seq: at } of heard) if (at === seq) clock.setTimeout(() => give(run, type), 0);
    stop(seq);
  });
}

/** Runs a plan to its end, with a stop and a recovery at a `seq`, if one is given. */
async function live(plan: Plan, flow: Flow, here: { life?: Life }, memory: MemoryStore, stopAt: number) {
  const seen: Seen = new Map();
  const clock = createVirtualClock(0);
  here.life = { clock, called: () => {} };
  let engine = newEngine(plan, clock, memory);
  let stopped: Promise<void> | undefined;
  let run = (await engine.start(flow, undefined, { id })) as Run;
  watch(plan, clock, run, seen, (seq) => {
    if (seq >= stopAt) stopped ??= engine.stop();
  });
  command(plan, clock, run);
  await clock.run(run.settled().then(undefined, () => {}));
  if (stopped === undefined) return { seen, engine, run, left: 0 };
  await stopped;
  const left = memory.lastSeq(id);
  engine = newEngine(plan, clock, memory);
  const [again] = await engine.recover([flow]);
  if (again === undefined) return { seen, engine, run, left: 0 };
  run = again;
  const later: Seen = new Map();
  watch({ ...plan, heard: [] }, clock, run, later, () => {});
  command({ ...plan, timed: [] }, clock, run);
  await clock.run(run.settled());
  for (const [seq, view] of later) if (seq > left) seen.set(seq, view);
  return { seen, engine, run, left };
}

function newEngine(plan: Plan, clock: VirtualClock, memory: MemoryStore): Engine {
  const list: MemoryStore['list'] = (filter) => memory.list(filter);
  const store = plan.recovers
    ? Object.assign(new ChanceStore(chance(plan.seed), { memory }), { list })
    : memory;
  return engineOf({ ...plan, way: 'listener' }, clock, store);
}

function foldOf(flow: Flow, entries: readonly Entry[]): RunView {
  const fold = new RunFold(id, flow.definition);
  for (const entry of entries) fold.apply(entry);
  return fold.view();
}

function shuffled(count: number, random: () => number): number[] {
  return Array.from({ length: count }, (_, value) => ({ value, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ value }) => value);
}

test('are those that were seen live, and folds of the journal, wherever the run is read', async () => {
  let compared = 0;
  const property = fc.asyncProperty(plans, async (plan) => {
    const here: { life?: Life } = {};
    const flow = flowOf(plan, here);
    const memory = createMemoryStore();
    const { seen, run } = await live(plan, flow, here, memory, Number.POSITIVE_INFINITY);
    const entries = memory.read(id);
    const stored = (await createEngine({ store: memory, flows: [flow], logger: silent }).run(id)) as Run;
    for (const reader of [run, stored]) {
      for (const [seq, view] of seen) assert.equal(reader.view({ seq }), view);
      for (const seq of shuffled(entries.length + 1, chance(plan.seed)))
        assert.equal(reader.view({ seq }), foldOf(flow, entries.slice(0, seq)));
      const last = entries.at(-1) as Entry;
      for (const { at } of entries) {
        const seq = entries.findLastIndex((entry) => entry.at <= at) + 1;
        assert.equal(reader.view({ at }), reader.view({ seq }));
      }
      assert.equal(reader.view({ at: last.at + 1 }), reader.view());
      assert.equal(reader.view({ at: -1 }), reader.view({ seq: 0 }));
    }
    compared += seen.size;
  });
  await fc.assert(property, { numRuns, seed });
  assert.ok(compared > numRuns * 5, `only ${compared} views were compared`);
});

test('show, where a run was recovered, what its engines showed before and after', async () => {
  let recovered = 0;
  const property = fc.asyncProperty(plans, async (plan) => {
    const here: { life?: Life } = {};
    const memory = createMemoryStore();
    const stopAt = 2 + (Math.abs(plan.seed) % 20);
    const { seen, run, left } = await live(plan, flowOf(plan, here), here, memory, stopAt);
    if (left > 0) recovered++;
    for (const [seq, view] of [...seen].reverse()) assert.equal(run.view({ seq }), view);
  });
  await fc.assert(property, { numRuns, seed });
  assert.ok(recovered > numRuns / 4, `only ${recovered} runs were recovered`);
});

test('are plain data, which later events do not change', async () => {
  const { engine } = virtualEngine();
  const run = await engine.start(createFlow('f').task('a', { perform: () => 1 }));
  await run.settled();
  const before = run.view({ seq: 2 });
  const copy = structuredClone(before);
  run.rerun();
  await run.settled();
  assert.equal(before, copy);
  assert.equal(run.view({ seq: 2 }), copy);
  assert.is(run.view({ seq: 5 }).status, 'done');
  assert.is(run.view({ seq: 6 }).status, 'running');
});

test('of both a `seq` and an instant, of a `seq` beyond the last, or of anything else are refused', async () => {
  const { engine } = virtualEngine();
  const run = await engine.start(createFlow('f').task('a', { perform: () => 1 }));
  await run.settled();
  const refused = (moment: never, message: string) =>
    assert.throws(
      () => run.view(moment),
      (error: unknown) => {
        assert.instance(error, FlowError);
        assert.is((error as FlowError).message, message);
        return true;
      },
    );
  for (const seq of [6, -1, 1.5, Number.NaN, '1', null])
    refused(
      { seq } as never,
      `\`seq\` of \`run.view\` must be an integer from 0 to 5, the run's last \`seq\`, but is ${typeof seq === 'string' ? '"1"' : seq}`,
    );
  refused({ seq: 1, at: 1 } as never, '`at` of `run.view` must be left out where there is a `seq`, but is 1');
  refused({ at: 'noon' } as never, '`at` of `run.view` must be a number, but is "noon"');
  refused(
    { sequence: 1 } as never,
    '`options` of `run.view` does not take `sequence`. It takes `seq`, `at`.',
  );
});
