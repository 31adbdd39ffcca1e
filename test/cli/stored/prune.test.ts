import { DatabaseSync } from 'node:sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, graph, leaveRun, type World } from './world.ts';

const test = spec('topple prune');

/** Runs `r1` to `r4`, of which `r2` failed, and `l1`, which has not ended; each ended a day after the one before. */
async function filled(): Promise<World> {
  const world = createWorld();
  world.write('chain.json', graph());
  world.write('fails.json', graph('always'));
  for (const id of ['r1', 'r2', 'r3', 'r4'])
    await world.topple(`run ${id === 'r2' ? 'fails' : 'chain'}.json --store runs.sqlite --id ${id}`);
  await leaveRun(world.path('runs.sqlite'), 'l1');
  const db = new DatabaseSync(world.path('runs.sqlite'));
  const now = Date.now();
  for (const [index, id] of ['r1', 'r2', 'r3', 'r4'].entries())
    db.prepare('UPDATE runs SET ended_at = ? WHERE id = ?').run(now - (4 - index) * 86_400_000, id);
  db.close();
  return world;
}

function rowsOf(world: World): unknown {
  const db = new DatabaseSync(world.path('runs.sqlite'));
  const sql = `SELECT (SELECT group_concat(id, ' ') FROM (SELECT id FROM runs ORDER BY n)) AS runs, (SELECT count(*) FROM journal
    WHERE run NOT IN (SELECT n FROM runs)) AS orphans, (SELECT count(*) FROM modules) AS modules`;
  const row = { ...db.prepare(sql).get() };
  db.close();
  return row;
}

test('asks which runs go', async () => {
  const world = await filled();
  const { code, stdout, stderr } = await world.topple('prune --store runs.sqlite');
  assert.equal([code, stdout], [2, '']);
  assert.match(stderr, /^topple: Say which settled runs go: `--keep N`/);
});

test('removes runs with their journals, and none that has not ended', async () => {
  const world = await filled();
  assert.equal(await world.topple('prune --store runs.sqlite --keep 1'), {
    code: 0,
    stdout: 'r3\nr2\nr1\n',
    stderr: 'topple: removed 3 runs\n',
  });
  assert.equal(rowsOf(world), { runs: 'r4 l1', orphans: 0, modules: 1 });
  assert.is((await world.topple('prune --store runs.sqlite --keep 0')).stdout, 'r4\n');
  assert.equal(rowsOf(world), { runs: 'l1', orphans: 0, modules: 0 });
});

test('removes what ended long ago, or in a certain way', async () => {
  const world = await filled();
  const old = await world.topple('prune --store runs.sqlite --older-than 60h --dry-run');
  assert.equal([old.stdout, old.stderr], ['r2\nr1\n', 'topple: would remove 2 runs\n']);
  assert.is(
    (await world.topple('prune --store runs.sqlite --older-than 60h --status failed')).stdout,
    'r2\n',
  );
  assert.is((await world.topple('prune --store runs.sqlite --older-than 1d --keep 2')).stdout, 'r1\n');
  assert.is((await world.topple('prune --store runs.sqlite --keep 0 --flow other')).stdout, '');
  assert.equal(rowsOf(world), { runs: 'r3 r4 l1', orphans: 0, modules: 2 });
});
