import { DatabaseSync } from 'node:sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, gatedChain, graph, leaveRun, program } from './world.ts';

const test = spec('topple recover');

test('continues all runs that no program has, each with its module, and leaves the others', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  const file = world.path('runs.sqlite');
  for (const id of ['r1', 'r2']) await leaveRun(file, id);
  // Kept beside another run of the same flow.
  world.write('slow.json', {
    name: 'chain',
    tasks: { a: {}, b: { needs: ['a'], duration: 60_000 }, c: { needs: ['b'] } },
  });
  const { io, ended } = world.begin('run slow.json --store runs.sqlite --id r3 --json');
  while (!/task\.started.*"b"/.test(io.stdout.text)) await new Promise(setImmediate);
  io.send('SIGTERM');
  assert.is(await ended, 143);
  world.write('slow.json', graph('always'));
  const { engine, end } = await program(file);
  const { flow, begun, open } = gatedChain();
  const elsewhere = await engine.start(flow, undefined, { id: 'r4' });
  await begun;

  const own = await world.topple('recover --store runs.sqlite');
  assert.is(own.code, 1);
  const lines = own.stderr.trimEnd().split('\n');
  for (const id of ['r1', 'r2'])
    assert.ok(
      lines.includes(
        `topple: run \`${id}\` is left: runs.sqlite: run \`${id}\` of flow \`chain\` does not say where its flow is: name the module with \`--module FILE\`.`,
      ),
      own.stderr,
    );
  assert.match(lines.at(-1) ?? '', /^✘ r3 chain failed after .*: c: attempt 1 of `c` is set to fail$/);
  assert.is(lines.length, 3);

  const rest = await world.topple('recover --store runs.sqlite --module chain.json');
  assert.is(rest.code, 0);
  assert.equal(
    rest.stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/after .*/, ''))
      .sort(),
    ['✔ r1 chain is done ', '✔ r2 chain is done '],
  );
  assert.is(elsewhere.view().status, 'running');
  assert.equal(await world.topple('recover --store runs.sqlite'), {
    code: 0,
    stdout: '',
    stderr: 'topple: there was no run to continue\n',
  });
  const one = await world.topple('recover r4 --store runs.sqlite --module chain.json');
  assert.is(one.code, 1);
  assert.match(one.stderr, /^topple: runs\.sqlite: Run r4 belongs to another engine, which is alive/);
  open();
  await elsewhere.settled();
  await end();
});

test('prints the events and views of all runs as JSON', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  for (const id of ['r1', 'r2']) await leaveRun(world.path('runs.sqlite'), id);
  const { stdout } = await world.topple('recover --store runs.sqlite --module chain.json --json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const id of ['r1', 'r2']) {
    const events = lines.filter(({ runId }) => runId === id).map(({ seq, type }) => `${seq} ${type}`);
    assert.equal(events, [
      '7 task.started',
      '8 task.done',
      '9 task.ready',
      '10 task.started',
      '11 task.done',
      '12 run.done',
    ]);
  }
  const views = lines.filter(({ type }) => type === 'view').map(({ view }) => `${view.id} ${view.status}`);
  assert.equal(views.sort(), ['r1 done', 'r2 done']);
});

test('leaves runs in the file when it is interrupted', async () => {
  const world = createWorld();
  const file = world.path('runs.sqlite');
  for (const id of ['r1', 'r2']) await leaveRun(file, id);
  world.write('slow.json', {
    name: 'chain',
    tasks: { a: {}, b: { needs: ['a'], duration: 60_000 }, c: { needs: ['b'] } },
  });
  const { io, ended } = world.begin('recover --store runs.sqlite --module slow.json --json');
  while ((io.stdout.text.match(/task\.started/g) ?? []).length < 2) await new Promise(setImmediate);
  io.send('SIGINT');
  assert.match(io.stderr.text, 'topple: finishing 2 tasks; interrupt again to abort\n');
  io.send('SIGINT');
  assert.is(await ended, 130);
  assert.match(io.stderr.text, /topple: 2 runs not settled: `topple recover` continues them\n$/);
  world.write('chain.json', graph());
  assert.is((await world.topple('recover --store runs.sqlite --module chain.json')).code, 0);
});

test('leaves a paused run, and one that was set aside unless its id is given', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  const file = world.path('runs.sqlite');
  await leaveRun(file, 'p1');
  await world.topple('pause p1 --store runs.sqlite --module chain.json');
  await leaveRun(file, 'l1');
  const db = new DatabaseSync(file);
  db.exec("UPDATE runs SET set_aside = 1, losses = 3 WHERE id = 'l1'");
  db.close();
  const all = await world.topple('recover --store runs.sqlite --module chain.json');
  assert.is(all.code, 0);
  assert.is(
    all.stderr,
    'topple: run `l1` is left: it was set aside, since its process died too often. `topple recover l1` tries it once more\n' +
      'topple: run `p1` is left: it is paused, until `topple resume`\n' +
      'topple: there was no run to continue\n',
  );
  const paused = await world.topple('recover p1 --store runs.sqlite --module chain.json');
  assert.equal(
    [paused.code, paused.stderr],
    [1, 'topple: runs.sqlite: run `p1` is paused: `topple resume` ends that first.\n'],
  );
  assert.is((await world.topple('recover l1 --store runs.sqlite --module chain.json')).code, 0);
});

test('refuses a run that has settled, and another flow', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  await world.topple('run chain.json --store runs.sqlite --id d1');
  const settled = await world.topple('recover d1 --store runs.sqlite');
  assert.equal(
    [settled.code, settled.stderr],
    [1, 'topple: runs.sqlite: run `d1` has settled: it is done. `topple rerun` runs it again.\n'],
  );
  await leaveRun(world.path('runs.sqlite'), 'r1');
  world.write('other.json', { name: 'other', tasks: { a: {} } });
  const other = await world.topple('recover r1 --store runs.sqlite --module other.json');
  assert.is(other.code, 2);
  assert.match(other.stderr, /^topple: other\.json: `--flow chain` does not exist/);
});
