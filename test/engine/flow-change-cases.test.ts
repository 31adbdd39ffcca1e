// Single cases of runs that follow another version of their flow.

import {
  createEngine,
  createFlow,
  createMemoryStore,
  type Entry,
  type FlowError,
  type MemoryStore,
  type Run,
} from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { tempFile } from '../support/sqlite.ts';
import { storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('a run of another version of its flow');

const held = (): Promise<never> => new Promise(() => {});
const perform = () => 1;
const first = createFlow('f')
  .task('a', { perform })
  .task('b', { dependsOn: ['a'], perform: held });
const second = createFlow('f')
  .task('a', { perform })
  .task('b', { dependsOn: ['a'], triggerRule: 'all_settled', perform })
  .task('c', { dependsOn: ['b'], perform });
const difference = '`c` was added; `b` has the trigger rule `all_settled`, and had `all_success`';

/** A store with a run of the first version, whose `b` was under way. */
async function left(store: MemoryStore = createMemoryStore()): Promise<MemoryStore> {
  const { clock, engine } = virtualEngine({ store });
  await engine.start(first, undefined, { id: 'r' });
  await clock.advance(1);
  await engine.stop();
  return store;
}

function logging(store: MemoryStore) {
  const errors: unknown[] = [];
  const logger = { ...silent, error: (...line: unknown[]) => errors.push(...line) };
  return { ...virtualEngine({ store, logger, flows: [second] }), errors };
}

const types = (entries: readonly Entry[]): string[] => entries.map(({ type }) => type);

test('is refused with the difference in words, and stays as it is', async () => {
  const store = await left();
  const before = store.read('r');
  const { engine, errors } = logging(store);
  assert.equal(await engine.recover([second]), []);
  const [message, error] = errors as [string, FlowError];
  assert.is(message, 'Run r of flow `f` cannot be recovered; it stays in the store as it is');
  assert.equal([error.code, error.changes], ['flow_changed', difference.split('; ')]);
  assert.match(
    error.message,
    `Run r was started with another version of flow \`f\`: ${difference}. Continue`,
  );
  const refusal = await engine.run('r').catch((reason: FlowError) => reason);
  assert.equal((refusal as FlowError).message, error.message);
  assert.equal(store.read('r'), before);
});

test('is refused without a difference where the store knows no outline, and adopted all the same', async () => {
  for (const lack of [{ readFlow: () => undefined }, { keepFlow: undefined, readFlow: undefined }]) {
    const memory = await left();
    const store = storeOver(memory, lack as Partial<MemoryStore>);
    const { engine, errors, clock } = logging(store);
    await engine.recover([second]);
    const { message, changes } = errors[1] as FlowError;
    assert.match(
      message,
      'have changed (the store has no outline of that version that would tell how). Continue',
    );
    assert.equal(changes, []);
    const [run] = await engine.recover([second], { onFlowChange: 'adopt' });
    assert.is((await clock.run((run as Run).settled())).status, 'done');
    const change = memory.read('r').find(({ type }) => type === 'run.flow_changed');
    assert.equal((change as { changes?: unknown }).changes, []);
  }
});

test('tells its listeners, events and journal how it has changed, before anything else', async () => {
  const store = await left();
  const seq = store.lastSeq('r');
  const { engine, clock } = logging(store);
  const told: Entry[] = [];
  const onRecovered = (run: Run) => void run.on('run.flow_changed', (entry) => told.push(entry));
  const [run] = (await engine.recover([second], { onFlowChange: 'adopt', onRecovered })) as [Run];
  await clock.run(run.settled());
  const expected = {
    type: 'run.flow_changed',
    at: 0,
    seq: seq + 1,
    runId: 'r',
    flowHash: second.definition.hash,
    changes: difference.split('; '),
    dropped: [],
    waiting: [],
  };
  const entry = store.read('r')[seq] as Entry;
  assert.equal({ ...entry, at: 0 }, expected);
  assert.equal(told, [entry]);
  const events: Entry[] = [];
  for await (const event of run.events({ after: seq })) events.push(event);
  assert.equal(events[0], entry);
  // It is of this version from now on.
  assert.is((await logging(store).engine.run('r'))?.view().status, 'done');
});

test('is kept as changed although nothing else happens', async () => {
  const retry = { maxAttempts: 3, backoff: 100 } as const;
  const fails = () => {
    throw new Error('no');
  };
  const store = createMemoryStore();
  const waits = createFlow('f').task('a', { retry, perform: fails });
  const { clock, engine } = virtualEngine({ store });
  await engine.start(waits, undefined, { id: 'r' });
  await clock.advance(1);
  await engine.stop();
  const ruled = createFlow('f').task('a', { retry, triggerRule: 'always', perform: fails });
  const next = virtualEngine({ store });
  await next.engine.recover([ruled], { onFlowChange: 'adopt' });
  await next.clock.advance(0);
  assert.is(types(store.read('r')).at(-1), 'run.flow_changed');
  await next.engine.stop();
  assert.is((await virtualEngine({ store }).engine.recover([ruled])).length, 1);
});

test('stays paused, and goes on being cancelled', async () => {
  const paused = await left();
  const one = virtualEngine({ store: paused });
  ((await one.engine.recover([first])) as [Run])[0].pause();
  await one.engine.stop();
  const other = logging(paused);
  const [run] = (await other.engine.recover([second], { onFlowChange: 'adopt' })) as [Run];
  await other.clock.advance(10);
  assert.equal([run.view().status, run.view().tasks.b?.status], ['paused', 'pending']);
  run.resume();
  assert.is((await other.clock.run(run.settled())).status, 'done');

  const cancelling = await left();
  const two = virtualEngine({ store: cancelling });
  const [again] = (await two.engine.recover([first])) as [Run];
  await two.clock.advance(1);
  again.cancel('enough');
  await two.engine.stop();
  assert.is(types(cancelling.read('r')).at(-1), 'run.cancelling');
  const last = logging(cancelling);
  const [ended] = (await last.engine.recover([second], { onFlowChange: 'adopt' })) as [Run];
  const view = await last.clock.run(ended.settled());
  assert.equal([view.status, view.reason, view.tasks.c?.status], ['cancelled', 'enough', 'cancelled']);
});

test('keeps the attempts and the wait of a task that may still run, and begins one anew that waits again', async () => {
  const fails = () => {
    throw new Error('no');
  };
  const retry = { maxAttempts: 3, backoff: 100 } as const;
  const store = createMemoryStore();
  const flow = createFlow('f').task('a', { retry, perform: fails }).task('b', { retry, perform: fails });
  const { clock, engine } = virtualEngine({ store });
  await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(1);
  await engine.stop();
  const changed = createFlow('f')
    .task('slow', { perform: held })
    .task('a', { retry, perform: fails })
    .task('b', { dependsOn: ['slow'], retry, perform: fails });
  const next = virtualEngine({ store });
  const [run] = (await next.engine.recover([changed], { onFlowChange: 'adopt' })) as [Run];
  await next.clock.advance(0);
  const { a, b } = run.view().tasks;
  assert.equal([a?.status, a?.attempts, a?.retryAt], ['retrying', 1, 100]);
  assert.equal(b, { status: 'pending', attempts: 0, dependsOn: ['slow'] });
  const change = store.read('r').find(({ type }) => type === 'run.flow_changed');
  assert.equal((change as { waiting?: unknown }).waiting, ['b']);
  await next.engine.stop();
});

test('may change time and again: a task that was dropped begins anew should it come back', async () => {
  const calls: string[] = [];
  const noting = (name: string) => (): string => {
    calls.push(name);
    return name;
  };
  const store = createMemoryStore();
  const one = createFlow('f')
    .task('a', { perform: noting('a1') })
    .task('b', { dependsOn: ['a'], perform: held });
  const two = createFlow('f').task('b', { perform: held });
  const three = createFlow('f')
    .task('a', { perform: noting('a3') })
    .task('b', { dependsOn: ['a'], perform: noting('b3') });
  const start = virtualEngine({ store });
  await start.engine.start(one, undefined, { id: 'r' });
  await start.clock.advance(1);
  await start.engine.stop();
  const middle = virtualEngine({ store });
  const [run] = (await middle.engine.recover([two as never], { onFlowChange: 'adopt' })) as [Run];
  await middle.clock.advance(1);
  assert.equal(Object.keys(run.view().tasks), ['b']);
  await middle.engine.stop();
  const end = virtualEngine({ store });
  const [last] = (await end.engine.recover([three], { onFlowChange: 'adopt' })) as [Run];
  await end.clock.run(last.settled());
  assert.equal([calls, await last.outputs()], [['a1', 'a3', 'b3'], { a: 'a3', b: 'b3' }]);
  const again = virtualEngine({ store, flows: [three] });
  assert.equal(await (await again.engine.run('r'))?.outputs(), { a: 'a3', b: 'b3' });
  assert.is(types(store.read('r')).filter((type) => type === 'run.flow_changed').length, 2);
});

test('lists failures of the version that it follows alone', async () => {
  const fails = () => {
    throw new Error('no');
  };
  const store = createMemoryStore();
  const one = createFlow('f').task('gone', { perform: fails }).task('b', { perform: held });
  const two = createFlow('f').task('b', { perform: fails });
  const start = virtualEngine({ store });
  await start.engine.start(one, undefined, { id: 'r' });
  await start.clock.advance(1);
  await start.engine.stop();
  const end = virtualEngine({ store });
  const [run] = (await end.engine.recover([two as never], { onFlowChange: 'adopt' })) as [Run];
  await end.clock.run(run.settled());
  const again = virtualEngine({ store, flows: [two] });
  for (const each of [run, (await again.engine.run('r')) as Run]) {
    const error = await each.outputs().catch((reason: { failures: { taskId: string }[] }) => reason);
    assert.equal(
      (error as { failures: { taskId: string }[] }).failures.map(({ taskId }) => taskId),
      ['b'],
    );
  }
});

test('is read with the version that it follows now, among those that the engine knows', async () => {
  const store = await left();
  const { engine, clock } = logging(store);
  const [run] = (await engine.recover([second], { onFlowChange: 'adopt' })) as [Run];
  await clock.run(run.settled());
  const other = virtualEngine({ store, flows: [second] });
  other.engine.logic(first);
  assert.equal(Object.keys((await other.engine.run('r'))?.view().tasks ?? {}), ['a', 'b', 'c']);
  assert.equal(await virtualEngine({ store }).engine.recover([first]), []);
});

test('takes commands of other engines in a shared file only with its own version, and says why', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file, { synchronous: 'normal' });
  const engine = createEngine({ store, logger: silent });
  const run = await engine.start(first, undefined, { id: 'r' });
  assert.is(run.view().status, 'running');
  await engine.stop();
  const next = createEngine({ store, logger: silent, flows: [second] });
  const refusal = (await next.run('r').catch((error: FlowError) => error)) as FlowError;
  assert.match(refusal.message, difference);
  await next.stop();
  await store.close();
});

