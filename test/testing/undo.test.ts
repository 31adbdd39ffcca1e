import { createFlow, type Flow } from 'topple';
import { testFlow } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

const test = spec('undo in tests of flows');

test('never calls what undoes a task, and finds nothing wrong', async () => {
  const compensate = () => {
    throw new Error('called');
  };
  const child = createFlow('child').task('pack', { perform: () => 1, compensate });
  const flow = createFlow('order')
    .task('reserve', { perform: () => 1, compensate })
    .map('each', { over: () => [1], perform: () => 1, compensate })
    .flow('child', { flow: child })
    .task('ship', { dependsOn: ['reserve', 'each', 'child'], perform: () => 1 });
  const tested = await testFlow(flow as never as Flow, { commands: ['cancel', 'crash'] });
  assert.equal(
    tested.paths.flatMap(({ error }) => (error === undefined ? [] : [error.message])),
    [],
  );
  assert.ok(tested.paths.length > 3, `${tested.paths.length}`);
});
