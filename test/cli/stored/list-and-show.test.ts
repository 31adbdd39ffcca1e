import { DatabaseSync } from 'node:sqlite';
import { createEngine, createFlow } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { silent } from '../../support/virtual.ts';
import { createWorld, forgetFlows, graph, leaveRun, program, type World } from './world.ts';

const test = spec('lists and views of stored runs');

/** Runs `d1` done, `f1` failed, `p1` paused, `l1` left, and `o1` of another flow, in this order. */
async function filled(): Promise<World> {
  const world = createWorld();
  world.write('chain.json', graph());
  world.write('fails.json', graph('always'));
  world.write('other.json', { name: 'other', tasks: { x: {} } });
  await world.topple('run chain.json --store runs.sqlite --id d1');
  await world.topple('run fails.json --store runs.sqlite --id f1');
  const { engine, end } = await program(world.path('runs.sqlite'));
  await engine.start(createFlow('chain').task('a', { perform: () => 1 }), 5, { id: 'p1', paused: true });
  await end();
  await leaveRun(world.path('runs.sqlite'), 'l1');
  await world.topple('run other.json --store runs.sqlite --id o1');
  return world;
}

const world = await filled();
const list = async (args: string) => {
  const { stdout } = await world.topple(`list --store runs.sqlite --json ${args}`);
  return JSON.parse(stdout) as {
    readonly runs: readonly { readonly id: string; readonly status: string }[];
    readonly next: number | null;
  };
};
const idsOf = async (args: string) => (await list(args)).runs.map(({ id }) => id);

test('have the latest first, with a status for each', async () => {
  assert.equal(
    (await list('')).runs.map(({ id, status }) => `${id} ${status}`),
    ['o1 done', 'l1 running', 'p1 paused', 'f1 failed', 'd1 done'],
  );
  const { stdout, stderr, code } = await world.topple('list --store runs.sqlite');
  assert.equal([code, stderr], [0, '']);
  assert.match(
    stdout,
    /^✔ done {8}o1 {2}other {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}\d+ ms\n▶ running {5}l1 {2}chain/,
  );
});

test('are those of a flow, of a status, settled or not', async () => {
  assert.equal(await idsOf('--flow other'), ['o1']);
  assert.equal(await idsOf('--status done'), ['o1', 'd1']);
  assert.equal(await idsOf('--status done --flow chain'), ['d1']);
  assert.equal(await idsOf('--status paused'), ['p1']);
  assert.equal(await idsOf('--unsettled'), ['l1', 'p1']);
  assert.equal(await idsOf('--settled --status running'), []);
  assert.equal(await idsOf('--status lost'), []);
  const none = await world.topple('list --store runs.sqlite --flow nobody');
  assert.equal(none, { code: 0, stdout: '', stderr: 'topple: no run matches\n' });
  assert.is((await world.topple('list --store runs.sqlite --settled --unsettled')).code, 2);
});

test('have the status that the whole journal tells, and read no entries of tasks for it', async () => {
  const file = world.path('statuses.sqlite');
  const { engine, end } = await program(file);
  // Its output looks like an entry.
  const flow = createFlow('chain')
    .task('a', { perform: () => [{ type: 'run.paused' }] })
    .task('b', { dependsOn: ['a'], perform: () => new Promise(() => {}) });
  const begin = async (id: string) => {
    const run = await engine.start(flow, [{ type: 'run.cancelled' }], { id });
    for await (const { type } of run.events()) if (type === 'task.done') break;
    return run;
  };
  await begin('running');
  (await begin('paused')).pause();
  const resumed = await begin('resumed');
  resumed.pause();
  resumed.resume();
  (await begin('cancelling')).cancel();
  const again = await engine.start(createFlow('again').task('a', { perform: () => 1 }), undefined, {
    id: 'again',
  });
  await again.settled();
  again.rerun();
  again.pause();
  for await (const { type } of again.events()) if (type === 'run.paused') break;
  await end();
  // Nobody reads these rows to list the runs.
  const db = new DatabaseSync(file);
  const { changes } = db
    .prepare(
      `UPDATE journal SET text = '[["hurt' WHERE text LIKE '%"done","a"%' AND text NOT LIKE '%run.started%'
       AND run IN (SELECT n FROM runs WHERE id IN ('paused', 'resumed'))`,
    )
    .run();
  db.close();
  assert.is(Number(changes), 2);
  const { stdout } = await world.topple('list --store statuses.sqlite --unsettled --json');
  assert.equal(
    (JSON.parse(stdout).runs as { id: string; status: string }[]).map(({ id, status }) => [id, status]),
    [
      ['again', 'paused'],
      ['cancelling', 'cancelling'],
      ['resumed', 'running'],
      ['paused', 'paused'],
      ['running', 'running'],
    ],
  );
});

for (const filter of ['', '--unsettled', '--status done', '--settled']) {
  test(`come in pages with \`${filter}\``, async () => {
    const all = await idsOf(filter);
    const paged: string[] = [];
    for (let after = ''; ; ) {
      const { runs, next } = await list(`${filter} --limit 1 ${after}`);
      paged.push(...runs.map(({ id }) => id));
      if (next === null) break;
      after = `--after ${next}`;
    }
    assert.equal(paged, all);
  });
}

