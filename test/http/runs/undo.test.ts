import { createFlow, type RunView } from 'topple';
import * as assert from 'uvu/assert';
import { createRunsHandler } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';

const test = spec('undo over HTTP');

test('is in the view of a run: its status while it is undone, and what was undone after that', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('orders')
    .task('charge', { perform: () => 1, compensate: ({ signal }) => clock.sleep(10, signal) })
    .task('ship', {
      dependsOn: ['charge'],
      perform: () => {
        throw new Error('no stock');
      },
    });
  const handler = createRunsHandler({ engine, authorize: () => true, logger: silent });
  const get = async (path: string): Promise<RunView> => {
    const response = await handler(new Request(`http://localhost/runs${path}`));
    return (await response.json()) as RunView;
  };
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(5);
  const runId = 'r/#undo#1';
  const during = await get('/r');
  assert.is(during.status, 'compensating');
  assert.equal(during.compensation, { status: 'running', runId, tasks: { charge: 'pending' }, failures: [] });
  await clock.run(run.settled());
  const after = await get('/r');
  assert.is(after.status, 'failed');
  assert.equal(after.compensation, { status: 'done', runId, tasks: { charge: 'undone' }, failures: [] });
  assert.equal([after.tasks.charge?.status, after.tasks.charge?.undoneAt], ['done', 10]);
});
