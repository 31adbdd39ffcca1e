import * as assert from 'uvu/assert';
import { FlowError } from '../../src/model/error.ts';
import { createGraph } from '../../src/model/graph.ts';
import { tasksToRerun } from '../../src/model/rerun.ts';
import type { TaskStatus } from '../../src/model/status.ts';
import { spec } from '../spec.ts';

const test = spec('tasks of a rerun');

const graph = createGraph('release', [
  { id: 'build', dependsOn: [] },
  { id: 'deploy', dependsOn: ['build', 'test'] },
  { id: 'lint', dependsOn: [] },
  { id: 'test', dependsOn: ['build'] },
]);

/** The ids of the tasks that run again. */
function again(statuses: readonly TaskStatus[], taskIds?: readonly string[]): readonly string[] {
  return tasksToRerun(graph, statuses, taskIds).map((task) => graph.ids[task] as string);
}

test('are all that are neither done nor skipped, with what is downstream', () => {
  assert.equal(again(['done', 'upstream_failed', 'skipped', 'failed']), ['deploy', 'test']);
  assert.equal(again(['done', 'done', 'cancelled', 'done']), ['lint']);
  assert.equal(again(['done', 'done', 'done', 'failed']), ['deploy', 'test']);
});

test('are all if every task is done or skipped', () => {
  assert.equal(again(['done', 'done', 'skipped', 'done']), ['build', 'deploy', 'lint', 'test']);
});

test('are those that are named, in definition order, with what is downstream', () => {
  const statuses: readonly TaskStatus[] = ['done', 'done', 'failed', 'done'];
  assert.equal(again(statuses, ['test']), ['deploy', 'test']);
  assert.equal(again(statuses, ['test', 'deploy']), ['deploy', 'test']);
  assert.equal(again(statuses, ['lint', 'build']), ['build', 'deploy', 'lint', 'test']);
  assert.equal(again(statuses, []), []);
});

test('are none of a name that no task has', () => {
  assert.throws(
    () => again(['done', 'done', 'done', 'done'], ['biuld']),
    (error: unknown) => error instanceof FlowError && error.message.includes('no task `biuld`'),
  );
});
