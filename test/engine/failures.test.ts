import {
  createFlow,
  createFlowFromGraph,
  createMemoryStore,
  FatalError,
  type Run,
  RunFailedError,
  type RunResult,
} from 'topple';
import * as assert from 'uvu/assert';
import { createActor, toPromise } from 'xstate';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('what fails a run');

const failing = (message: string) => () => {
  throw new FatalError(message);
};

const failureOf = async (run: Run<unknown>): Promise<RunFailedError> => {
  const error: unknown = await run.outputs().catch((failure: unknown) => failure);
  assert.instance(error, RunFailedError);
  return error as RunFailedError;
};

/** A report that cannot be made without what is fetched, though fetching it is optional. */
const nightly = createFlow('nightly')
  .task('ad', { optional: true, perform: failing('no ad') })
  .task('fetch', { optional: true, perform: failing('no network') })
  .task('render', { dependsOn: ['fetch'], perform: () => 'page' })
  .task('send', { dependsOn: ['render'], perform: () => 'sent' })
  .task('tidy', { dependsOn: ['send'], triggerRule: 'all_settled', perform: () => 'tidy' });

test('what is not optional and could not run, behind an optional task that failed', async () => {
  const run = await nightly.start();
  const view = await run.settled();
  assert.is(view.status, 'failed');
  assert.equal(
    Object.values(view.tasks).map(({ status }) => status),
    ['failed', 'failed', 'upstream_failed', 'upstream_failed', 'done'],
  );
  const error = await failureOf(run);
  assert.equal(
    error.failures.map(({ taskId, cause, blocked, error: { message } }) => [taskId, cause, blocked, message]),
    [['fetch', 'fatal', 'render', 'no network']],
  );
  assert.is((error.cause as Error).message, 'no network');
  assert.is(
    error.message,
    `Run ${run.id} of flow \`nightly\` ended failed: optional task \`fetch\` failed with FatalError: no network, so \`render\` could not run`,
  );
});

test('the same as an actor, compiled and interpreted', async () => {
  for (const logic of [nightly.logic, nightly.machine]) {
    const actor = createActor(logic as typeof nightly.logic);
    const ended = toPromise(actor);
    actor.start();
    const { status, failures } = (await ended) as RunResult & { readonly status: 'failed' };
    assert.equal(
      [status, failures.map(({ taskId, blocked }) => [taskId, blocked])],
      ['failed', [['fetch', 'render']]],
    );
  }
});

test('nothing where all that could not run is optional too, or runs all the same', async () => {
  const flow = createFlow('spared')
    .task('fetch', { optional: true, perform: failing('no network') })
    .task('chart', { dependsOn: ['fetch'], optional: true, perform: () => 'chart' })
    .task('page', {
      dependsOn: ['chart'],
      triggerRule: 'all_settled',
      perform: ({ deps }) => deps.chart ?? 'no chart',
    })
    .task('alarm', { dependsOn: ['page'], triggerRule: 'one_failed', perform: () => 'alarm' })
    .task('call', { dependsOn: ['alarm'], perform: () => 'called' });
  const run = await flow.start();
  assert.is((await run.settled()).status, 'done');
  assert.equal(await run.outputs(), { page: 'no chart' });
});

test('an optional task in the middle does not hide what fails behind it', async () => {
  const { engine, clock } = virtualEngine();
  const tasks = {
    a: { optional: true },
    b: { dependsOn: ['a'], optional: true },
    c: { dependsOn: ['b'] },
  };
  const run = await engine.start(createFlowFromGraph({ tasks }, failing('broken')));
  assert.is((await clock.run(run.settled())).status, 'failed');
  const { failures } = await failureOf(run);
  assert.equal(
    failures.map(({ taskId, blocked }) => [taskId, blocked]),
    [['a', 'c']],
  );
});

test('is told first failure first, whether it is optional or not', async () => {
  const { engine, clock } = virtualEngine();
  const after = (ms: number, message: string) => async () => {
    await clock.sleep(ms);
    throw new Error(message);
  };
  const flow = createFlow('order')
    .task('must', { perform: after(20, 'must') })
    .task('leaf', { optional: true, perform: after(5, 'leaf') })
    .task('may', { optional: true, perform: after(10, 'may') })
    .task('spared', { optional: true, perform: after(1, 'spared') })
    .task('behind', { dependsOn: ['may'], perform: () => 1 })
    .task('audit', { dependsOn: ['spared'], triggerRule: 'all_settled', perform: () => 1 });
  const run = await engine.start(flow);
  await clock.run(run.settled());
  const error = await failureOf(run);
  assert.equal(
    error.failures.map(({ taskId }) => taskId),
    ['may', 'must'],
  );
  assert.is((error.cause as Error).message, 'may');
  assert.match(error.message, /so `behind` could not run \(and 1 more\)$/);
});

