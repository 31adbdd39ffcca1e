import * as assert from 'uvu/assert';
import { createFlow, type FlowError } from '../../src/index.ts';
import type { MapBody, TaskBody } from '../../src/model/definition.ts';
import { spec } from '../spec.ts';

const test = spec('provide-bodies');

const inner = createFlow('inner').task('x', { perform: () => 1 });
const child = createFlow('child')
  .flow('deep', { flow: inner })
  .task('y', { perform: () => 2 });
const over = (): number[] => [1];
const parent = createFlow('parent')
  .task('a', { perform: () => 3 })
  .flow('b', { flow: child, input: () => 'given' })
  .map('each', { over, perform: ({ item }) => item })
  .map('runs', { over, perform: child });

function bodyOf(flow: typeof parent, id: string): TaskBody {
  const task = flow.definition.tasks.find((each) => each.id === id);
  if (task === undefined) throw new Error(`no ${id}`);
  return task.body;
}

function refusal(bodies: unknown): string {
  try {
    parent.provide(bodies as never);
  } catch (error) {
    return (error as FlowError).message;
  }
  throw new Error('not refused');
}

test('puts a function in the place of a run of a flow', () => {
  const perform = () => ({ deep: { x: 5 }, y: 6 });
  assert.equal(bodyOf(parent.provide({ b: { perform } }), 'b'), { kind: 'perform', perform });
});

test('puts another flow in its place, with the same input unless another is given', () => {
  const other = createFlow('other').output(() => ({ deep: { x: 1 }, y: 2 }));
  const [was, kept] = [bodyOf(parent, 'b'), bodyOf(parent.provide({ b: { flow: other } }), 'b')];
  if (was.kind !== 'flow' || kept.kind !== 'flow') throw new Error('no flow');
  assert.is(kept.flow, other.definition);
  assert.is(kept.input, was.input);
  const input = () => 'other';
  const given = bodyOf(parent.provide({ b: { flow: other, input } }), 'b');
  assert.is(given.kind === 'flow' && given.input, input);
});

test('puts another list or body into a map, and leaves the rest', () => {
  const was = bodyOf(parent, 'each') as MapBody;
  const perform = () => 7;
  const performed = bodyOf(parent.provide({ each: { perform } }), 'each') as MapBody;
  assert.equal(performed, { ...was, item: { ...was.item, body: { kind: 'perform', perform } } });
  const other = () => [2];
  assert.equal(bodyOf(parent.provide({ each: { over: other } }), 'each'), { ...was, over: other });
  const flow = createFlow('other').output(() => 8);
  const run = bodyOf(parent.provide({ each: { perform: flow } }), 'each') as MapBody;
  assert.equal(run.item.body, { kind: 'flow', flow: flow.definition, input: undefined });
});

test('reaches tasks inside a child, at any depth, also inside the items of a map', () => {
  const perform = () => 9;
  const provided = parent.provide({
    b: { tasks: { deep: { tasks: { x: { perform } } } } },
    runs: { tasks: { y: { perform } } },
  });
  const found = (body: TaskBody | undefined, ...path: readonly string[]): unknown => {
    const [id, ...rest] = path;
    if (id === undefined) return body;
    const run = body?.kind === 'map' ? body.item.body : body;
    return run?.kind === 'flow'
      ? found(run.flow.tasks.find((task) => task.id === id)?.body, ...rest)
      : undefined;
  };
  assert.equal(found(bodyOf(provided, 'b'), 'deep', 'x'), { kind: 'perform', perform });
  assert.equal(found(bodyOf(provided, 'runs'), 'y'), { kind: 'perform', perform });
  assert.is(found(bodyOf(provided, 'b'), 'y'), found(bodyOf(parent, 'b'), 'y'));
});

test('refuses what fits no such task, and says which task of which flow', () => {
  assert.match(refusal({ B: {} }), /^Flow `parent` has no task `B`/);
  assert.match(refusal({ b: { tasks: { z: {} } } }), /^Flow `child` has no task `z`/);
  assert.match(
    refusal({ b: { tasks: { deep: { tasks: { x: {} } } } } }),
    /^Task `x` of flow `inner` needs a body/,
  );
  assert.match(refusal({ b: {} }), /^`flow` of task `b` of flow `parent` must be a flow/);
  assert.match(refusal({ b: { over } }), /^`bodies` of task `b` of flow `parent` does not take `over`/);
  assert.match(refusal({ b: { flow: child, tasks: {} } }), /does not take `flow`/);
  assert.match(refusal({ b: null }), /^`bodies` of task `b` of flow `parent` must be an object/);
  assert.match(refusal({ each: { actor: inner.logic } }), /does not take `actor`/);
  assert.match(
    refusal({ each: { over: [1] } }),
    /^`over` of task `each` of flow `parent` must be a function/,
  );
  assert.match(refusal({ each: { tasks: {} } }), /must be `\{ perform \}` or `\{ over \}`/);
  assert.match(
    refusal({ each: { tasks: undefined } }),
    /must be an object with `perform`, `over` or `tasks`/,
  );
});
