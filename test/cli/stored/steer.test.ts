import { DatabaseSync } from 'node:sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, forgetFlows, gatedChain, graph, leaveRun, program } from './world.ts';

const test = spec('cancel, pause and resume of stored runs');

test('reach a run of another program', async () => {
  const world = createWorld();
  const { engine, end } = await program(world.path('runs.sqlite'));
  const { flow, begun, open } = gatedChain();
  const run = await engine.start(flow, undefined, { id: 'r1' });
  await begun;
  assert.equal(await world.topple('pause r1 --store runs.sqlite'), {
    code: 0,
    stdout: '',
    stderr: 'topple: run `r1` is paused\n',
  });
  assert.is(run.view().status, 'paused');
  assert.is((await world.topple('resume r1 --store runs.sqlite')).stderr, 'topple: run `r1` is running\n');
  const { stderr } = await world.topple("cancel r1 --store runs.sqlite --reason 'out of stock'");
  assert.match(stderr, /^topple: run `r1` is cancel(ling|led)\n$/);
  open();
  const view = await run.settled();
  assert.equal([view.status, view.reason], ['cancelled', 'out of stock']);
  await end();
});

const shown = /✔ a {2}done.*\n {2}■ b {2}cancelled in attempt 1\n {2}■ c {2}cancelled\n$/;

test('are done here if no program has the run, by the outline of its flow', async () => {
  const world = createWorld();
  await leaveRun(world.path('runs.sqlite'), 'r1');
  const steer = async (args: string) => (await world.topple(`${args} --store runs.sqlite`)).stderr;
  assert.is(await steer('pause r1'), 'topple: run `r1` is paused\n');
  assert.is(await steer('resume r1'), 'topple: run `r1` is running\n');
  assert.is(await steer('cancel r1'), 'topple: run `r1` is cancelled\n');
  assert.match((await world.topple('show r1 --store runs.sqlite')).stdout, shown);
});

test('need the module if the file has no outline, and call no body', async () => {
  const world = createWorld();
  await leaveRun(world.path('runs.sqlite'), 'r1');
  forgetFlows(world.path('runs.sqlite'));
  const unknown = await world.topple('pause r1 --store runs.sqlite');
  assert.equal(
    [unknown.code, unknown.stderr],
    [
      2,
      'topple: runs.sqlite: run `r1` of flow `chain` does not say where its flow is: name the module with `--module FILE`.\n',
    ],
  );
  // Each body would fail.
  const tasks = Object.entries(graph().tasks).map(([id, task]) => [id, { ...task, fails: 'always' }]);
  world.write('chain.json', { name: 'chain', tasks: Object.fromEntries(tasks) });
  const cancelled = await world.topple('cancel r1 --store runs.sqlite --module chain.json');
  assert.is(cancelled.stderr, 'topple: run `r1` is cancelled\n');
  assert.match((await world.topple('show r1 --store runs.sqlite')).stdout, shown);
});

test('do not take an outline of another flow', async () => {
  const world = createWorld();
  const file = world.path('runs.sqlite');
  await leaveRun(file, 'r1');
  const db = new DatabaseSync(file);
  for (const outline of ['{"name":"chain","hash":"x","tasks":[]}', '{"tasks":5}', '[]', '{'])
    for (const hash of ['', undefined]) {
      const { hash: own } = db.prepare('SELECT hash FROM flows').get() as { hash: string };
      db.prepare('UPDATE flows SET outline = ?').run(outline.replace('"x"', JSON.stringify(hash ?? own)));
      const { code, stderr } = await world.topple('cancel r1 --store runs.sqlite');
      assert.ok(code > 0, stderr);
      assert.match(stderr, /^topple: runs\.sqlite: [^\n]+\n$/);
    }
  db.close();
});

test('refuse a run that has settled, and a flow that has changed', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  await world.topple('run chain.json --store runs.sqlite --id r1');
  for (const command of ['cancel', 'pause', 'resume'])
    assert.equal(await world.topple(`${command} r1 --store runs.sqlite`), {
      code: 1,
      stdout: '',
      stderr: 'topple: runs.sqlite: run `r1` has settled: it is done.\n',
    });
  await leaveRun(world.path('runs.sqlite'), 'r2');
  world.write('changed.json', { name: 'chain', tasks: { a: {}, b: {}, c: {} } });
  const { code, stderr } = await world.topple('cancel r2 --store runs.sqlite --module changed.json');
  assert.is(code, 3);
  assert.match(stderr, /^topple: changed\.json: Run r2 was started with another version of flow `chain`/);
});
