import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { condense } from '../../src/model/condense.ts';
import { FlowError } from '../../src/model/error.ts';
import { createGraph } from '../../src/model/graph.ts';
import { spec, specWithData } from '../spec.ts';

const test = spec('condense');

function condenseAll(dependencies: Record<string, string[]>) {
  return condense(Object.entries(dependencies).map(([id, dependsOn]) => ({ id, dependsOn })));
}

test('leaves tasks without cycles as they are', () => {
  assert.equal(condenseAll({ A: [], B: ['A'], C: ['A'], D: ['B'] }), [
    { id: 'A', members: ['A'], dependsOn: [] },
    { id: 'B', members: ['B'], dependsOn: ['A'] },
    { id: 'C', members: ['C'], dependsOn: ['A'] },
    { id: 'D', members: ['D'], dependsOn: ['B'] },
  ]);
  assert.equal(condense([]), []);
});

test('merges tasks that depend on one another', () => {
  assert.equal(
    condenseAll({ end: ['c', 'a'], c: ['b', 'x'], a: ['c', 'y', 'x'], x: ['y'], b: ['a'], y: [] }),
    [
      { id: 'end', members: ['end'], dependsOn: ['c'] },
      { id: 'c', members: ['c', 'a', 'b'], dependsOn: ['x', 'y'] },
      { id: 'x', members: ['x'], dependsOn: ['y'] },
      { id: 'y', members: ['y'], dependsOn: [] },
    ],
  );
});

test('forgets that a task depends on itself', () => {
  assert.equal(condenseAll({ a: ['a'] }), [{ id: 'a', members: ['a'], dependsOn: [] }]);
});

test('refuses an unknown dependency without naming a flow', () => {
  assert.throws(
    () => condenseAll({ build: [], deploy: ['biuld'] }),
    (error: unknown) =>
      error instanceof FlowError &&
      error.code === 'unknown_dependency' &&
      error.message ===
        'Task `deploy` depends on `biuld`, which is not among the tasks. Did you mean `build`?' &&
      !('flow' in error),
  );
  assert.throws(() => condense([{ id: 'a' }, { id: 'a' }]), /^There are two tasks `a` among the tasks\./);
  assert.throws(() => condense([{ id: 7 as never }]), /^The id of task number 1 must be a string/);
});

const anyTasks = fc.integer({ min: 1, max: 8 }).chain((size) => {
  const others = fc.uniqueArray(fc.nat({ max: size - 1 }), { maxLength: 3 });
  return fc
    .array(others, { minLength: size, maxLength: size })
    .map((rows) => rows.map((row, i) => ({ id: `t${i}`, dependsOn: row.map((j) => `t${j}`) })));
});

test('puts two tasks together exactly when each reaches the other', () => {
  fc.assert(
    fc.property(anyTasks, (tasks) => {
      const components = condense(tasks);
      const home = (id: string) => components.findIndex(({ members }) => members.includes(id));
      for (const a of tasks) {
        for (const b of tasks) {
          const together = a === b || (reaches(tasks, a.id, b.id) && reaches(tasks, b.id, a.id));
          assert.is(home(a.id) === home(b.id), together);
        }
      }
      assert.equal(
        components.map(({ id }) => id),
        tasks.map(({ id }) => id).filter((id) => components[home(id)]?.members[0] === id),
      );
      assert.is(createGraph('condensed', components).size, components.length);
    }),
  );
});

function reaches(tasks: readonly { id: string; dependsOn: string[] }[], from: string, to: string): boolean {
  const seen = new Set<string>();
  const left = [from];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    for (const other of tasks.find((task) => task.id === id)?.dependsOn ?? []) {
      if (!seen.has(other)) left.push(other);
      seen.add(other);
    }
  }
  return seen.has(to);
}

test('merges a ring of 100,000 tasks', () => {
  const ids = Array.from({ length: 100_000 }, (_, i) => `t${i}`);
  const ring = ids.map((id, i) => ({ id, dependsOn: [ids.at(i - 1) as string] }));
  assert.equal(condense(ring), [{ id: 't0', members: ids, dependsOn: [] }]);
});

interface Dag {
  meta: { sccs?: string[][] };
  tasks: Record<string, { needs: string[] }>;
}

for (const name of [
  'babel-workspace-with-dev-cyclic',
  'debian-build-essential-cyclic',
  'debian-gnome-core-cyclic',
]) {
  specWithData<Dag>(`condense: ${name}`, `dags/${name}.json`, (test, { tasks, meta }) => {
    test('has the known components and no cycle after', () => {
      const components = condense(Object.entries(tasks).map(([id, { needs }]) => ({ id, dependsOn: needs })));
      const merged = components.map(({ members }) => members.toSorted()).filter(({ length }) => length > 1);
      assert.equal(merged.sort(), (meta.sccs ?? []).map((members) => members.toSorted()).sort());
      assert.is(createGraph(name, components).size, components.length);
    });
  });
}
