import { createFlow, createFlowFromGraph, type Flow } from 'topple';
import { createFlowModel, explore, testFlow } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { flowFor } from './scenarios.ts';
import { undoScenarios } from './undo-scenarios.ts';

const test = spec('undo in tests of flows');

const commands = ['cancel', 'pause', 'stop', 'crash', 'rerun'] as const;

function errorsOf(
  paths: readonly { readonly error?: { readonly message: string } | undefined; readonly seed: string }[],
): string[] {
  return paths.flatMap(({ error, seed }) => (error === undefined ? [] : [`${seed}: ${error.message}`]));
}

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
  assert.equal(errorsOf(tested.paths), []);
  assert.ok(tested.paths.some(({ seed }) => seed.includes('U')));
  assert.ok(explore(flow as never as Flow, { commands: [] }).notCovered.includes('undo in child runs'));
});

for (const scenario of undoScenarios) {
  test(`explores and replays ${scenario.name}`, async () => {
    const flow = flowFor(createFlowFromGraph, scenario);
    const options = { concurrency: scenario.concurrency, commands };
    const found = (['none', 'situations', 'endings'] as const).map((reduction) =>
      explore(flow, { ...options, reduction }),
    );
    for (const { findings, isComplete } of found) {
      assert.equal(
        findings.map(({ property, message, seed }) => [property, message, seed]),
        [],
      );
      assert.ok(isComplete);
    }
    const tested = await testFlow(flow, options);
    assert.equal(errorsOf(tested.paths), []);
    const seeds = tested.paths.map(({ seed }) => seed);
    assert.ok(
      seeds.some((seed) => seed.includes('U')),
      'a task is undone',
    );
    assert.ok(
      seeds.some((seed) => seed.includes('F')),
      'an undo fails',
    );
  });
}

test('undoes dependents first, and not what is upstream of a failed undo', async () => {
  const flow = flowFor(createFlowFromGraph, undoScenarios[1] as never);
  const path = createFlowModel(flow).pathOf('d0.d1.d2.f3.U2.F0');
  assert.equal(path.story.slice(-3), [
    '`last` fails; `last` is failed; the undo of `b` starts',
    '`b` is undone; the undo of `a` starts',
    '`a` cannot be undone; the run is failed',
  ]);
  const { view, entries } = await path.run();
  assert.equal(view.compensation?.tasks, { a: 'failed', b: 'undone' });
  assert.equal(
    entries.slice(-4).map(({ type }) => type),
    ['run.compensating', 'task.undone', 'task.undo_failed', 'run.failed'],
  );
  const blocked = await createFlowModel(flow).pathOf('d0.d1.d2.f3.F2').run();
  assert.equal(blocked.view.compensation?.tasks, { a: 'blocked', b: 'failed' });
});

test('says what of undo is not looked at', () => {
  const flow = flowFor(createFlowFromGraph, undoScenarios[0] as never);
  const told = explore(flow).notCovered.filter((sentence) => sentence.includes('undo'));
  assert.equal(told, [
    'retries and time limits of undo, commands while a run is undone, and reruns after that',
  ]);
});
