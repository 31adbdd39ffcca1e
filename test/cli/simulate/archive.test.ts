import { createFlowFromGraph } from 'topple';
import * as assert from 'uvu/assert';
import { makeArchive } from '../../../bench/archive.ts';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec("a graph like Debian's archive");

const archive = makeArchive(4_000, 16_000);

test('has the size, the depth and the tail that the bench says', () => {
  const { graph } = createFlowFromGraph(archive, () => 1);
  assert.is(graph.size, 4_000);
  assert.is(graph.edgeCount, 16_000);
  assert.is(graph.layers().length, 40);
  const dependents = graph.ids.map((id) => graph.downstream(id, { depth: 1 }).length).sort((a, b) => b - a);
  const [most = 0] = dependents;
  const median = dependents[2_000] ?? 0;
  assert.ok(most > 500 && median <= 3, `${most} at most, ${median} in the middle`);
});

test('is simulated within its bounds', async () => {
  const options = ['simulate', '-', '--workers', '1,8,64', '--json'];
  const { code, stdout } = await topple(options, { stdin: JSON.stringify(archive) });
  assert.is(code, 0);
  const { runs } = JSON.parse(stdout) as { runs: { makespanMs: number; lowerBoundMs: number }[] };
  assert.is(runs[0]?.makespanMs, runs[0]?.lowerBoundMs);
  for (const { makespanMs, lowerBoundMs } of runs)
    assert.ok(lowerBoundMs <= makespanMs && makespanMs <= 2 * lowerBoundMs);
});
