import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, graph } from './world.ts';

const test = spec('runs that a file keeps');

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];

test('are kept under the id that is given, once', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  const first = await world.topple('run chain.json --store runs.sqlite --id r1');
  assert.is(first.code, 0);
  assert.match(first.stderr, /^topple: run `r1` is kept in runs\.sqlite\n/);
  assert.equal(await world.topple('run chain.json --store runs.sqlite --id r1'), {
    code: 2,
    stdout: '',
    stderr:
      'topple: runs.sqlite: has a run `r1` already: `topple show` shows it, `topple recover` continues it.\n',
  });
  const listed = await world.topple('list --store runs.sqlite --json');
  assert.equal(
    JSON.parse(listed.stdout).runs.map(({ id, status }: { id: string; status: string }) => [id, status]),
    [['r1', 'done']],
  );
});

test('have ids that tell themselves from their tasks, and all of their tasks', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  const bad = await world.topple('run chain.json --store runs.sqlite --id a/b');
  assert.is(bad.code, 2);
  assert.match(bad.stderr, /`--id`: .*a string without `\/`/);
  assert.not.match(bad.stderr, 'is kept');
  assert.is((await world.topple('run chain.json --id r1 --watch')).code, 2);
  const some = await world.topple('run chain.json --store runs.sqlite --only a');
  assert.is(some.code, 2);
  assert.match(some.stderr, /^topple: `--only` and `--skip` change a flow for one process/);
});

test('stay in the file when they are interrupted, and go on', async () => {
  const world = createWorld();
  const tasks = { a: {}, b: { needs: ['a'], duration: 60_000 }, c: { needs: ['b'] } };
  world.write('slow.json', { name: 'chain', tasks });
  const { io, ended } = world.begin('run slow.json --store runs.sqlite --id r1 --json');
  while (!/task\.started.*"b"/.test(io.stdout.text)) await new Promise(setImmediate);
  io.send('SIGINT');
  assert.match(io.stderr.text, 'finishing 1 task; interrupt again to abort');
  io.send('SIGINT');
  assert.is(await ended, 130);
  assert.match(io.stderr.text, /run `r1` has not settled: `topple recover` continues it\n$/);
  const last = JSON.parse(io.stdout.text.trimEnd().split('\n').at(-1) ?? '');
  assert.equal([last.type, last.view.status, last.view.tasks.a.status], ['view', 'running', 'done']);

  world.write('slow.json', { name: 'chain', tasks: { ...tasks, b: { needs: ['a'] } } });
  const recovered = await world.topple('recover r1 --store runs.sqlite --json');
  assert.is(recovered.code, 0);
  const lines = recovered.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(
    lines.slice(0, 2).map(({ type, taskId, attempt }) => [type, taskId, attempt]),
    [
      ['task.started', 'b', 1],
      ['task.done', 'b', 1],
    ],
  );
  assert.is(lines.at(-1).view.status, 'done');
});

test('go on though the first body killed the process', () => {
  const world = createWorld();
  world.write(
    'kills.mjs',
    `import { createFlow } from 'topple';
     export const flow = createFlow('kills')
       .task('a', { perform: () => process.env.KILL && process.kill(process.pid, 'SIGKILL') })
       .task('b', { dependsOn: ['a'], perform: ({ runId }) => runId });`,
  );
  const run = (args: readonly string[], env: object = {}) =>
    spawnSync(process.execPath, [...flags, main, ...args], {
      cwd: world.folder,
      encoding: 'utf8',
      env: { ...process.env, ...world.env, ...env },
    });
  const first = run(['run', 'kills.mjs', '--store', 'runs.sqlite', '--id', 'r1'], { KILL: '1' });
  assert.is(first.status, 137);
  assert.match(first.stderr, 'the run was ended by SIGKILL; running: `a`');
  // From another folder: the module is found from the file of the runs.
  const args = ['recover', 'r1', '--store', world.path('runs.sqlite'), '--outputs'];
  const second = spawnSync(process.execPath, [...flags, main, ...args], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    env: { ...process.env, ...world.env },
  });
  assert.equal([second.status, second.stdout], [0, '{"b":"r1"}\n']);
});

test('end with the code of their ending', async () => {
  const world = createWorld();
  world.write('chain.json', graph('always'));
  assert.is((await world.topple('run chain.json --store runs.sqlite --id r1')).code, 1);
  const slow = { name: 'slow', tasks: { a: { duration: 60_000 } } };
  world.write('slow.json', slow);
  assert.is((await world.topple('run slow.json --store runs.sqlite --timeout 5')).code, 124);
});
