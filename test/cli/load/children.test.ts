import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('graph files with runs inside runs');

const cwd = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(cwd, { recursive: true }));

function write(name: string, ...lines: readonly string[]): void {
  writeFileSync(join(cwd, name), `${lines.join('\n')}\n`);
}

mkdirSync(join(cwd, 'parts'));
write(
  'album.yaml',
  'tasks:',
  '  list: { duration: 5 }',
  '  resize: { needs: [list], map: { count: 12 }, duration: 100, concurrency: 8, tolerate: 2, retry: { maxAttempts: 3 } }',
  '  own: { needs: [list], map: [a, { duration: 3, skips: true }, { fails: always }], duration: 1, tolerate: { share: 0.5 } }',
  '  publish: { needs: [resize], flow: publish }',
  '  runs: { map: { items: [a, b] }, flow: ./parts/page.yaml }',
  'flows:',
  '  publish: { tasks: { upload: { duration: 20 }, index: { needs: [upload], duration: 10 } } }',
);
write('parts/page.yaml', 'tasks: { text: { flow: text.json } }');
write(
  'parts/text.json',
  '{ "tasks": { "x": { "duration": 7, "fails": 1, "retry": { "maxAttempts": 2 } } } }',
);

async function simulated(...args: readonly string[]) {
  const { code, stdout, stderr } = await topple(['simulate', 'album.yaml', '--json', ...args], { cwd });
  assert.equal([code, stderr], [0, '']);
  return JSON.parse(stdout);
}

test('simulate takes the durations of items and of tasks inside', async () => {
  const { makespanMs, tasks } = await simulated();
  assert.is(makespanMs, 235);
  const ends = Object.entries<{ endedAt: number; child?: { total: number; done: number } }>(tasks).map(
    ([id, { endedAt, child }]) => [id, endedAt, child?.done, child?.total],
  );
  assert.equal(ends, [
    ['list', 5, undefined, undefined],
    ['resize', 205, 12, 12],
    ['own', 8, 1, 3],
    ['publish', 235, 2, 2],
    ['runs', 14, 2, 2],
  ]);
  assert.equal(tasks.own.child, {
    total: 3,
    done: 1,
    failed: 1,
    skipped: 1,
    upstream_failed: 0,
    cancelled: 0,
  });
});

test('simulate shares its workers with the runs inside', async () => {
  const one = await simulated('--workers', '1');
  // All work: list, 12 items, three items, two tasks of a flow, and two runs of one task that fails once.
  assert.is(one.makespanMs, 5 + 1_200 + 1 + 3 + 1 + 30 + 4 * 7);
  const table = await topple(['simulate', 'album.yaml', '--workers', '1,4', '--json'], { cwd });
  const bounds = JSON.parse(table.stdout).runs.map((run: { lowerBoundMs: number }) => run.lowerBoundMs);
  assert.equal(bounds, [one.makespanMs, Math.ceil(one.makespanMs / 4)]);
  const ordered = await simulated('--workers', '4', '--order', 'critical-path', '--seed', '7');
  assert.ok(ordered.makespanMs >= bounds[1] && ordered.makespanMs <= one.makespanMs);
});

test('of a module simulate takes as many items as it is told', async () => {
  write(
    'flow.ts',
    `import { createFlow } from ${JSON.stringify(new URL('../../../src/index.ts', import.meta.url).href)};`,
    'const boom = () => { throw new Error("called"); };',
    "const child = createFlow('child').task('x', { perform: boom, durationMs: 3 });",
    "export const flow = createFlow('flow')",
    "  .map('each', { over: boom as () => number[], perform: boom, durationMs: 10, concurrency: 2 })",
    "  .map('runs', { over: boom as () => number[], perform: child })",
    "  .flow('child', { flow: child });",
  );
  for (const [items, each, runs] of [
    [undefined, 10, 3],
    ['5', 30, 3],
    ['0', 0, 0],
  ] as const) {
    const args = items === undefined ? [] : ['--items', items];
    const { code, stdout } = await topple(['simulate', 'flow.ts', '--json', ...args], { cwd });
    assert.is(code, 0);
    const { tasks } = JSON.parse(stdout);
    assert.equal([tasks.each.endedAt, tasks.runs.endedAt, tasks.child.endedAt], [each, runs, 3]);
  }
});

test('run performs the items and the tasks inside', async () => {
  write(
    'quick.yaml',
    'tasks: { each: { map: { count: 3 }, tolerate: 1, fails: 0 }, runs: { map: { count: 2 }, flow: x }, one: { flow: x } }',
    'flows: { x: { tasks: { y: {} } } }',
  );
  const { code, stdout } = await topple(['run', 'quick.yaml', '--json'], { cwd });
  assert.is(code, 0);
  const { view } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  assert.equal(
    ['each', 'runs', 'one'].map((id) => [view.tasks[id].status, view.tasks[id].child.counts.done]),
    [
      ['done', 3],
      ['done', 2],
      ['done', 1],
    ],
  );
});

