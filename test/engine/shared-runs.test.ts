import {
  type AnyFlow,
  createEngine,
  createFlow,
  createMemoryStore,
  type Engine,
  type Run,
  StoreConflictError,
} from 'topple';
import type { ClaimedRun, SharedStore, StoreWatcher } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';

const test = spec('runs in a shared store');

/** A store that other engines share, over memory: the test plays the others. */
function sharedStore() {
  const memory = createMemoryStore();
  const claims: { flows: readonly string[]; give(...ids: string[]): void }[] = [];
  const released: string[][] = [];
  let asked = Promise.withResolvers<void>();
  let watcher: StoreWatcher | undefined;
  let losses = 0;
  const store: SharedStore = {
    isAsync: true,
    append: async (given) => memory.append(given),
    lastSeq: async (runId) => memory.lastSeq(runId),
    read: async (runId) => memory.read(runId),
    list: async (filter) => memory.list(filter),
    remove: async (runId) => memory.remove(runId),
    claim(flows) {
      const { promise, resolve } = Promise.withResolvers<readonly ClaimedRun[]>();
      const claimed = (id: string): ClaimedRun => ({ id, flow: 'f', seq: 1, epoch: 2, losses });
      claims.push({ flows, give: (...ids) => resolve(ids.map(claimed)) });
      asked.resolve();
      return promise;
    },
    claimRun: async () => undefined,
    release: async (runIds) => void released.push([...runIds]),
    async watch(given) {
      watcher = given;
    },
    request: () => Promise.reject(new Error('Nobody is there')),
  };
  return {
    store,
    memory,
    released,
    watcher: () => watcher,
    /** Has the runs of later claims lost before. */
    lose(times: number) {
      losses = times;
    },
    /** The next claim. */
    async nextClaim() {
      while (claims.length === 0) {
        await asked.promise;
        asked = Promise.withResolvers();
      }
      return claims.shift() as (typeof claims)[number];
    },
    get isClaimed() {
      return claims.length > 0;
    },
  };
}

const held = () => new Promise<never>(() => {});
const flow = createFlow('f').task('a', { perform: held });
const other = createFlow('g').task('a', { perform: held });

/** A store with runs as an engine leaves them that dies. */
async function withRuns(...ids: readonly string[]) {
  const shared = sharedStore();
  const engine = engineOn(shared.store);
  for (const id of ids) await engine.start(flow, undefined, { id });
  await engine.stop();
  shared.released.length = 0;
  return shared;
}

/** Recovers runs that a claim gives, and no more. */
async function recover(
  { nextClaim }: ReturnType<typeof sharedStore>,
  engine: Engine,
  given: AnyFlow,
  ...ids: readonly string[]
): Promise<readonly Run[]> {
  const recovering = engine.recover([given]);
  (await nextClaim()).give(...ids);
  (await nextClaim()).give();
  return recovering;
}

/** Recovers a run whose process has been lost so often, in a store that keeps nothing until it is told to. */
async function recoverLost(times: number, perform: (scope: { readonly taskId: string }) => unknown) {
  const shared = await withRuns('r');
  shared.lose(times);
  const keep = Promise.withResolvers<void>();
  shared.store.append = async (given) => {
    await keep.promise;
    shared.memory.append(given);
  };
  const changed = createFlow('f').task('a', { perform });
  const [run] = (await recover(shared, engineOn(shared.store), changed, 'r')) as [Run];
  await rest();
  return { run, keep: keep.resolve };
}

