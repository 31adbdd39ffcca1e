import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { notingStore, storeOf } from '../support/cut-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('counts of child runs');

test('are there after a recovery, while the task waits for its retry and when it ends', async () => {
  const child = createFlow('child')
    .task('a', { perform: () => 1 })
    .task('b', {
      perform: () => {
        throw new Error('no');
      },
    });
  const flow = createFlow('parent').flow('p', { flow: child, retry: { maxAttempts: 2, backoff: 1_000 } });
  const { store, entries } = notingStore();
  const first = virtualEngine({ store });
  await first.engine.start(flow, undefined, { id: 'r' });
  await first.clock.advance(10);

  const { clock, engine } = virtualEngine({ store: storeOf(entries).store });
  await engine.recover([flow]);
  const run = await engine.run('r');
  await clock.advance(1);
  const counts = { total: 2, done: 1, failed: 1, skipped: 0, upstream_failed: 0, cancelled: 0 };
  const waiting = run?.view().tasks.p;
  assert.equal([waiting?.status, waiting?.child], ['retrying', { runId: 'r/p#1', counts }]);
  await run?.cancel('enough');
  const view = (await clock.run(run?.settled() as Promise<never>)) as { tasks: Record<string, unknown> };
  assert.equal((view.tasks.p as { child: object }).child, { runId: 'r/p#1', counts });
});
