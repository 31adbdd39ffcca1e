import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { childDefinition, definitionAt } from '../../src/model/child-definition.ts';
import { pathOf } from '../../src/model/child-id.ts';
import { spec } from '../spec.ts';

const test = spec('definitions of child runs');

const inner = createFlow('inner').task('x', { perform: () => 1 });
const root = createFlow('root')
  .task('plain', { perform: () => 1 })
  .flow('one', { flow: inner })
  .map('each', { over: () => ['a', 'b'], perform: inner }).definition;

test('are those of the flow, or of so many items', () => {
  assert.is(childDefinition(root, 'one', undefined), inner.definition);
  assert.equal(
    childDefinition(root, 'each', ['a', 'b'])?.tasks.map(({ id }) => id),
    ['0', '1'],
  );
  assert.equal(childDefinition(root, 'each', 'no list')?.tasks, []);
  for (const id of ['plain', 'other']) assert.is(childDefinition(root, id, []), undefined, id);
});

test('are found by the way from the root', () => {
  const at = (id: string, input?: unknown) => definitionAt(root, pathOf(id), input);
  assert.is(at('r/one#1'), inner.definition);
  assert.is(at('r/each#1/7#1'), inner.definition);
  assert.is(at('r/each#2', [1, 2, 3])?.tasks.length, 3);
  for (const id of ['r', 'r/plain#1', 'r/other#1', 'r/one#1/x#1', 'r/each#1/no#1'])
    assert.is(at(id), undefined, id);
});
