import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, forgetFlows, graph, leaveRun, type World } from './world.ts';

const test = spec('the module of a stored run');

/** A module that leaves a file behind when it is loaded. */
const evil = (mark: string) => `
  import { writeFileSync } from 'node:fs';
  import { createFlow } from 'topple';
  writeFileSync(${JSON.stringify(mark)}, '');
  export const flow = createFlow('chain')
    .task('a', { perform: () => 'a' })
    .task('b', { dependsOn: ['a'], perform: () => 'b' })
    .task('c', { dependsOn: ['b'], perform: () => 'c' });`;

/** A folder in which a run of a module has failed. */
async function withFailedRun(): Promise<World> {
  const world = createWorld();
  world.write('chain.json', graph('always'));
  assert.is((await world.topple('run chain.json --store runs.sqlite --id r1')).code, 1);
  world.write('chain.json', graph());
  return world;
}

test('is found from the file, also once both have been moved', async () => {
  const world = createWorld();
  mkdirSync(world.path('sub'));
  world.write('sub/chain.json', graph('always'));
  await world.topple('run sub/chain.json --store sub/runs.sqlite --id r1');
  world.write('sub/chain.json', graph());
  renameSync(world.path('sub'), world.path('moved'));
  const { code, stderr } = await world.topple('rerun r1 --store moved/runs.sqlite');
  assert.equal([code, stderr.match(/topple: .*/)?.[0]], [0, undefined]);
});

test('is not run from a copy of the file, unless it is named', async () => {
  const world = await withFailedRun();
  cpSync(world.path('runs.sqlite'), world.path('copy.sqlite'));
  const refused = await world.topple('rerun r1 --store copy.sqlite');
  assert.equal(refused, {
    code: 2,
    stdout: '',
    stderr:
      'topple: copy.sqlite: run `r1` of flow `chain` names the module `chain.json`, but you did not start it here, so that is not run: if you trust file and module, use `--module chain.json`.\n',
  });
  assert.is((await world.topple('rerun r1 --store copy.sqlite --module chain.json')).code, 0);
});

test('is not run for another user, nor for one without a key', async () => {
  const world = await withFailedRun();
  for (const env of [{ XDG_STATE_HOME: world.path('other') }, {}, { HOME: 'relative' }]) {
    const { code, stderr } = await world.topple('rerun r1 --store runs.sqlite', { env });
    assert.is(code, 2);
    assert.match(stderr, /but you did not start it here/);
  }
});

test('has to be named later by a user without a place for a key, who is told', async () => {
  const world = createWorld();
  world.write('chain.json', graph('always'));
  const { code, stderr } = await world.topple('run chain.json --store runs.sqlite --id r1', { env: {} });
  assert.is(code, 1);
  assert.match(
    stderr,
    "has to be given its module again by `--module`: there is no folder for this user's key",
  );
  assert.is((await world.topple('rerun r1 --store runs.sqlite', { env: {} })).code, 2);
});

test('is asked for where a process died between the run and its module, and no body was called', async () => {
  const world = createWorld();
  const child = fileURLToPath(new URL('./cut-start.child.ts', import.meta.url));
  const cut = spawnSync(process.execPath, [...process.execArgv, child, world.path('runs.sqlite')], {
    encoding: 'utf8',
  });
  assert.equal([cut.signal, cut.stdout], ['SIGKILL', ''], cut.stderr);
  const asks =
    'runs.sqlite: run `r1` of flow `chain` does not say where its flow is: name the module with `--module FILE`.';
  const one = await world.topple('recover r1 --store runs.sqlite');
  assert.equal([one.code, one.stderr], [2, `topple: ${asks}\n`]);
  const all = await world.topple('recover --store runs.sqlite');
  assert.equal([all.code, all.stderr.split('\n')[0]], [1, `topple: run \`r1\` is left: ${asks}`]);
  world.write('chain.json', graph());
  assert.is((await world.topple('recover r1 --store runs.sqlite --module chain.json')).code, 0);
});

for (const command of [
  'recover',
  'recover r1',
  'rerun r1',
  'fork r1',
  'cancel r1',
  'pause r1',
  'resume r1',
]) {
  test(`is never run by \`${command}\` if a file from elsewhere names it`, async () => {
    const world = createWorld();
    const mark = world.path('loaded');
    world.write('evil.mjs', evil(mark));
    // What somebody else has signed, with a key of their own.
    const theirs = { env: { XDG_STATE_HOME: world.path('theirs') } };
    if (/rerun|fork/.test(command)) {
      world.write('chain.json', graph());
      await world.topple('run chain.json --store runs.sqlite --id r1', theirs);
    } else await leaveRun(world.path('runs.sqlite'), 'r1');
    forgetFlows(world.path('runs.sqlite'));
    const db = new DatabaseSync(world.path('runs.sqlite'));
    db.exec('CREATE TABLE IF NOT EXISTS modules (run TEXT PRIMARY KEY, path TEXT, flow TEXT, mark TEXT)');
    for (const signed of ['', 'x y', 'AAAA AAAA']) {
      db.prepare('INSERT OR REPLACE INTO modules VALUES (?, ?, ?, ?)').run('r1', 'evil.mjs', 'chain', signed);
      const { code, stderr } = await world.topple(`${command} --store runs.sqlite`);
      assert.is(code, command === 'recover' ? 1 : 2);
      assert.match(stderr, /names the module `evil\.mjs`, but you did not start it here/);
    }
    db.close();
    assert.not.ok(existsSync(mark));
  });
}

test('is never run if an import names it', async () => {
  const world = await withFailedRun();
  const mark = world.path('loaded');
  const { stdout } = await world.topple('export r1 --store runs.sqlite');
  world.write('evil.mjs', evil(mark));
  world.write('evil.ndjson', stdout.replace('"module":"chain.json"', '"module":"evil.mjs"'));
  assert.is((await world.topple('import evil.ndjson --store other.sqlite')).code, 0);
  const { code, stderr } = await world.topple('rerun r1 --store other.sqlite');
  assert.equal(
    [code, stderr],
    [
      2,
      'topple: other.sqlite: run `r1` of flow `chain` does not say where its flow is: name the module with `--module FILE`.\n',
    ],
  );
  assert.not.ok(existsSync(mark));
});

test('goes with its run', async () => {
  const world = await withFailedRun();
  await world.topple('prune --store runs.sqlite --keep 0');
  const db = new DatabaseSync(world.path('runs.sqlite'));
  const { n } = db.prepare('SELECT count(*) AS n FROM modules').get() as { n: number };
  db.close();
  assert.is(n, 0);
});

test('that names a flow of several is kept with that name', async () => {
  const world = createWorld();
  world.write(
    'two.mjs',
    `import { createFlow } from 'topple';
     const body = { perform: () => { if (process.env.TOPPLE_TEST_FAILS) throw new Error('no'); return 1; } };
     export const one = createFlow('one').task('a', body);
     export const two = createFlow('two').task('a', body);`,
  );
  process.env.TOPPLE_TEST_FAILS = '1';
  assert.is((await world.topple('run two.mjs --flow two --store runs.sqlite --id r1')).code, 1);
  delete process.env.TOPPLE_TEST_FAILS;
  assert.is((await world.topple('rerun r1 --store runs.sqlite')).code, 0);
});