test('refuses options that say something else', async () => {
  const { engine } = virtualEngine();
  const refused = async (options: object): Promise<string> =>
    String(await engine.recover([first], options).catch((error: FlowError) => error.message));
  assert.match(await refused({ onFlowChange: 'ask' }), /`refuse` or `adopt`/);
  assert.match(await refused({ ids: 'r' }), /a list of ids of runs/);
  assert.match(await refused({ ids: [1] }), /a list of ids of runs/);
  assert.match(await refused({ onRecovered: 1 }), /function/);
});

test('names the dependency that keeps a new task from running', async () => {
  const store = createMemoryStore();
  const before = virtualEngine({ store });
  const failing = () => {
    throw new Error('no');
  };
  const base = createFlow('f').task('a', { perform: failing }).task('b', { perform: held });
  await before.engine.start(base, undefined, { id: 'r' });
  await before.clock.advance(1);
  await before.engine.stop();
  const { engine, clock } = virtualEngine({ store });
  await engine.recover([base.task('c', { dependsOn: ['a'], perform })], { onFlowChange: 'adopt' });
  await clock.advance(1);
  const told = store.read('r').find(({ type }) => type === 'task.upstream_failed') as {
    taskId?: string;
    because?: string;
  };
  assert.equal([told.taskId, told.because], ['c', 'a']);
  await engine.stop();
});
