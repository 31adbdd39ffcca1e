import * as assert from 'uvu/assert';
import {
  childIdOf,
  isChildId,
  pathOf,
  placeOf,
  rootIdOf,
  segmentOf,
  taskIdOf,
} from '../../src/model/child-id.ts';
import { spec } from '../spec.ts';

const test = spec('ids of child runs');

test('escapes what an id uses itself, once', () => {
  assert.is(segmentOf('a/b#c%2F'), 'a%2Fb%23c%252F');
  for (const id of ['a', 'a/b', '%', '%2F', '#1', 'ä ö', '__proto__', ''])
    assert.is(taskIdOf(segmentOf(id)), id);
});

test('tells task `a/b` of a root from task `b` of its child `a`', () => {
  assert.is(childIdOf('r', 'a/b', 1), 'r/a%2Fb#1');
  assert.is(childIdOf(childIdOf('r', 'a', 1), 'b', 1), 'r/a#1/b#1');
});

test('finds the root and the path of any run', () => {
  const id = childIdOf(childIdOf('r#1', 'a/b', 2), '7', 10);
  assert.is(rootIdOf(id), 'r#1');
  assert.is(rootIdOf('r#1'), 'r#1');
  assert.equal([isChildId('r#1'), isChildId(id)], [false, true]);
  assert.equal(pathOf(id), [
    { parentId: 'r#1', taskId: 'a/b', life: 2 },
    { parentId: 'r#1/a%2Fb#2', taskId: '7', life: 10 },
  ]);
  assert.equal(pathOf('r#1'), []);
});

test('knows what is no id of a child', () => {
  for (const id of ['r', 'r/a', 'r/a#0', 'r/a#01', 'r/a#-1', '/a#1', 'r/a%#1', 'r/a%2f#1', 'r/a#1/'])
    assert.is(placeOf(id), undefined, id);
});

test('knows no way to an id that no child has', () => {
  for (const id of ['r/x/y#1', 'r/x#1/y', 'r/x#0']) assert.equal(pathOf(id), [], id);
});
