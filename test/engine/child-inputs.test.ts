import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('inputs of child runs');

const perform = ({ item }: { readonly item: unknown }) => item;

test('may wait on a virtual clock: a list, an input, and its schema', async () => {
  const { clock, engine } = virtualEngine();
  const slow = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value: unknown) => {
        await clock.sleep(7);
        return { value };
      },
    },
  } as const;
  const child = createFlow('child', { input: slow }).task('x', { perform: ({ input }) => input });
  const flow = createFlow('parent')
    .map('m', {
      over: async () => {
        await clock.sleep(20);
        return [1, 2];
      },
      perform,
    })
    .flow('f', {
      flow: child,
      input: async () => {
        await clock.sleep(5);
        return 'late';
      },
    });
  const run = await engine.start(flow);
  const { tasks } = await clock.run(run.settled());
  assert.equal([tasks.m?.output, tasks.m?.endedAt], [[1, 2], 20]);
  assert.equal([tasks.f?.output, tasks.f?.endedAt], [{ x: 'late' }, 12]);
});

test('that ignore their signal are given up after the grace', async () => {
  const { clock, engine } = virtualEngine();
  const forever = () => new Promise<never>(() => {});
  const child = createFlow('child').task('x', { perform: () => 'x' });
  let tries = 0;
  const flow = createFlow('parent', { graceMs: 30 })
    .map('m', { over: forever, perform, totalTimeoutMs: 100, optional: true })
    .flow('f', {
      flow: child,
      timeoutMs: 50,
      retry: { maxAttempts: 2, backoff: 0 },
      input: () => (++tries === 1 ? forever() : undefined),
    });
  const run = await engine.start(flow);
  const { tasks, status } = await clock.run(run.settled());
  assert.is(status, 'done');
  assert.equal([tasks.m?.status, tasks.m?.cause, tasks.m?.endedAt], ['failed', 'timeout', 130]);
  assert.equal([tasks.f?.status, tasks.f?.attempts, tasks.f?.endedAt], ['done', 2, 80]);

  const one = createFlow('one', { graceMs: 10 }).map('m', { over: forever, perform });
  const other = await engine.start(one);
  await clock.advance(1);
  other.cancel('enough');
  const cancelled = await clock.run(other.settled());
  assert.equal([cancelled.status, cancelled.tasks.m?.status], ['cancelled', 'cancelled']);
});

test('that come while the time of their attempt is over are not used, and cost no grace', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('parent', { graceMs: 1_000 }).map('m', {
    over: async ({ signal }) => {
      await clock.sleep(500, signal).catch(() => {});
      return [1];
    },
    perform,
    totalTimeoutMs: 20,
  });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const { tasks } = await clock.run(run.settled());
  assert.equal([tasks.m?.status, tasks.m?.cause, tasks.m?.endedAt], ['failed', 'timeout', 20]);
  assert.is(clock.pending, 0);
});