const refused: readonly (readonly [string, readonly string[], string])[] = [
  [
    'a name that is not there',
    ['tasks:', '  a: { flow: publsh }', 'flows: { publish: { tasks: {} } }'],
    '2: there is no flow `publsh` in `flows`. Did you mean `publish`?',
  ],
  [
    'a name where there are none',
    ['tasks:', '  a: { flow: publish }'],
    '2: there is no flow `publish` in `flows`. Add it there, or give the path of a graph file, as in `./publish.yaml`.',
  ],
  [
    'flows that run each other',
    [
      'tasks: { a: { flow: x } }',
      'flows:',
      '  x: { tasks: { b: { flow: y } } }',
      '  y: { tasks: { c: { flow: x } } }',
    ],
    '4: flows run each other without end: `x` → `y` → `x`. Remove one of these tasks.',
  ],
  [
    'flows that no task runs',
    ['tasks: {}', 'flows:', '  x: { tasks: { b: { needs: [c] } } }'],
    '3: Task `b` depends on `c`, which is not in flow `x`. Add a task with that id, or remove it from `needs`.',
  ],
  [
    'a file that is not there',
    ['tasks:', '  a: { flow: ./none.yaml }'],
    '2: runs the flow of a file that cannot be read. none.yaml: there is no such file.',
  ],
  [
    'an absolute path',
    ['tasks:', '  a: { flow: /etc/flow.yaml }'],
    '2: the path of a flow must be that of a graph file, relative to this one, but is `/etc/flow.yaml`.',
  ],
  [
    'a module',
    ['tasks:', '  a: { flow: ./flow.ts }'],
    '2: the path of a flow must be that of a graph file, relative to this one, but is `./flow.ts`.',
  ],
  ['a flow that is no object', ['tasks: {}', 'flows:', '  x: 5'], '3: flow `x` must be an object, but is 5.'],
  ['flows that are no object', ['tasks: {}', 'flows: []'], '2: `flows` must be an object of flows by name'],
  ['a flow without tasks', ['tasks: {}', 'flows:', '  x: {}'], '3: flow `x` has no `tasks`'],
  [
    'flows inside flows',
    ['tasks: {}', 'flows:', '  x: { tasks: {}, flows: {} }'],
    '3: flow `x` does not take `flows`.',
  ],
  [
    'a pool of a run',
    ['tasks:', '  a: { flow: x, pool: disk }', 'flows: { x: { tasks: {} } }', 'pools: { disk: 1 }'],
    '2: task `a` does not take `pool`: give it to the tasks of flow `x`.',
  ],
  [
    'a duration of a run',
    ['tasks:', '  a: { flow: x, duration: 5 }', 'flows: { x: { tasks: {} } }'],
    '2: task `a` does not take `duration`: it takes what the tasks of flow `x` take.',
  ],
  [
    'a tolerance without a map',
    ['tasks:', '  a: { tolerate: 1 }'],
    '2: task `a` does not take `tolerate`: it is for tasks with `map`.',
  ],
  [
    'a tolerance below 0',
    ['tasks:', '  a: { map: { count: 1 }, tolerate: -1 }'],
    '2: `tolerate` of task `a` must be the number of items that may fail',
  ],
  [
    'a share above 1',
    ['tasks:', '  a: { map: { count: 1 }, tolerate: { share: 2 } }'],
    '2: `tolerate` of task `a` must have a `share` of the items, from 0 to 1.',
  ],
  [
    'a map of nothing',
    ['tasks:', '  a: { map: {} }'],
    '2: `map` of task `a` must have `count`, the number of its items, or `items`, a list.',
  ],
  [
    'a map with both',
    ['tasks:', '  a: { map: { count: 1, items: [] } }'],
    '2: `map` of task `a` has both `count` and `items`: remove one.',
  ],
  [
    'a count that is none',
    ['tasks:', '  a: { map: { count: many } }'],
    '2: `count` of `map` of task `a` must be a whole number of at least 0, but is "many".',
  ],
  [
    'too many items',
    ['tasks:', '  a: { map: { count: 1000001 } }'],
    '2: `count` of `map` of task `a` must be at most 1000000, the most that one map takes',
  ],
  [
    'an item of no number',
    ['tasks:', '  a:', '    map:', '      - { duration: long }'],
    '4: `duration` of item 0 in `map` of task `a` must be a number',
  ],
];

for (const [name, lines, says] of refused) {
  test(`refuses ${name}, with its line`, async () => {
    write('bad.yaml', ...lines);
    const { code, stdout, stderr } = await topple(['simulate', 'bad.yaml'], { cwd });
    assert.equal([code, stdout], [3, '']);
    const expected = `topple: bad.yaml:${says}`;
    assert.is(stderr.slice(0, expected.length), expected);
  });
}

test('refuses files that run each other, and one that is wrong, with the line of that file', async () => {
  write('one.yaml', 'tasks:', '  a: { flow: parts/two.yaml }');
  write('parts/two.yaml', 'tasks: {}', 'flows: {}', 'pools: 5');
  const wrong = await topple(['graph', 'one.yaml'], { cwd });
  assert.match(wrong.stderr, /^topple: parts\/two\.yaml:3: `pools` must be an object/);
  write('parts/two.yaml', 'tasks:', '  b: {}', '  c: { flow: ../one.yaml }');
  const { code, stderr } = await topple(['graph', 'one.yaml'], { cwd });
  assert.is(code, 3);
  assert.is(
    stderr,
    'topple: parts/two.yaml:3: files run each other without end: `one.yaml` → `parts/two.yaml` → `one.yaml`. Remove one of these tasks.\n',
  );
});
