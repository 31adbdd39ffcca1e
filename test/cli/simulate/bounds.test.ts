import * as fc from 'fast-check';
import { createFlow, triggerRules } from 'topple';
import * as assert from 'uvu/assert';
import type { LoadedFlow } from '../../../src/cli/load/load-flow.ts';
import { simulate } from '../../../src/cli/simulate/simulate.ts';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('bounds of simulated runs');

interface Row {
  readonly makespanMs: number;
  readonly lowerBoundMs: number;
  readonly utilisation: number;
}

async function rowsOf(graph: object, ...options: string[]): Promise<Row[]> {
  const { stdout } = await topple(['simulate', '-', '--json', ...options], { stdin: JSON.stringify(graph) });
  return JSON.parse(stdout).runs;
}

const task = fc.record({
  picks: fc.array(fc.nat(), { maxLength: 3 }),
  duration: fc.oneof(fc.nat(20), fc.constant(0), fc.constant(2.5)),
  triggerRule: fc.constantFrom('all_success', ...triggerRules),
  fails: fc.constantFrom(0, 0, 0, 1, 'always'),
  skips: fc.constantFrom(false, false, false, true),
  retry: fc.constantFrom(undefined, { maxAttempts: 2, backoff: 7 }),
  pool: fc.constantFrom(undefined, undefined, 'db'),
  priority: fc.constantFrom(0, 0, 1),
});

/** Any flow without cycles. */
const graphs = fc.array(task, { minLength: 1, maxLength: 25 }).map((list) => ({
  pools: { db: 2 },
  tasks: Object.fromEntries(
    list.map(({ picks, ...rest }, n) => [
      `t${n}`,
      { ...rest, needs: n === 0 ? [] : picks.map((pick) => `t${pick % n}`) },
    ]),
  ),
}));

test('are never above the makespan, whatever fails, is skipped, waits or starts early', async () => {
  await fc.assert(
    fc.asyncProperty(
      graphs,
      fc.nat(),
      fc.constantFrom('fifo', 'critical-path'),
      async (graph, seed, order) => {
        for (const row of await rowsOf(
          graph,
          '--workers',
          '1,2,5',
          '--seed',
          String(seed),
          '--order',
          order,
        )) {
          assert.ok(row.lowerBoundMs <= row.makespanMs + 1e-9, JSON.stringify(row));
          assert.ok(row.utilisation <= 1 + 1e-9);
        }
      },
    ),
  );
});

test('are reached with one worker where nobody waits for a retry or a pool', async () => {
  const plain = graphs.map(({ tasks }) => ({
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([id, { needs, duration, fails, skips }]) => [
        id,
        { needs, duration, fails, skips },
      ]),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(plain, async (graph) => {
      const [one, two] = await rowsOf(graph, '--workers', '1,100');
      assert.ok(Math.abs((one?.makespanMs ?? 0) - (one?.lowerBoundMs ?? 1)) < 1e-9, JSON.stringify(one));
      // Nobody waits for a slot here, and under `all_success` for nobody but all that it needs.
      assert.ok(Math.abs((two?.makespanMs ?? 0) - (two?.lowerBoundMs ?? 1)) < 1e-9, JSON.stringify(two));
    }),
  );
});

test('count only the part of a backoff that passed before the run ended', async () => {
  const boundAndMakespan = async (totalTimeoutMs: number) => {
    const flow = createFlow('f', { totalTimeoutMs }).task('a', {
      durationMs: 20,
      timeoutMs: 10,
      retry: { maxAttempts: 3, backoff: 40 },
      perform: () => {},
    });
    const { bounds, makespanMs } = await simulate({ flow } as unknown as LoadedFlow, {});
    return [bounds.lowerMs, makespanMs];
  };
  // It runs to 10 and from 50 to 60.
  assert.equal(await Promise.all([30, 55, 80].map(boundAndMakespan)), [
    [30, 30],
    [55, 55],
    [80, 80],
  ]);
});

test('name the path that makes the run as long as it is', async () => {
  const graph = {
    tasks: {
      first: { duration: 10 },
      long: { duration: 30, needs: ['first'], fails: 'always' },
      clean: { duration: 5, needs: ['long', 'short'], triggerRule: 'one_failed' },
      short: { duration: 40 },
    },
  };
  const { stdout } = await topple(['simulate', '-'], { stdin: JSON.stringify(graph) });
  assert.match(
    stdout,
    /\n {2}lower bound {4}45 ms, by the longest path\n[\s\S]*\n {2}critical path {2}first → long → clean\n/,
  );
});
