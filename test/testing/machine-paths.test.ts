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
  const states = Object.keys(orchestratorMachine.states);
  const withoutUndo = states.filter((state) => !['compensating', 'reopened'].includes(state));
  assert.equal(new Set(statesOf(byRun)), new Set(withoutUndo));
});

test('are undone before they end, if they fail or are cancelled with something done', () => {
  const undone = createFlow('undone')
    .task('a', { perform: () => 'a', compensate: () => {} })
    .task('b', { dependsOn: ['a'], perform: () => 'b' });
  const paths = getShortestPaths(orchestratorMachine, runPathOptions(undone));
  const endings = paths
    .filter(({ state }) => state.status === 'done')
    .map(({ state, steps }) => {
      const isUndone = steps.some(({ event }) => event.type === 'run.compensate');
      return `${state.value} ${state.context.ledger.toJSON().statuses} ${isUndone ? 'undone' : ''}`;
    });
  assert.equal([...new Set(endings)].sort(), [
    'cancelled cancelled,cancelled ',
    'cancelled done,cancelled undone',
    'cancelled failed,cancelled ',
    'done done,done ',
    'failed done,failed undone',
    'failed failed,upstream_failed ',
  ]);
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

test('lead a task through its condition, and through its wait', () => {
  const statesOf = (kind: { asks?: boolean; waits?: boolean }) => [
    ...new Set(getShortestPaths(taskMachine, taskPathOptions(1, kind)).map(({ state }) => state.value)),
  ];
  const asked = statesOf({ asks: true });
  assert.ok(asked.includes('asking') && asked.includes('running') && !asked.includes('waiting'));
  const waited = statesOf({ waits: true });
  assert.ok(waited.includes('planning') && waited.includes('waiting') && !waited.includes('running'));
});
