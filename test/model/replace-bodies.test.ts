import * as assert from 'uvu/assert';
import { flowOf } from '../../src/flow.ts';
import { createFlow } from '../../src/index.ts';
import type { Perform } from '../../src/model/perform.ts';
import { replaceBodies } from '../../src/model/replace-bodies.ts';
import { taskPath } from '../../src/model/task-path.ts';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('replace-bodies');

const inner = createFlow('inner').task('x', { perform: () => 'x' });
const middle = createFlow('middle')
  .flow('deep', { flow: inner })
  .map('each', { over: () => [1, 2], perform: ({ item }) => item });
const flow = createFlow('outer')
  .task('a/b', { perform: () => 'a' })
  .flow('middle', { flow: middle })
  .map('runs', { over: () => [1], perform: inner });

test('reaches each body, in child runs, items and runs of items, and names it by its path', async () => {
  const { clock, engine } = virtualEngine();
  const called: string[] = [];
  const told = replaceBodies(flow.definition, (body) => {
    const { perform } = body as { readonly perform: Perform };
    return {
      kind: 'perform',
      perform: (scope) => {
        called.push(taskPath(scope.runId, scope.taskId));
        return perform(scope);
      },
    };
  });
  assert.is(told.hash, flow.definition.hash);
  const run = await engine.start(flowOf(told), undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.is(view.status, 'done');
  assert.equal(called.sort(), ['a/b', 'middle/deep/x', 'middle/each/0', 'middle/each/1', 'runs/0/x']);
  assert.equal(
    [view.tasks['a/b']?.output, view.tasks.middle?.output, view.tasks.runs?.output],
    ['a', { deep: { x: 'x' }, each: [1, 2] }, [{ x: 'x' }]],
  );
});

test('needs a function for the items of a map', () => {
  const logic = {} as never;
  assert.throws(
    () => replaceBodies(flow.definition, () => ({ kind: 'actor', logic, input: undefined })),
    /the items of map `each` need a function/,
  );
});
