import { createFlow, SkipTask } from 'topple';
import { always, type Exploration, eventually, explore, leadsTo, never, type Property } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';

const test = spec('properties');

const perform = () => 'output';
const flow = createFlow('order')
  .task('pay', { retry: { maxAttempts: 2 }, perform })
  .task('gift', {
    dependsOn: ['pay'],
    skippable: true,
    perform: () => {
      throw new SkipTask();
    },
  })
  .task('ship', { dependsOn: ['pay', 'gift'], triggerRule: 'none_failed', perform });

function look(...properties: Property[]): Exploration {
  return explore(flow, { properties, commands: [] });
}

/** What is found, as property and seed. */
function found(...properties: Property[]): (readonly [string, string])[] {
  return look(...properties).findings.map(({ property, seed }) => [property, seed]);
}

test('report nothing if they hold', () => {
  const { findings, isComplete } = look(
    always(({ tasks }) => tasks.ship?.status !== 'running' || tasks.pay?.status === 'done'),
    never(({ tasks }) => tasks.pay?.status === 'failed' && tasks.gift?.status === 'running'),
    eventually(({ tasks }) => tasks.pay?.status === 'running'),
    leadsTo(
      ({ tasks }) => tasks.gift?.status === 'skipped',
      ({ tasks }) => tasks.ship?.status === 'done' || tasks.ship?.status === 'failed',
    ),
  );
  assert.equal([findings, isComplete], [[], true]);
});

test('always and never give a shortest counter-example', () => {
  assert.equal(found(always(({ tasks }) => tasks.gift?.status !== 'skipped', 'never skipped')), [
    ['never skipped', 'd0.k1'],
  ]);
  const twice = never(
    ({ tasks }) => tasks.pay?.attempts === 2 && tasks.ship?.status === 'running',
    'paid twice',
  );
  assert.equal(found(twice), [['paid twice', 'f0.u0.d0.d1']]);
});

test('eventually is broken by a path that ends without it', () => {
  const shipped = eventually(({ tasks }) => tasks.ship?.status === 'done', 'shipped');
  assert.equal(found(shipped), [['shipped', 'x0']]);
});

test('leadsTo is broken by a path on which the second condition never follows', () => {
  const both = leadsTo(
    ({ tasks }) => tasks.pay?.status === 'done',
    ({ status }) => status === 'done',
    'who has paid has a run that is done',
  );
  assert.equal(found(both), [['who has paid has a run that is done', 'd0.f1']]);
});

test('distinguish causes and attempts of settled tasks if they read them', () => {
  const fatal = never(({ tasks }) => tasks.pay?.cause === 'fatal', 'fatal');
  const exhausted = never(({ tasks }) => tasks.pay?.cause === 'exhausted', 'exhausted');
  assert.equal(found(fatal, exhausted), [
    ['fatal', 'x0'],
    ['exhausted', 'f0.u0.f0'],
  ]);
});

test('are named by the source of their conditions', () => {
  const [finding] = look(never((view) => view.status === 'failed')).findings;
  assert.is(finding?.property, "never((view) => view.status === 'failed')");
});

test('that name no task, or throw, are found at once', () => {
  const [typo] = look(always(({ tasks }) => tasks.shp?.status !== 'failed', 'typo')).findings;
  assert.equal(
    [typo?.seed, typo?.message],
    ['', 'its function threw FlowError: Flow `order` has no task `shp`. Did you mean `ship`?'],
  );
});

test('see every task of a view', () => {
  const seen = new Set<string>();
  look(
    always(({ tasks, flow: name }) => {
      for (const [id, { status }] of Object.entries(tasks)) seen.add(`${name} ${id} ${status}`);
      return 'pay' in tasks && !('pai' in tasks);
    }),
  );
  assert.ok(
    seen.has('order gift skipped') &&
      seen.has('order ship upstream_failed') &&
      seen.has('order pay retrying'),
    [...seen].join(),
  );
});
