import { createFlow, SkipTask } from 'topple';
import { orchestratorMachine, taskMachine } from 'topple/machines';
import { getShortestPaths, getSimplePaths, runPathOptions, taskPathOptions } from 'topple/testing/paths';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

const test = spec('paths of single machines');

const flow = createFlow('pair')
  .task('a', {
    skippable: true,
    perform: () => {
      throw new SkipTask();
    },
  })
  .task('b', { dependsOn: ['a'], perform: () => 'b' });

test('are the same for the interpreted run and the bare orchestrator', () => {
  const options = runPathOptions(flow, ['done', 'failed', 'skipped']);
  const statesOf = (paths: readonly { readonly state: { readonly value: unknown } }[]) =>
    paths.map(({ state }) => state.value);
  const byRun = getShortestPaths(flow.machine, options);
  assert.equal(statesOf(byRun), statesOf(getShortestPaths(orchestratorMachine, options)));
  assert.equal(new Set(statesOf(byRun)), new Set(Object.keys(orchestratorMachine.states)));
});

test('have tasks that do not run end as their rule says', () => {
  const paths = getShortestPaths(orchestratorMachine, runPathOptions(flow, ['done', 'failed', 'skipped']));
  const endings = paths.map(({ state }) => state.context.ledger.toJSON().statuses.join());
  assert.ok(
    endings.includes('failed,upstream_failed') && endings.includes('skipped,skipped'),
    endings.join('; '),
  );
  assert.not.ok(endings.includes('failed,done') || endings.includes('skipped,done'), endings.join('; '));
});

test('lead a task through all its attempts', () => {
  const attempts = getSimplePaths(taskMachine, taskPathOptions(3)).map(({ state }) => state.context.attempt);
  assert.is(Math.max(...attempts), 3);
  const values = new Set(getShortestPaths(taskMachine, taskPathOptions(3)).map(({ state }) => state.value));
  assert.equal([...values].sort(), [
    'backing_off',
    'cancelled',
    'cancelling',
    'done',
    'due',
    'expiring',
    'failed',
    'ready',
    'running',
    'skipped',
    'timing_out',
    'undecided',
    'upstream_failed',
  ]);
});
