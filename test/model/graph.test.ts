import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { FlowError } from '../../src/model/error.ts';
import { createGraph, type Graph, type TimedTask } from '../../src/model/graph.ts';
import { spec, specWithData } from '../spec.ts';

const test = spec('graph');

/** Tasks from `{ id: dependencies }`. */
function tasksOf(dependencies: Record<string, string[]>): TimedTask[] {
  return Object.entries(dependencies).map(([id, dependsOn]) => ({ id, dependsOn }));
}

function graphOf(dependencies: Record<string, string[]>): Graph {
  return createGraph('release', tasksOf(dependencies));
}

function errorOf(act: () => unknown): FlowError {
  try {
    act();
  } catch (error) {
    if (error instanceof FlowError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

/** The error's own fields, `message` among them, but not its name. */
function fieldsOf(error: FlowError): Record<string, unknown> {
  const { name: _, ...fields } = error;
  return { ...fields, message: error.message };
}

test("resolves the article's own graph", () => {
  const graph = graphOf({ A: [], B: ['A'], C: ['A'], D: ['B'] });
  assert.equal(graph.order(), ['A', 'B', 'C', 'D']);
  assert.equal(graph.layers(), [['A'], ['B', 'C'], ['D']]);
  assert.equal(graph.upstream('D'), ['A', 'B']);
  assert.equal(graph.downstream('A'), ['B', 'C', 'D']);
  assert.equal(graph.criticalPath(), ['A', 'B', 'D']);
});

test('is empty without tasks', () => {
  const graph = createGraph('release', []);
  assert.equal([graph.size, graph.edgeCount, graph.ids], [0, 0, []]);
  assert.equal([graph.order(), graph.layers(), graph.criticalPath()], [[], [], []]);
});

test('numbers tasks and edges in definition order', () => {
  const graph = graphOf({ d: ['b', 'c', 'b'], c: ['a'], b: ['a'], a: [] });
  assert.equal([graph.size, graph.edgeCount, graph.ids], [4, 4, ['d', 'c', 'b', 'a']]);
  assert.equal([...graph.upstreamStart], [0, 2, 3, 4, 4]);
  assert.equal([...graph.upstreamList], [2, 1, 3, 3]);
  assert.equal([...graph.downstreamStart], [0, 0, 1, 2, 4]);
  assert.equal([...graph.downstreamList], [0, 0, 1, 2]);
});

test('takes a task without dependsOn', () => {
  assert.equal(createGraph('release', [{ id: 'a' }, { id: 'b', dependsOn: undefined }]).layers(), [
    ['a', 'b'],
  ]);
});

test('takes the names of Object.prototype as ids', () => {
  const ids = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', ' ', '→'];
  const graph = createGraph(
    'odd',
    ids.map((id, i) => ({ id, dependsOn: ids.slice(0, i) })),
  );
  assert.equal(graph.order(), ids);
  assert.equal(graph.downstream('__proto__'), ids.slice(1));
  assert.equal(
    ids.map((id) => graph.indexOf(id)),
    [0, 1, 2, 3, 4, 5],
  );
});

test('has no index for what is not a task', () => {
  const graph = graphOf({ a: [] });
  assert.is(graph.indexOf('__proto__'), -1);
  assert.is(graph.indexOf('A'), -1);
});

test('orders the first defined first among tasks that may come next', () => {
  const graph = graphOf({ last: ['x', 'z'], z: [], y: ['x'], x: [], w: ['z'], v: ['y'] });
  assert.equal(graph.order(), ['z', 'x', 'last', 'y', 'w', 'v']);
});

test('gives its own copy with each answer', () => {
  const graph = graphOf({ a: [], b: ['a'] });
  graph.order().reverse();
  graph.layers().pop();
  assert.equal(graph.order(), ['a', 'b']);
  assert.equal(graph.layers(), [['a'], ['b']]);
});

test('looks only as far as depth says', () => {
  const graph = graphOf({ d: ['c', 'b'], c: ['b'], b: ['a'], a: [] });
  assert.equal(graph.upstream('d'), ['c', 'b', 'a']);
  assert.equal(graph.upstream('d', { depth: 1 }), ['c', 'b']);
  assert.equal(graph.upstream('d', { depth: 0 }), []);
  assert.equal(graph.upstream('d', { depth: undefined }), ['c', 'b', 'a']);
  assert.equal(graph.downstream('a', { depth: 2 }), ['d', 'c', 'b']);
  assert.equal(graph.downstream('a', { depth: Number.POSITIVE_INFINITY }), ['d', 'c', 'b']);
  assert.equal(graph.downstream('d'), []);
});

test('refuses a depth that is no integer of at least 0', () => {
  const graph = graphOf({ a: [] });
  assert.equal(fieldsOf(errorOf(() => graph.upstream('a', { depth: -1 }))), {
    code: 'bad_option',
    message: '`depth` of flow `release` must be an integer of at least 0, or Infinity, but is -1',
    flow: 'release',
    option: 'depth',
    value: -1,
  });
});

test('asked for an unknown task, names the one that was meant', () => {
  const graph = graphOf({ build: [], deploy: ['build'] });
  assert.equal(fieldsOf(errorOf(() => graph.upstream('biuld'))), {
    code: 'unknown_task',
    message: 'Flow `release` has no task `biuld`. Did you mean `build`?',
    flow: 'release',
    taskId: 'biuld',
    value: 'biuld',
    suggestion: 'build',
  });
  assert.is(
    errorOf(() => graph.downstream('x')).message,
    'Flow `release` has no task `x`. Its first task is `build`.',
  );
  assert.is(
    errorOf(() => graphOf({}).downstream('x')).message,
    'Flow `release` has no task `x`. It has no tasks.',
  );
});

test('finds the critical path by durations', () => {
  const graph = createGraph('release', [
    { id: 'a', durationMs: 1 },
    { id: 'slow', dependsOn: ['a'], durationMs: 10 },
    { id: 'b', dependsOn: ['a'], durationMs: 4 },
    { id: 'c', dependsOn: ['b'], durationMs: 4 },
    { id: 'end', dependsOn: ['slow', 'c'] },
    { id: 'alone', durationMs: 10 },
  ]);
  assert.equal(graph.criticalPath(), ['a', 'slow', 'end']);
  assert.equal(
    graph.criticalPath(() => 1),
    ['a', 'b', 'c', 'end'],
  );
  assert.equal(
    graph.criticalPath((id) => (id === 'alone' ? 100 : 0)),
    ['alone'],
  );
});

test('counts 1 for each task when none has a duration', () => {
  const graph = graphOf({ a: [], b: [], c: ['b'] });
  assert.equal(graph.criticalPath(), ['b', 'c']);
});

test('takes the first defined of equally long paths', () => {
  const graph = graphOf({ end: ['d', 'b'], a: [], c: [], d: ['c', 'a'], b: ['a'] });
  assert.equal(graph.criticalPath(), ['a', 'd', 'end']);
});

test('refuses durations that are none', () => {
  const badOwn = errorOf(() => createGraph('release', [{ id: 'a', durationMs: -1 }]));
  assert.equal(fieldsOf(badOwn), {
    code: 'bad_option',
    message: '`durationMs` of task `a` of flow `release` must be a finite number of at least 0, but is -1',
    flow: 'release',
    taskId: 'a',
    option: 'durationMs',
    value: -1,
  });
  const badAnswer = errorOf(() => graphOf({ a: [] }).criticalPath(() => Number.NaN));
  assert.is(
    badAnswer.message,
    '`durationMs` of task `a` of flow `release` must be a finite number of at least 0, but is NaN',
  );
});

for (const { id, shown } of [
  { id: 7, shown: '7' },
  { id: undefined, shown: 'undefined' },
]) {
  test(`refuses ${shown} as an id`, () => {
    const error = errorOf(() => createGraph('release', [{ id: 'a' }, { id: id as never }]));
    assert.equal(fieldsOf(error), {
      code: 'bad_id',
      message: `The id of task number 2 in flow \`release\` must be a string, but is ${shown}`,
      flow: 'release',
      value: id,
    });
  });
}

test('refuses two tasks of one id', () => {
  const error = errorOf(() => createGraph('release', [{ id: 'a' }, { id: 'b' }, { id: 'a' }]));
  assert.equal(fieldsOf(error), {
    code: 'duplicate_task',
    message: 'There are two tasks `a` in flow `release`. Give one of them another id.',
    flow: 'release',
    taskId: 'a',
    ids: ['a'],
  });
});

test('refuses an unknown dependency and names the one that was meant', () => {
  assert.equal(fieldsOf(errorOf(() => graphOf({ build: [], deploy: ['biuld'] }))), {
    code: 'unknown_dependency',
    message: 'Task `deploy` depends on `biuld`, which is not in flow `release`. Did you mean `build`?',
    flow: 'release',
    taskId: 'deploy',
    ids: ['biuld'],
    value: 'biuld',
    suggestion: 'build',
  });
});

test('suggests nothing when no task is near', () => {
  assert.equal(fieldsOf(errorOf(() => graphOf({ build: [], deploy: ['test'] }))), {
    code: 'unknown_dependency',
    message:
      'Task `deploy` depends on `test`, which is not in flow `release`. Add a task with that id, or remove it from `dependsOn`.',
    flow: 'release',
    taskId: 'deploy',
    ids: ['test'],
    value: 'test',
  });
});

test('refuses a dependency that is no string', () => {
  const error = errorOf(() => graphOf({ '1': [], b: [1 as unknown as string] }));
  assert.is(error.message, 'Task `b` depends on 1, which is not in flow `release`. Did you mean `1`?');
});

test('refuses a dependsOn that is no list', () => {
  const error = errorOf(() => createGraph('release', [{ id: 'a', dependsOn: 'b' as unknown as string[] }]));
  assert.is(error.code, 'bad_option');
  assert.is(
    error.message,
    '`dependsOn` of task `a` of flow `release` must be a list of task ids, but is "b"',
  );
});

test('refuses a cycle and gives its whole path', () => {
  assert.equal(fieldsOf(errorOf(() => graphOf({ b: ['a'], a: ['b'], c: ['a'] }))), {
    code: 'cycle',
    message:
      'Flow `release` has a cycle: b → a → b. Each waits for the one before it, so none could ever start: remove one of these dependencies.',
    flow: 'release',
    ids: ['b', 'a'],
    path: ['b', 'a', 'b'],
  });
});

test('refuses a task that depends on itself', () => {
  assert.equal(fieldsOf(errorOf(() => graphOf({ a: [], b: ['a', 'b'] }))), {
    code: 'cycle',
    message:
      'Flow `release` has a cycle: b → b. Task `b` depends on itself: remove it from its own `dependsOn`.',
    flow: 'release',
    ids: ['b'],
    path: ['b', 'b'],
  });
});

test('shortens a long cycle in the message alone', () => {
  const ids = Array.from({ length: 100 }, (_, i) => `t${i}`);
  const error = errorOf(() =>
    createGraph(
      'ring',
      ids.map((id, i) => ({ id, dependsOn: [ids.at(i - 1) as string] })),
    ),
  );
  assert.equal(error.path, [...ids, 't0']);
  assert.match(error.message, 't8 → t9 → (81 more) → t91 → t92');
});

/** Tasks `t0`, `t1` … of which each may depend on any. */
const anyTasks = fc.integer({ min: 0, max: 8 }).chain((size) =>
  fc
    .array(fc.uniqueArray(fc.nat({ max: Math.max(0, size - 1) }), { maxLength: 3 }), {
      minLength: size,
      maxLength: size,
    })
    .map((rows) => rows.map((row, i) => ({ id: `t${i}`, dependsOn: row.map((j) => `t${j}`) }))),
);

/** Tasks without cycles, in any order. */
const acyclicTasks = anyTasks.chain((tasks) =>
  fc.shuffledSubarray(tasks, { minLength: tasks.length }).map((shuffled) => {
    const known = new Set(tasks.map((task) => task.id));
    return shuffled.map(({ id, dependsOn }) => {
      return { id, dependsOn: dependsOn.filter((other) => known.has(other) && other < id) };
    });
  }),
);

test('orders any tasks without cycles topologically, the first defined first', () => {
  fc.assert(
    fc.property(acyclicTasks, (tasks) => {
      const settled = new Set<string>();
      for (const id of createGraph('any', tasks).order()) {
        const mayComeNext = tasks.filter(
          (task) => !settled.has(task.id) && task.dependsOn.every((other) => settled.has(other)),
        );
        assert.is(mayComeNext[0]?.id, id);
        settled.add(id);
      }
      assert.is(settled.size, tasks.length);
    }),
  );
});

test('puts each task one layer above the highest that it depends on', () => {
  fc.assert(
    fc.property(acyclicTasks, (tasks) => {
      const layers = createGraph('any', tasks).layers();
      const layerOf = (id: string) => layers.findIndex((layer) => layer.includes(id));
      for (const { id, dependsOn } of tasks)
        assert.is(layerOf(id), Math.max(-1, ...dependsOn.map(layerOf)) + 1);
      const place = (id: string) => tasks.findIndex((task) => task.id === id);
      for (const layer of layers)
        assert.equal(
          layer,
          layer.toSorted((a, b) => place(a) - place(b)),
        );
    }),
  );
});

test('has a critical path as long as there are layers', () => {
  fc.assert(
    fc.property(acyclicTasks, (tasks) => {
      const graph = createGraph('any', tasks);
      const path = graph.criticalPath();
      assert.is(path.length, graph.layers().length);
      for (const [i, id] of path.entries()) {
        if (i > 0) assert.ok(graph.upstream(id, { depth: 1 }).includes(path[i - 1] as string));
      }
    }),
  );
});

test('has each task downstream of its upstream', () => {
  fc.assert(
    fc.property(acyclicTasks, (tasks) => {
      const graph = createGraph('any', tasks);
      for (const a of graph.ids) {
        for (const b of graph.ids) assert.is(graph.upstream(a).includes(b), graph.downstream(b).includes(a));
      }
    }),
  );
});

test('finds a cycle exactly where there is one', () => {
  fc.assert(
    fc.property(anyTasks, (tasks) => {
      const hasCycle = tasks.some(({ id }) => reachable(tasks, id).has(id));
      if (!hasCycle) assert.is(createGraph('any', tasks).order().length, tasks.length);
      else assert.is(errorOf(() => createGraph('any', tasks)).code, 'cycle');
    }),
  );
});

function reachable(tasks: readonly { id: string; dependsOn: string[] }[], from: string): Set<string> {
  const found = new Set<string>();
  const left = [from];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    for (const other of tasks.find((task) => task.id === id)?.dependsOn ?? []) {
      if (!found.has(other)) left.push(other);
      found.add(other);
    }
  }
  return found;
}

test('takes a chain of 100,000 tasks, and back to front', () => {
  const chain = Array.from({ length: 100_000 }, (_, i) => ({
    id: `t${i}`,
    dependsOn: i === 0 ? [] : [`t${i - 1}`],
  }));
  const ids = chain.map((task) => task.id);
  for (const tasks of [chain, chain.toReversed()]) {
    const graph = createGraph('chain', tasks);
    assert.equal(graph.order(), ids);
    assert.is(graph.layers().length, 100_000);
    assert.is(graph.criticalPath().length, 100_000);
    assert.is(graph.upstream('t99999').length, 99_999);
  }
});

interface OutsideCase {
  id: string;
  tasks: Record<string, { needs: string[] }>;
  expect: {
    outcome: string;
    messageContains?: string[];
    cycleMembers?: string[];
    cycleMembersOneOf?: string[][];
    notMember?: string[];
    levels?: string[][];
    levelsCount?: number;
    onlyOrder?: string[];
    before?: [string, string][];
    longestPath?: string[];
    longestPathEdges?: number;
  };
}

// What these cases say of runs (results, errors, concurrency) is tested with the engine.
specWithData<{ cases: OutsideCase[] }>(
  'graph: outside cases',
  'cases/graph_order.json',
  (test, { cases }) => {
    for (const { id, tasks, expect } of cases) {
      const dependencies = Object.fromEntries(
        Object.entries(tasks).map(([name, { needs }]) => [name, needs]),
      );

      if (expect.outcome === 'reject-at-build') {
        test(`${id} is refused`, () => {
          const error = errorOf(() => graphOf(dependencies));
          for (const part of expect.messageContains ?? []) assert.match(error.message, part);
          const members = error.path === undefined ? undefined : [...new Set(error.path)].sort();
          const allowed = expect.cycleMembersOneOf ?? (expect.cycleMembers && [expect.cycleMembers]);
          if (allowed)
            assert.ok(
              allowed.some((cycle) => cycle.join() === members?.join()),
              `${members}`,
            );
          for (const outsider of expect.notMember ?? []) assert.not.ok(members?.includes(outsider));
        });
        continue;
      }

      test(`${id} is in order`, () => {
        const graph = graphOf(dependencies);
        const order = graph.order();
        assert.equal(order.toSorted(), Object.keys(tasks).sort());
        const edges = Object.entries(dependencies).flatMap(([to, needs]) =>
          needs.map((from) => [from, to] as const),
        );
        for (const [first, second] of [...edges, ...(expect.before ?? [])]) {
          assert.ok(order.indexOf(first) < order.indexOf(second), `${first} before ${second}`);
        }
        if (expect.onlyOrder) assert.equal(order, expect.onlyOrder);
        if (expect.levels) assert.equal(graph.layers(), expect.levels);
        if (expect.levelsCount !== undefined) assert.is(graph.layers().length, expect.levelsCount);
        if (expect.longestPath) assert.equal(graph.criticalPath(), expect.longestPath);
        if (expect.longestPathEdges !== undefined)
          assert.is(graph.criticalPath().length - 1, expect.longestPathEdges);
      });
    }
  },
);
