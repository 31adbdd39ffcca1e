import { createFlow, createMemoryStore, FlowError, type Run } from 'topple';
import * as assert from 'uvu/assert';
import { type AnyActorRef, createActor } from 'xstate';
import { spec } from '../spec.ts';
import { append } from '../support/stores.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('ids');

const flow = createFlow('f')
  .task('a/b', { perform: () => 1 })
  .task('50 %', { dependsOn: ['a/b'], perform: () => new Promise(() => {}) });

/** What a call refuses, as fields and text. */
async function refusalOf(call: () => unknown): Promise<unknown[]> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof FlowError)) throw error;
    return [error.code, error.option, error.value, error.message];
  }
  throw new Error('Nothing was refused');
}

test('of runs have no slash, wherever one is given', async () => {
  const { engine } = virtualEngine();
  const text =
    '`id` of flow `f` must be a string without `/`, which separates it from the id of a task in `runId/taskId`, but is "r/1"';
  const expected = ['bad_option', 'id', 'r/1', text];
  assert.equal(await refusalOf(() => engine.start(flow, undefined, { id: 'r/1' })), expected);
  assert.equal(await refusalOf(() => flow.start(undefined, { id: 'r/1' })), expected);
  assert.equal(await refusalOf(() => flow.run(undefined, { id: 'r/1' })), expected);
  assert.equal(await refusalOf(() => engine.start(flow, undefined, { id: '' })), [
    'bad_option',
    'id',
    '',
    '`id` of flow `f` must be a string that is not empty, but is ""',
  ]);
});

test('of runs with a slash are not resumed, from a store or a snapshot', async () => {
  const store = createMemoryStore();
  const errors: unknown[] = [];
  const logger = {
    error: (...args: unknown[]) => errors.push(args[0], args[1] instanceof FlowError),
    warn: () => {},
    info: () => {},
  };
  const { clock, engine } = virtualEngine({ store, logger });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(0);
  const snapshot = JSON.parse(JSON.stringify(run.actor.getPersistedSnapshot()));
  await engine.stop();
  append(
    store,
    'r/1',
    store.read('r').map((entry) => ({ ...entry, runId: 'r/1' })),
    0,
  );
  store.remove('r');
  const after = virtualEngine({ store, logger });
  assert.equal(await after.engine.recover([flow]), []);
  // It would be a child run, and they are recovered with their roots.
  assert.equal(errors, []);

  snapshot.run.id = 'r/1';
  const logic = virtualEngine().engine.logic(flow);
  const restored = createActor(logic, { snapshot, input: undefined, clock });
  restored.subscribe({ error: () => {} });
  restored.start();
  assert.is(restored.getSnapshot().status, 'error');
});

test('of runs and tasks find the actor of a task, whatever else stands in them', async () => {
  const { clock, engine } = virtualEngine();
  for (const id of ['100%', '%2F', 'Ä ö', '..']) {
    const run = await engine.start(flow, undefined, { id });
    await clock.advance(0);
    const { system } = run.actor as unknown as AnyActorRef;
    assert.is(system.get(`${id}/50 %25`)?.id, '50 %', id);
    assert.equal(Object.keys(system.getAll()), [`${id}/50 %25`]);
    assert.is(await engine.run(id), run as Run);
    run.cancel();
  }
});

test('of tasks stay as they are in the keys of a run that an earlier version of topple started, and in the names of its actors', async () => {
  const store = createMemoryStore();
  const of = { flow: 'keys', runId: 'r' };
  const gate = Promise.withResolvers<void>();
  const keys: string[] = [];
  const perform = async ({ idempotencyKey }: { idempotencyKey: string }) => {
    keys.push(idempotencyKey);
    await gate.promise;
  };
  const asked = createFlow('keys')
    .task('a/b', { perform })
    .task('50%', { dependsOn: ['a/b'], perform });
  const { hash } = asked.definition;
  const entries = [
    { ...of, type: 'run.started', seq: 1, at: 0, version: 1, flowHash: hash, input: undefined },
    { ...of, type: 'task.ready', seq: 2, at: 0, taskId: 'a/b' },
    { ...of, type: 'task.started', seq: 3, at: 0, taskId: 'a/b', attempt: 1 },
  ] as const;
  append(store, 'r', entries, 0);
  const { clock, engine } = virtualEngine({ store });
  const [run] = await engine.recover([asked]);
  await clock.advance(0);
  const { system } = (run as Run).actor as unknown as AnyActorRef;
  assert.equal(Object.keys(system.getAll()), ['r/a/b']);
  assert.equal([system.get('r/a/b')?.id, system.get('r/a%2Fb')], ['a/b', undefined]);
  gate.resolve();
  await clock.run((run as Run).settled());
  assert.equal(keys, ['r/a/b', 'r/50%']);
  run?.rerun(['a/b']);
  await clock.run((run as Run).settled());
  assert.equal(keys.slice(2), ['r/a/b', 'r/50%']);
  // A run that begins now has the new form.
  const next = await engine.start(asked, undefined, { id: 's' });
  await clock.run(next.settled());
  assert.equal(keys.slice(4), ['s/a%2Fb', 's/50%25']);
  assert.equal(
    [store.read('r'), store.read('s')].map(([first]) => (first as { version?: number }).version),
    [1, 2],
  );
});

test('are asked for where something else is given', async () => {
  const { clock, engine } = virtualEngine();
  const id = '`id` of `engine.run` must be the id of a run, as `run.id` has it, but is';
  const run = await engine.start(createFlow('done').task('a', { perform: () => 1 }));
  await clock.run(run.settled());
  const cases: readonly (readonly [call: () => unknown, message: string])[] = [
    [
      () => engine.run(flow as never),
      '`engine.run` takes the id of a run, but got flow `f`. Start a run of it with `engine.start(flow, input)`, ' +
        'or with `flow.run(input)` to get its output.',
    ],
    [() => engine.run(undefined as never), `${id} undefined`],
    [() => engine.run(7 as never), `${id} 7`],
    [
      () => engine.runs(flow as never),
      '`filter` of `engine.runs` does not take `name`. It takes `flow`, `settled`, `under`, `newestFirst`, `before`, `limit`.',
    ],
    [
      () => engine.runs({ flow: () => 1 } as never),
      '`filter.flow` of `engine.runs` must be the name of a flow, but is a function',
    ],
    [
      () => engine.runs({ settled: 'no' } as never),
      '`filter.settled` of `engine.runs` must be true or false, but is "no"',
    ],
    [() => engine.recover(7 as never), '`flows` of `engine.recover` must be a list of flows, but is 7'],
    [() => run.rerun('a' as never), '`taskIds` of `run.rerun` must be a list of ids of tasks, but is "a"'],
    [
      () => flow.provide(new Map() as never),
      '`bodies` of flow `f` must be an object of bodies by task id, but is {}',
    ],
  ];
  for (const [call, message] of cases) assert.is((await refusalOf(call)).at(-1), message);
  assert.is(await engine.run('nobody'), undefined);
});
