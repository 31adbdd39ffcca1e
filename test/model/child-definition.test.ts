import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { childDefinition, definitionAt } from '../../src/model/child-definition.ts';
import { pathOf } from '../../src/model/child-id.ts';
import type { FlowDefinition, MapBody, TaskDefinition } from '../../src/model/definition.ts';
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
  for (const id of [
    'r',
    'r/plain#1',
    'r/other#1',
    'r/one#1/x#1',
    'r/each#1/no#1',
    'r/each#1/-1#1',
    'r/each#1/01#1',
  ])
    assert.is(at(id), undefined, id);
});

/** The flow with a map, which notes how often its items are asked what they are. */
function countingItems() {
  const asked = { count: 0 };
  const map = root.tasks[2] as TaskDefinition;
  const { item } = map.body as MapBody;
  const noting = new Proxy(item, {
    get: (target, key) => {
      asked.count++;
      return Reflect.get(target, key);
    },
  });
  const body = { ...(map.body as MapBody), item: noting };
  const { name, graph } = root;
  const flow = { name, graph, tasks: [...root.tasks.slice(0, 2), { ...map, body }] };
  return { flow: flow as never as FlowDefinition, asked };
}

test('of items of a map are found without making the other items', () => {
  const { flow, asked } = countingItems();
  const costOf = (id: string, input?: unknown) => {
    asked.count = 0;
    assert.ok(definitionAt(flow, pathOf(id), input));
    return asked.count;
  };
  const first = costOf('r/each#1/0#1');
  assert.is(costOf('r/each#1/99999#1'), first);
  // All items of a list are made for the run of the map itself.
  assert.ok(costOf('r/each#1', new Array(1_000).fill('')) > 1_000);
});