function engineOn(store: SharedStore): Engine {
  return createEngine({ store, logger: silent });
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('are given up once they have ended here without having settled, those of one turn together', async () => {
  const { store, released } = sharedStore();
  const engine = engineOn(store);
  const ids = ['r0', 'r1'];
  const runs = await Promise.all(ids.map((id) => engine.start(flow, undefined, { id })));
  const broken = new Error('torn page');
  store.append = () => Promise.reject(broken);
  store.lastSeq = () => Promise.reject(broken);
  for (const run of runs) run.pause();
  for (const run of runs) assert.is(await run.settled().catch((error: Error) => error.name), 'StoreError');
  await rest();
  assert.equal(released, [ids]);
});

test('are given up later if the store cannot do it now', async () => {
  const { store, released, nextClaim } = sharedStore();
  const { release } = store;
  const engine = engineOn(store);
  const run = await engine.start(flow, undefined, { id: 'r' });
  store.release = () => Promise.reject(new Error('full'));
  store.append = () => Promise.reject(new Error('full'));
  store.lastSeq = () => Promise.reject(new Error('full'));
  run.pause();
  await run.settled().catch(() => {});
  await rest();
  store.release = release;
  const recovering = engine.recover([flow]);
  (await nextClaim()).give();
  await recovering;
  assert.equal(released, [['r']]);
});

test('are not given up if they are in conflict: another has them', async () => {
  const { store, released } = sharedStore();
  const engine = engineOn(store);
  const run = await engine.start(flow, undefined, { id: 'r' });
  store.append = () => Promise.reject(new StoreConflictError('r', 'Taken over'));
  run.pause();
  assert.instance(await run.settled().catch((error: unknown) => error), StoreConflictError);
  await rest();
  assert.equal(released, []);
});

test('are recovered that were under way here, and are not any more, since the call began', async () => {
  const { store, nextClaim, released, watcher } = sharedStore();
  const engine = engineOn(store);
  const recovering = engine.recover([flow]);
  const claim = await nextClaim();
  const run = await engine.start(flow, undefined, { id: 'r' });
  watcher()?.taken?.(['r']);
  await run.settled().catch(() => {});
  claim.give('r');
  (await nextClaim()).give();
  const again = await recovering;
  assert.equal([again.map(({ id }) => id), released], [['r'], []]);
  assert.is(await engine.run('r'), again[0]);
});

test('are given up if they cannot be recovered here', async () => {
  const shared = await withRuns('r');
  const changed = createFlow('f').task('b', { perform: held });
  assert.equal(await recover(shared, engineOn(shared.store), changed, 'r', 'removed'), []);
  assert.equal(shared.released, [['removed'], ['r']]);
});

test('are given up that an engine has claimed when it is stopped', async () => {
  const { store, nextClaim, released } = await withRuns('r0', 'r1');
  const engine = engineOn(store);
  const recovering = engine.recover([flow]).catch((error: Error) => error.name);
  const claim = await nextClaim();
  await engine.stop();
  claim.give('r0', 'r1');
  assert.is(await recovering, 'EngineStoppedError');
  await rest();
  assert.equal(released, [['r0', 'r1']]);
});

test('are left to a call under way by the watch, so that the call returns them all', async () => {
  const { store, nextClaim, watcher } = await withRuns('r0', 'r1');
  const engine = engineOn(store);
  const recovering = engine.recover([flow], { watch: true });
  const first = await nextClaim();
  watcher()?.claimable?.();
  first.give('r0');
  (await nextClaim()).give('r1');
  (await nextClaim()).give();
  assert.equal(
    (await recovering).map(({ id }) => id),
    ['r0', 'r1'],
  );
  watcher()?.claimable?.();
  (await nextClaim()).give();
});

test('are watched for by all calls that asked for it', async () => {
  const { store, nextClaim, watcher } = sharedStore();
  const engine = engineOn(store);
  for (const each of [flow, other]) {
    const recovering = engine.recover([each], { watch: true });
    (await nextClaim()).give();
    await recovering;
  }
  assert.equal(watcher()?.flows, ['f', 'g']);
  watcher()?.claimable?.();
  const claim = await nextClaim();
  assert.equal(claim.flows, ['f', 'g']);
  claim.give();
});

test('answer requests once they are under way', async () => {
  const { store, memory, nextClaim, watcher } = await withRuns('r');
  const engine = engineOn(store);
  const recovering = engine.recover([flow]);
  const claim = await nextClaim();
  const { read } = store;
  const reading = Promise.withResolvers<void>();
  store.read = async (runId) => {
    await reading.promise;
    return read(runId);
  };
  claim.give('r');
  await rest();
  const answered = watcher()?.requested?.('r', { type: 'pause' });
  reading.resolve();
  await answered;
  assert.is(memory.read('r').at(-1)?.type, 'run.paused');
  (await nextClaim()).give();
  await recovering;
});

test('that have settled meanwhile answer requests that nothing is left to do', async () => {
  const { store, memory, watcher } = sharedStore();
  const engine = engineOn(store);
  const quick = createFlow('quick').task('a', { perform: () => 1 });
  const run = (await engine.start(quick, undefined, { id: 'r' })) as Run;
  await run.settled();
  const before = memory.read('r');
  await watcher()?.requested?.('r', { type: 'cancel' });
  assert.equal(memory.read('r'), before);
});

test('that are not here any more do not answer, and are given up', async () => {
  const { store, released, watcher } = await withRuns('r');
  const engine = engineOn(store);
  await engine.start(other, undefined, { id: 'own' });
  let isAnswered = false;
  void Promise.resolve(watcher()?.requested?.('r', { type: 'pause' })).then(() => {
    isAnswered = true;
  });
  await rest();
  assert.equal([isAnswered, released], [false, [['r']]]);
});

test('that were lost have starts kept before bodies are called, until a task settles', async () => {
  for (const losses of [0, 1]) {
    const calls: string[] = [];
    const told = Promise.withResolvers<number>();
    const { run, keep } = await recoverLost(losses, ({ taskId }) => {
      calls.push(taskId);
      return told.promise;
    });
    assert.equal(calls, losses === 0 ? ['a'] : []);
    keep();
    await rest();
    assert.equal(calls, ['a']);
    told.resolve(1);
    assert.is((await run.settled()).status, 'done');
  }
});

test('that were lost call no body that was cancelled before its start was kept', async () => {
  let calls = 0;
  const { run, keep } = await recoverLost(2, () => ++calls);
  run.cancel('enough');
  await rest();
  keep();
  assert.equal([(await run.settled()).status, calls], ['cancelled', 0]);
});
