// The process is gone between any two entries of any step, and another goes on from what was kept.

import { createFlow, createFlowFromGraph } from 'topple';
import { createFlowModel, type Exploration, explore, type FlowModel } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { flowFor, scenarios } from './scenarios.ts';
import { withCrash } from './seeding.ts';

const test = spec('crashes');

const flow = createFlow('order')
  .task('charge', { retry: { maxAttempts: 2 }, perform: () => 'charged' })
  .task('ship', { dependsOn: ['charge'], timeoutMs: 50, perform: () => 'shipped' });

const model = createFlowModel(flow, { commands: ['cancel', 'pause', 'crash', 'rerun'] });

/** Seeds of the paths that differ from these only in where a crash cuts the last step short. */
function cutsAfter(seed: string): number[] {
  return [0, 1, 2, 3, 4, 5].filter((kept) => isPath(model, `${seed}~${kept}`));
}

function isPath(of: FlowModel, seed: string): boolean {
  try {
    return of.pathOf(seed).seed === seed;
  } catch {
    return false;
  }
}

/** Rules whose verdicts differ in when they fall. */
const rules = ['all_success', 'one_failed', 'one_success', 'none_failed_min_one_success'];

for (const scenario of scenarios) {
  const { name, concurrency, pools, outcomes } = scenario;
  const options = { concurrency, pools, outcomes, commands: withCrash };
  const scenarioModel = createFlowModel(flowFor(createFlowFromGraph, scenario), options);

  if (!name.startsWith('rule ') || rules.includes(name.slice('rule '.length)))
    test(`${name}: the engine recovers as the model does, wherever a step is cut`, async () => {
      const paths = scenarioModel.getTestPaths();
      for (const path of paths) await path.test();
      const cut = paths.filter(({ seed }) => seed.includes('~'));
      assert.ok(cut.length > 10, `${cut.length} paths with a step that is cut`);
    });

  test(`${name}: a crash leads nowhere that a run without one does not go`, () => {
    const [without, crashing] = [withCrash.filter((command) => command !== 'crash'), withCrash].map(
      (commands) => explore(flowFor(createFlowFromGraph, scenario), { ...options, commands }),
    ) as [Exploration, Exploration];
    assert.equal(crashing.findings, []);
    assert.is(crashing.situations, without.situations);
    assert.ok(crashing.steps > without.steps);
  });
}

test('cut a step after each of its entries but the last', () => {
  assert.equal(cutsAfter('d0'), [0, 1, 2], 'task.done, task.ready, task.started');
  assert.equal(cutsAfter('f0'), [0], 'task.retrying');
  assert.equal(cutsAfter('c'), [0, 1], 'run.cancelling, task.cancelled of ship');
  assert.equal(cutsAfter('d0.t1'), [], 'nothing is kept before the body has ended');
});

test('do not take back what the clock brings', () => {
  assert.equal(cutsAfter('f0.u0'), []);
});

test('do not cut what an append keeps as a whole', () => {
  assert.equal(cutsAfter('d0.d1'), [0], 'the end of the last task and that of the run');
  assert.equal(cutsAfter('d0.d1.a'), [2, 3], 'both task.rerun');
  assert.equal(cutsAfter('z'), []);
});

test('have an attempt made again under the same number and key', async () => {
  const keys: string[] = [];
  const perform = ({ idempotencyKey }: { readonly idempotencyKey: string }) => keys.push(idempotencyKey);
  const { entries, view } = await model.pathOf('z.d0~0.d0.d1').run({ performs: { charge: perform } });
  const started = entries.filter(({ type }) => type === 'task.started');
  assert.equal(
    started.map((entry) => ('attempt' in entry ? [entry.taskId, entry.attempt] : [])),
    [
      ['charge', 1],
      ['charge', 1],
      ['charge', 1],
      ['ship', 1],
    ],
  );
  // It had returned before the process was gone, and nobody had kept that.
  assert.equal(keys, [keys[0], keys[0]]);
  assert.equal([view.status, view.tasks.charge?.attempts], ['done', 1]);
});

test('leave a paused run paused, and have a cancelled one end', async () => {
  const { view } = await model.pathOf('p.z').run();
  assert.equal([view.status, view.tasks.charge?.status], ['paused', 'pending']);
  const { view: cancelled } = await model.pathOf('c~1').run();
  assert.equal([cancelled.status, cancelled.tasks.ship?.status], ['cancelled', 'cancelled']);
});

test('are told in the story of a path', () => {
  assert.equal(model.pathOf('d0~1.d1').story, [
    'the run starts; `charge` starts',
    '`charge` is done, but the process is gone between `task.done` of `charge` and `task.ready` of `ship`; another recovers the run; `ship` starts',
    '`ship` is done; the run is done',
  ]);
  assert.is(
    model.pathOf('d0~0').description,
    '`charge` is done, but the process is gone before any of it is kept; another recovers the run',
  );
});

test('are refused where a step has no such entries', () => {
  for (const seed of ['d0~3', 'd0~', 'd0~x', 'd0~-1', 'd0~1.5', 'd0~1~1', 'z~0', 'f0.u0~0'])
    assert.throws(() => model.pathOf(seed), /pathOf|is no step of a seed/, seed);
});

test('are given only if asked for', () => {
  const { limitedBy, covered } = explore(flow);
  assert.match(covered[0] ?? '', /: cancel, pause, stop$/);
  assert.ok(limitedBy.length > 0);
});
