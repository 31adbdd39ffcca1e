// topple's own engine goes every test path of flows that wait and have conditions, and does on each what the model says.

import { createFlow } from 'topple';
import { createFlowModel } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

const test = spec('waits and conditions');

const never = (): never => {
  throw new Error('no code of the flow is called');
};

const inner = createFlow('inner')
  .waitFor('value', { timeoutMs: 50 })
  .task('use', { dependsOn: ['value'], perform: never });

const flows = [
  createFlow('approval')
    .task('first', { perform: never })
    .waitFor('ok', { dependsOn: ['first'], timeoutMs: 50 })
    .sleep('nap', { dependsOn: ['ok'], ms: 50 })
    .task('last', { dependsOn: ['nap'], perform: never }),
  createFlow('branches')
    .task('one', { when: never as () => boolean, perform: never })
    .task('other', { when: never as () => boolean, perform: never, retry: { maxAttempts: 2 } })
    .task('join', {
      dependsOn: ['one', 'other'],
      triggerRule: 'none_failed_min_one_success',
      perform: never,
    }),
  createFlow('late')
    .waitFor('skips', { timeoutMs: 50, onTimeout: 'skip' })
    .waitFor('says', { timeoutMs: 50, onTimeout: { value: 'nothing' }, when: never as () => boolean })
    .sleep('until', { until: never, when: never as () => boolean })
    .task('after', { dependsOn: ['skips', 'says'], triggerRule: 'none_failed', perform: never }),
];

const commands = ['cancel', 'pause', 'stop', 'crash', 'rerun'] as const;

for (const flow of flows) {
  const model = createFlowModel(flow, { commands, maxCommands: 2 });

  test(`${flow.name}: nothing is found in the model`, () => {
    const { findings, isComplete } = model.explore({ maxCommands: 1 });
    assert.equal(
      findings.map(({ property, story }) => [property, story]),
      [],
    );
    assert.is(isComplete, true);
  });

  test(`${flow.name}: the engine agrees with the model on every path`, async () => {
    const paths = model.getTestPaths({ cover: 'pairs' });
    for (const path of paths) await path.test();
    assert.ok(paths.length > 20, `${paths.length} paths`);
  });
}

test('go on below a task whose body is a run', async () => {
  const flow = createFlow('above').flow('child', { flow: inner, retry: { maxAttempts: 2 } });
  const model = createFlowModel(flow, { commands: ['cancel', 'stop'], maxCommands: 1 });
  assert.equal(model.explore().findings, []);
  for (const path of model.getTestPaths()) await path.test();
});

test('are told in words', () => {
  const model = createFlowModel(flows[0] as never, { commands: [] });
  const told = model.getTestPaths().map(({ description }) => description);
  assert.ok(told.includes('`ok` waits too long'), told.join('\n'));
});
