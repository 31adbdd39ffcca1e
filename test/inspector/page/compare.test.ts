import * as assert from 'uvu/assert';
import { compareRuns, isSameJson } from '../../../src/inspector/page/run/compare.ts';
import { spec } from '../../spec.ts';
import { recording } from './recorded.ts';

const test = spec('comparison of two runs');

test('finds where two runs first went apart, and what differs after it', async () => {
  const { recording: one } = await recording({
    a: { durationMs: 1 },
    b: { durationMs: 2, dependsOn: ['a'] },
    c: { dependsOn: ['b'] },
    gone: { durationMs: 90 },
  });
  const { recording: other } = await recording({
    a: { durationMs: 5 },
    b: { durationMs: 2, dependsOn: ['a'], fails: 'always' },
    c: { dependsOn: ['b'] },
    fresh: {},
  });
  const { rows, first } = compareRuns(one, other);
  assert.equal(
    rows.map(({ id, differs }) => [id, differs]),
    [
      ['a', []],
      ['b', ['status']],
      ['c', ['status', 'attempts']],
      ['gone', ['presence']],
      ['fresh', ['presence']],
    ],
  );
  assert.is(first?.id, 'fresh');
  assert.equal(
    rows[0]?.sides.map((side) => side?.ranMs),
    [1, 5],
  );
});

test('equal runs have no divergence', async () => {
  const tasks = { a: {}, b: { dependsOn: ['a'] } };
  const [one, other] = [await recording(tasks), await recording(tasks)];
  assert.is(compareRuns(one.recording, other.recording).first, undefined);
});

test('a differing output is a difference', async () => {
  const [one, other] = [await recording({ a: {} }), await recording({ a: {} })];
  const entries = other.entries.map((entry) =>
    entry.type === 'task.done' ? { ...entry, output: 2 } : entry,
  );
  const changed = new (
    one.recording.constructor as typeof import('../../../src/inspector/page/run/recording.ts').Recording
  )(other.recording.structure);
  changed.add(entries);
  assert.equal(compareRuns(one.recording, changed).first?.differs, ['output']);
});

test('outputs are the same whatever the order of their keys', () => {
  const value = { a: [1, { b: null }], c: 'x' };
  assert.ok(isSameJson(value, { c: 'x', a: [1, { b: null }] }));
  for (const other of [
    { a: [1, { b: null }] },
    { a: [1, {}], c: 'x' },
    { a: { 0: 1, 1: { b: null } }, c: 'x' },
    null,
    'x',
  ])
    assert.not.ok(isSameJson(value, other), JSON.stringify(other));
});
