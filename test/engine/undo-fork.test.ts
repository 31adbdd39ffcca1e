import { createFlow, createMemoryStore } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('a fork of a run that was undone');

test('performs again what was undone, and takes over what was not', async () => {
  const { clock, engine } = virtualEngine({ store: createMemoryStore() });
  const told: string[] = [];
  const perform = ({ taskId }: { taskId: string }) => {
    told.push(taskId);
  };
  let ends = false;
  const flow = createFlow('order')
    .task('read', { perform })
    .task('charge', { dependsOn: ['read'], perform, compensate: () => told.push('undo charge') })
    .task('ship', {
      dependsOn: ['charge'],
      perform: () => {
        if (!ends) throw new Error('no stock');
      },
    });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal(told.splice(0), ['read', 'charge', 'undo charge']);
  // It takes over the task that failed, so it is undone as the other run was, until it runs again.
  const fork = await engine.fork('r', { id: 'f' });
  const view = await clock.run(fork.settled());
  assert.equal([view.status, view.compensation?.tasks], ['failed', { charge: 'undone' }]);
  assert.equal(told.splice(0), ['charge', 'undo charge']);
  ends = true;
  fork.rerun();
  assert.is((await clock.run(fork.settled())).status, 'done');
  assert.equal(told, ['charge']);
});
