import {
  type Clock,
  createEngine,
  createFlowFromGraph,
  createMemoryStore,
  type Entry,
  type Store,
} from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('slices of a recovery');

/** Each reading takes a millisecond of its time, so that a slice is a handful of steps. */
function slowClock(): Clock {
  let ms = 0;
  return { now: () => 0, monotonicNow: () => ms++, setTimeout: () => ({}), clearTimeout: () => {} };
}

const size = 3_000;
const ids = Array.from({ length: size }, (_, index) => `t${index}`);
const tasks = { ...Object.fromEntries(ids.map((id) => [id, {}])), last: { dependsOn: ids } };
const flow = createFlowFromGraph({ name: 'f', tasks }, ({ taskId }) =>
  taskId === 'last' ? new Promise<number>(() => {}) : 1,
);

/** A store with runs of which all tasks but the last have settled. */
async function left(...runIds: string[]) {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  for (const id of runIds) await engine.start(flow, undefined, { id });
  await clock.advance(10);
  await engine.stop();
  return store;
}

/** Counts the entries that are read in each turn of the event loop. */
function counting(entries: readonly Entry[], turns: number[]): readonly Entry[] {
  return new Proxy(entries, {
    get(target, key) {
      if (typeof key === 'string' && /^[0-9]+$/.test(key)) turns[turns.length - 1] = (turns.at(-1) ?? 0) + 1;
      return Reflect.get(target, key);
    },
  });
}

/** Recovers, and gives the entries read in each turn meanwhile. */
async function turnsOf(store: (turns: number[]) => Store, clock: Clock) {
  const turns = [0];
  let isOver = false;
  const engine = createEngine({ store: store(turns), clock, logger: silent });
  const turn = (): void => {
    turns.push(0);
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const runs = await engine.recover([flow]);
  isOver = true;
  return { engine, runs, turns };
}

test('are few entries each, and the event loop has its turn between them', async () => {
  const memory = await left('r');
  const over = (turns: number[]) => storeOver(memory, { read: (id) => counting(memory.read(id), turns) });
  const { runs, turns } = await turnsOf(over, slowClock());
  assert.equal(
    runs.map(({ id }) => id),
    ['r'],
  );
  const total = memory.lastSeq('r');
  assert.is(
    turns.reduce((sum, count) => sum + count),
    total,
  );
  assert.ok(Math.max(...turns) <= 1_000, `${turns}`);
  assert.ok(turns.length > 20, `${turns.length} turns`);
  const view = runs[0]?.view();
  assert.equal([view?.tasks.t0?.status, view?.tasks.last?.status], ['done', 'pending']);
});

test('are shared by runs that are read at a time, which resume in order', async () => {
  const memory = await left('r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9');
  let reading = 0;
  let most = 0;
  const readInParts = async function* (id: string, turns: number[]): AsyncGenerator<readonly Entry[]> {
    most = Math.max(most, ++reading);
    const entries = memory.read(id);
    for (let from = 0; from < entries.length; from += 500)
      yield counting(entries.slice(from, from + 500), turns);
    reading--;
  };
  const over = (turns: number[]) => ({
    ...storeOver(memory, {}),
    readInParts: (id: string) => readInParts(id, turns),
  });
  const { runs, turns } = await turnsOf(over, slowClock());
  assert.equal(
    runs.map(({ id }) => id),
    Array.from({ length: 10 }, (_, index) => `r${index}`),
  );
  assert.ok(most > 1 && most <= 8, `${most} at a time`);
  assert.ok(Math.max(...turns) <= 2_500, `${turns}`);
});

test('are one where the clock stands still', async () => {
  const memory = await left('r');
  const { clock, engine } = virtualEngine({ store: memory });
  let turns = 0;
  const timer = setImmediate(function count() {
    turns++;
  });
  assert.is((await engine.recover([flow])).length, 1);
  clearImmediate(timer);
  assert.ok(turns <= 1);
  assert.is(clock.pending, 0);
});

test('resume nothing once the engine is stopped between two of them', async () => {
  const memory = await left('r');
  const before = memory.read('r');
  const engine = createEngine({ store: memory, clock: slowClock(), logger: silent });
  const recovering = engine.recover([flow]).catch((error: Error) => error.name);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  await engine.stop({ storeTimeoutMs: 0 });
  assert.equal([await recovering, memory.read('r')], ['EngineStoppedError', before]);
});
