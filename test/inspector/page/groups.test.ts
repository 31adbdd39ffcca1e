import * as assert from 'uvu/assert';
import { groupTasks, prefixesIn } from '../../../src/inspector/page/run/groups.ts';
import { graphOf } from '../../../src/inspector/page/run/structure.ts';
import { spec } from '../../spec.ts';
import { structureOf } from './recorded.ts';

const test = spec('groups of tasks');

const graph = graphOf(
  structureOf({
    'etl/load/a': {},
    'etl/load/b': { dependsOn: ['etl/load/a'] },
    'etl/send': { dependsOn: ['etl/load/b'] },
    report: { dependsOn: ['etl/send'] },
  }),
);
const group = (opened: string[], isGrouped = true, shown?: Set<number>) => {
  const { nodes, dependsOn } = groupTasks(graph, { isGrouped, opened: new Set(opened), shown });
  return nodes.map(({ label, tasks }, node) => [label, tasks.length, dependsOn[node]]);
};

test('an id has a prefix before each separator, and a hyphen is one only where there is no better', () => {
  const ids = ['a/b.c-d', 'x-1'];
  assert.equal(ids.map(prefixesIn(ids)), [['a', 'a/b'], []]);
  assert.equal(['a-1', 'a_b-2', '-x'].map(prefixesIn(['a-1'])), [['a'], ['a', 'a_b'], []]);
  assert.equal(['plain', '/x//y'].map(prefixesIn(['/x//y'])), [[], ['/x']]);
});

test('tasks that share a prefix are one node, and an open prefix shows what is in it', () => {
  assert.equal(group([]), [
    ['etl…', 3, []],
    ['report', 1, [0]],
  ]);
  assert.equal(group(['etl']), [
    ['etl/load…', 2, []],
    ['etl/send', 1, [0]],
    ['report', 1, [1]],
  ]);
  assert.equal(group(['etl', 'etl/load']).length, 4);
});

test('without groups each task is a node, and only those shown', () => {
  assert.equal(group([], false, new Set([1, 2])), [
    ['etl/load/b', 1, []],
    ['etl/send', 1, [0]],
  ]);
});

test('groups that depend on one another in a circle are one node, so that a layout finds no cycle', () => {
  const circle = graphOf(
    structureOf({ 'a-1': {}, 'b-1': { dependsOn: ['a-1'] }, 'a-2': { dependsOn: ['b-1'] }, 'b-2': {} }),
  );
  const { nodes, dependsOn } = groupTasks(circle, { isGrouped: true, opened: new Set() });
  assert.equal([nodes.map(({ tasks }) => tasks), dependsOn], [[[0, 1, 2, 3]], [[]]]);
});

test('a task without a prefix is not mistaken for a group of the same name', () => {
  const same = graphOf(structureOf({ a: {}, 'a-1': { dependsOn: ['a'] }, 'a-2': {} }));
  const { nodes } = groupTasks(same, { isGrouped: true, opened: new Set() });
  assert.equal(
    nodes.map(({ label }) => label),
    ['a', 'a…'],
  );
});