test('say how the next page is had', async () => {
  const { stderr } = await world.topple('list --store runs.sqlite --limit 2');
  const [, after] = /^topple: there are more: `--after (\d+)` shows the next\n$/.exec(stderr) ?? [];
  const { stdout } = await world.topple(`list --store runs.sqlite --limit 2 --after ${after}`);
  assert.equal(stdout.match(/\b[a-z]1\b/g), ['p1', 'f1']);
});

test('show a run, without its module', async () => {
  const { code, stdout, stderr } = await world.topple('show f1 --store runs.sqlite');
  assert.equal([code, stderr], [0, '']);
  assert.match(
    stdout.replaceAll(/\d{4}-\S+Z/g, 'T').replaceAll(/\d+ ms/g, 'N ms'),
    `f1
  flow     chain
  status   failed
  started  T
  ended    T, after N ms
  module   fails.json
  entry    11

  ✔ a  done after N ms
  ✔ b  done after N ms
  ✘ c  failed: attempt 1 of \`c\` is set to fail
`,
  );
});

test('show at each entry what the engine would', async () => {
  const store = await createSqliteStore(world.path('runs.sqlite'));
  const flow = createFlow('chain')
    .task('a', { perform: () => 1 })
    .task('b', { dependsOn: ['a'], perform: () => 1 })
    .task('c', { dependsOn: ['b'], perform: () => 1 });
  const run = await createEngine({ store, flows: [flow], logger: silent }).run('f1');
  const { length } = await store.read('f1');
  for (let seq = 1; seq <= length; seq++) {
    const { stdout } = await world.topple(`show f1 --store runs.sqlite --json --at ${seq}`);
    const view = JSON.parse(stdout);
    const known = JSON.parse(JSON.stringify(run?.view({ seq })));
    assert.equal(view, known);
  }
  await store.close();
  const beyond = await world.topple(`show f1 --store runs.sqlite --at ${length + 1}`);
  assert.equal(
    [beyond.code, beyond.stderr],
    [
      2,
      `topple: \`--at\` must be a whole number from 0 to ${length}, the run's last entry, but is ${length + 1}.\n`,
    ],
  );
});

test('show the entries of a run, as lines or JSON', async () => {
  const lines = (await world.topple('show l1 --store runs.sqlite --events')).stdout.trimEnd().split('\n');
  assert.equal(
    lines.map((line) => line.replace(/ \S+Z /, ' ').replace(/\d+ ms/, 'N ms')),
    [
      '1 run.started chain',
      '2 task.ready a',
      '3 task.started a',
      '4 task.done a after N ms',
      '5 task.ready b',
      '6 task.started b',
    ],
  );
  const json = (await world.topple('show l1 --store runs.sqlite --events --json --at 2')).stdout;
  assert.equal(
    json
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).type),
    ['run.started', 'task.ready'],
  );
});

test('show the tasks that a journal tells if the file has no outline of its flow', async () => {
  const old = createWorld();
  await leaveRun(old.path('runs.sqlite'), 'l1');
  forgetFlows(old.path('runs.sqlite'));
  const { stdout } = await old.topple('show l1 --store runs.sqlite --json');
  const { tasks } = JSON.parse(stdout);
  assert.equal(
    Object.entries<{ status: string; dependsOn: object }>(tasks).map(([id, { status, dependsOn }]) => [
      id,
      status,
      dependsOn,
    ]),
    [
      ['a', 'done', []],
      ['b', 'running', []],
    ],
  );
});

test('say of a run that is not there which one may be meant', async () => {
  const long = await createWorldWith('order-7');
  assert.equal(await long.topple('show order-8 --store runs.sqlite'), {
    code: 2,
    stdout: '',
    stderr: 'topple: runs.sqlite: has no run `order-8`. Did you mean `order-7`?\n',
  });
});

test('need a file of runs, and make none', async () => {
  const errors = [
    ['list', /^topple: `--store FILE` is missing: name the file of the runs, or set TOPPLE_STORE\.\n$/],
    ['list --store none.sqlite', /^topple: none\.sqlite: there is no such file\. Runs are kept by/],
    ['show r --store chain.json', /^topple: chain\.json: .*not an SQLite database/],
    ['show r --store .', /^topple: \.: is no file of runs\.\n$/],
    ['recover --store none.sqlite', /^topple: none\.sqlite: there is no such file/],
    ['check chain.json --store none.sqlite', /^topple: none\.sqlite: there is no such file/],
  ] as const;
  for (const [args, says] of errors) {
    const { code, stdout, stderr } = await world.topple(args);
    assert.equal([code, stdout], [2, ''], args);
    assert.match(stderr, says);
  }
  const env = { ...world.env, TOPPLE_STORE: 'runs.sqlite' };
  assert.is((await world.topple('list', { env })).code, 0);
});

async function createWorldWith(id: string): Promise<World> {
  const made = createWorld();
  made.write('chain.json', graph());
  await made.topple(`run chain.json --store runs.sqlite --id ${id}`);
  return made;
}
