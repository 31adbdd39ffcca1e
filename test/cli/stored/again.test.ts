import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, graph, leaveRun, type World } from './world.ts';

const test = spec('topple rerun and topple fork');

async function withRun(fails?: 'always'): Promise<World> {
  const world = createWorld();
  world.write('chain.json', graph(fails));
  await world.topple('run chain.json --store runs.sqlite --id r1');
  world.write('chain.json', graph());
  return world;
}

/** The events of `--json`, and the view after them. */
function parse(stdout: string) {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { view: lines.pop().view, events: lines };
}

test('rerun what failed, and show it from there on', async () => {
  const world = await withRun('always');
  const { code, stdout } = await world.topple('rerun r1 --store runs.sqlite --json');
  assert.is(code, 0);
  const { events, view } = parse(stdout);
  assert.equal(
    events.map(({ type, taskId }) => [type, taskId]),
    [
      ['task.rerun', 'c'],
      ['task.ready', 'c'],
      ['task.started', 'c'],
      ['task.done', 'c'],
      ['run.done', undefined],
    ],
  );
  assert.is(view.status, 'done');
});

test('rerun given tasks, and what depends on them', async () => {
  const world = await withRun();
  const { stdout } = await world.topple('rerun r1 b c --store runs.sqlite --json');
  const again = parse(stdout).events.filter(({ type }) => type === 'task.rerun');
  assert.equal(
    again.map(({ taskId }) => taskId),
    ['b', 'c'],
  );
  const unknown = await world.topple('rerun r1 bb --store runs.sqlite');
  assert.is(unknown.code, 2);
  assert.match(unknown.stderr, /^topple: .*`bb`/);
});

test('refuse to rerun what has not settled', async () => {
  const world = createWorld();
  world.write('chain.json', graph());
  await leaveRun(world.path('runs.sqlite'), 'r1');
  assert.equal(await world.topple('rerun r1 --store runs.sqlite --module chain.json'), {
    code: 1,
    stdout: '',
    stderr:
      'topple: runs.sqlite: run `r1` has not settled, so it cannot run again: `topple recover` continues it.\n',
  });
});

test('fork from an entry on, with another input, under an id of its own', async () => {
  const world = await withRun();
  const before = (await world.topple('export r1 --store runs.sqlite')).stdout;
  const args = `fork r1 --at 4 --id f1 --input '{ "n": 8 }' --store runs.sqlite --json`;
  const { code, stdout, stderr } = await world.topple(args);
  assert.equal([code, stderr], [0, 'topple: run `f1` is kept in runs.sqlite\n']);
  const { events, view } = parse(stdout);
  assert.equal([events[0].type, events[0].input], ['run.started', { n: 8 }]);
  const starts = events.filter(({ type }) => type === 'task.started').map(({ taskId }) => taskId);
  assert.equal(starts.slice(-2), ['b', 'c']);
  assert.equal([view.id, view.status, view.tasks.a.status], ['f1', 'done', 'done']);
  assert.is((await world.topple('export r1 --store runs.sqlite')).stdout, before);
  // Its module is kept too.
  assert.is((await world.topple('rerun f1 a --store runs.sqlite')).code, 0);
  const errors = [
    ['fork r1 --id f1', /Run f1|There is a run f1 already/, 1],
    [
      'fork r1 --at 99',
      /^topple: `--at` must be a whole number from 0 to 11, the run's last entry, but is 99\./,
      2,
    ],
    ['fork r1 --id a/b', /a string without `\/`/, 2],
    ['fork r2', /has no run `r2`/, 2],
  ] as const;
  for (const [line, says, wanted] of errors) {
    const refused = await world.topple(`${line} --store runs.sqlite`);
    assert.is(refused.code, wanted, line);
    assert.match(refused.stderr, says);
  }
});
