import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import { createGraph } from '../../src/model/graph.ts';
import { TaskRows } from '../../src/model/task-rows.ts';
import { plainTasks, tasksById } from '../../src/model/tasks-by-id.ts';
import type { TaskView } from '../../src/model/view.ts';
import { spec } from '../spec.ts';

const test = spec('tasks by id');

/** A flow of that many tasks, among them some with the names of what every object has. */
function tasksOf(size: number) {
  const odd = ['__proto__', 'toString', 'constructor', ''];
  const ids = [...odd, ...Array.from({ length: size - odd.length }, (_, task) => `t${task}`)];
  const graph = createGraph(
    'f',
    ids.filter((id) => id !== '').map((id) => ({ id })),
  );
  const rows = graph.ids.map(
    (id, task): TaskView => ({ status: 'pending', attempts: task, dependsOn: [id] }),
  );
  return {
    graph,
    rows: new TaskRows(rows.length, (task) => rows[task] as TaskView),
    plain: Object.fromEntries(graph.ids.map((id, task) => [id, rows[task]])),
  };
}

for (const size of [20, 501, 2_000]) {
  test(`of ${size} read as a plain object`, () => {
    const { graph, rows, plain } = tasksOf(size);
    const rowsAt = rows.give();
    const tasks = tasksById(graph, rowsAt);
    assert.equal(plainTasks(graph, rowsAt), plain);
    assert.equal(Object.keys(tasks), Object.keys(plain));
    assert.equal(Object.entries(tasks), Object.entries(plain));
    assert.equal({ ...tasks }, plain);
    assert.is(JSON.stringify(tasks), JSON.stringify(plain));
    assert.is(inspect(tasks), inspect(plain));
    const keys: string[] = [];
    for (const key in tasks) keys.push(key);
    assert.equal(keys, Object.keys(plain));
    assert.equal(['t3' in tasks, 'valueOf' in tasks, 'none' in tasks], [true, true, false]);
    assert.equal([Object.hasOwn(tasks, 't3'), Object.hasOwn(tasks, 'valueOf')], [true, false]);
    assert.equal([tasks.t3, tasks.toString, tasks.none], [plain.t3, plain.toString, undefined]);
    assert.is(Object.getOwnPropertyDescriptor(tasks, '__proto__')?.value.attempts, 0);
    assert.is(Object.getPrototypeOf(tasks), Object.prototype);
    assert.is((tasks as object).valueOf(), tasks);
    assert.is(Reflect.get(tasks, Symbol.iterator), undefined);
  });

  test(`of ${size} cannot be changed`, () => {
    const { graph, rows } = tasksOf(size);
    const tasks = tasksById(graph, rows.give()) as Record<string, TaskView>;
    const { t3 } = tasks;
    const attempts: (() => unknown)[] = [
      () => Object.assign(tasks, { t3: undefined }),
      () => Object.defineProperty(tasks, 'fresh', { value: 1 }),
      () => delete tasks.t3,
      () => Object.assign(tasks.t3 as object, { status: 'done' }),
    ];
    for (const attempt of attempts) assert.throws(attempt, (error: unknown) => error instanceof TypeError);
    assert.equal([tasks.t3, t3?.status, 'fresh' in tasks], [t3, 'pending', false]);
  });
}

test('stay as they were when rows change', () => {
  const { graph, rows } = tasksOf(600);
  const first = tasksById(graph, rows.give());
  rows.edit(5).status = 'running';
  rows.edit(5).attempts = 1;
  rows.edit(300).status = 'running';
  const second = tasksById(graph, rows.give());
  rows.set(5, { status: 'done', attempts: 1, dependsOn: [] });
  rows.edit(5).endedAt = 7;
  const third = tasksById(graph, rows.give());
  const [five, other] = [graph.ids[5], graph.ids[300]] as [string, string];
  assert.equal(
    [first, second, third].map((tasks) => [tasks[five]?.status, tasks[five]?.endedAt, tasks[other]?.status]),
    [
      ['pending', undefined, 'pending'],
      ['running', undefined, 'running'],
      ['done', 7, 'running'],
    ],
  );
  assert.is(second[other], third[other]);
});