test('is the same where the run was recovered from its journal', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  let isBlocked = true;
  const flow = createFlow('recovered')
    .task('fetch', { optional: true, perform: failing('no network') })
    .task('render', { dependsOn: ['fetch'], perform: () => 'page' })
    .task('slow', { perform: () => (isBlocked ? new Promise<string>(() => {}) : 'slow') });
  await first.engine.start(flow, undefined, { id: 'r' });
  await first.clock.advance(1);
  await first.engine.stop();
  isBlocked = false;
  const second = virtualEngine({ store });
  const [run] = await second.engine.recover([flow]);
  assert.is((await second.clock.run((run as Run).settled())).status, 'failed');
  const { failures } = await failureOf(run as Run);
  assert.equal(
    failures.map(({ taskId, blocked }) => [taskId, blocked]),
    [['fetch', 'render']],
  );
});

test('is gone where a rerun goes well', async () => {
  const { engine, clock } = virtualEngine();
  let isBroken = true;
  const flow = createFlow('rerun')
    .task('fetch', {
      optional: true,
      perform: () => {
        if (isBroken) throw new Error('no network');
        return 'data';
      },
    })
    .task('render', { dependsOn: ['fetch'], perform: ({ deps }) => `page of ${deps.fetch}` });
  const run = await engine.start(flow);
  assert.is((await clock.run(run.settled())).status, 'failed');
  isBroken = false;
  run.rerun();
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(await run.outputs(), { fetch: 'data', render: 'page of data' });
});

test('a task that was cancelled, which a rerun of others leaves as it is', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('partly')
    .task('a', { perform: ({ signal }) => clock.sleep(10, signal).then(() => 'a') })
    .task('b', { perform: ({ signal }) => clock.sleep(10, signal).then(() => 'b') })
    .task('c', { dependsOn: ['b'], triggerRule: 'all_settled', perform: () => 'c' });
  const run = await engine.start(flow);
  run.cancel('wrong day');
  assert.is((await clock.run(run.settled())).status, 'cancelled');
  run.rerun(['a']);
  assert.is((await clock.run(run.settled())).status, 'failed');
  const error = await failureOf(run);
  assert.equal(
    error.failures.map(({ taskId, cause }) => [taskId, cause]),
    [
      ['b', 'cancelled'],
      ['c', 'cancelled'],
    ],
  );
  assert.match(
    error.message,
    /task `b` failed with CancelledError: The task was cancelled before, and is not one/,
  );
  run.rerun();
  assert.is((await clock.run(run.settled())).status, 'done');
});

test('a task that could not run behind one that was cancelled before', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('behind-cancelled')
    .task('a', { optional: true, perform: ({ signal }) => clock.sleep(10, signal) })
    .task('b', { dependsOn: ['a'], perform: () => 'b' });
  const run = await engine.start(flow);
  run.cancel();
  await clock.run(run.settled());
  run.rerun(['b']);
  const { status, tasks } = await clock.run(run.settled());
  assert.equal([status, tasks.a?.status, tasks.b?.status], ['failed', 'cancelled', 'upstream_failed']);
  const { failures } = await failureOf(run);
  assert.equal(
    failures.map(({ taskId, cause, blocked }) => [taskId, cause, blocked]),
    [['a', 'cancelled', 'b']],
  );
});

test('leaves out what its own cancel or time-out ended', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('late', { totalTimeoutMs: 50 })
    .task('fetch', { optional: true, perform: failing('no network') })
    .task('render', { dependsOn: ['fetch'], perform: () => 'page' })
    .task('slow', { perform: ({ signal }) => clock.sleep(1_000, signal) })
    .task('after', { dependsOn: ['slow'], perform: () => 1 });
  const run = await engine.start(flow);
  const { status, cause } = await clock.run(run.settled());
  assert.equal([status, cause], ['failed', 'timeout']);
  assert.equal(
    (await failureOf(run)).failures.map(({ taskId }) => taskId),
    ['fetch'],
  );
});
