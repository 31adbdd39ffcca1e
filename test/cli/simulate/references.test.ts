import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { dataPath, readData, specWithData } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

interface Makespans {
  readonly instances: Record<
    string,
    { readonly criticalPath_ms: number; readonly P: Record<string, Reference> }
  >;
}

interface Reference {
  readonly lowerBound_ms: number;
  readonly fifo_ms: number;
  readonly cp_ms: number;
  readonly cpSeq_ms: number;
  readonly grahamUpper_ms: number;
}

interface Simulated {
  readonly status: string;
  readonly makespanMs: number;
  readonly tasks: Record<
    string,
    { status: string; attempts: number; startedAt: number | null; endedAt: number }
  >;
}

const folder = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

async function simulate(file: string, ...options: string[]): Promise<Simulated & { code: number }> {
  const { code, stdout } = await topple(['simulate', file, '--json', ...options], { cwd: folder });
  return { code, ...JSON.parse(stdout) };
}

specWithData<Makespans>('simulate, against reference schedules', 'makespan.json', (test, { instances }) => {
  for (const [name, { P, criticalPath_ms }] of Object.entries(instances)) {
    const file = dataPath(`${name.startsWith('debian') ? 'dags' : 'wf'}/${name}.json`);
    for (const [workers, reference] of Object.entries(P)) {
      test(`${name} takes ${reference.fifo_ms} ms with ${workers} workers, first come first served`, async () => {
        assert.is((await simulate(file, '--workers', workers)).makespanMs, reference.fifo_ms);
      });
      test(`${name} takes by critical path with ${workers} workers what the reference takes`, async () => {
        const { makespanMs } = await simulate(file, '--workers', workers, '--order', 'critical-path');
        assert.is(makespanMs, reference.cp_ms);
        assert.ok(makespanMs <= Math.max(reference.cp_ms, reference.cpSeq_ms));
        assert.ok(makespanMs >= reference.lowerBound_ms && makespanMs <= reference.grahamUpper_ms);
      });
    }
    test(`${name} has the reference's lower bounds`, async () => {
      const counts = Object.keys(P);
      const { stdout } = await topple(['simulate', file, '--workers', counts.join(','), '--json']);
      const { runs } = JSON.parse(stdout) as { runs: { lowerBoundMs: number; makespanMs: number }[] };
      assert.equal(
        runs.map((run) => run.lowerBoundMs),
        counts.map((count) => P[count]?.lowerBound_ms),
      );
      assert.ok(runs.every((run) => run.lowerBoundMs <= run.makespanMs));
    });
    test(`${name} takes its critical path with unlimited workers`, async () => {
      assert.is((await simulate(file)).makespanMs, criticalPath_ms);
    });
    test(`${name} keeps within the bounds whatever the order of ties`, async () => {
      for (const seed of ['1', '2']) {
        const { makespanMs } = await simulate(file, '--workers', '4', '--seed', seed);
        const { lowerBound_ms = 0, grahamUpper_ms = 0 } = P['4'] ?? {};
        assert.ok(makespanMs >= lowerBound_ms && makespanMs <= grahamUpper_ms, `${makespanMs}`);
      }
    });
  }
});

interface Scenario {
  readonly dag: string;
  readonly kind: string;
  readonly seed: number;
  readonly fails?: readonly string[];
  readonly skips?: readonly string[];
  readonly rules?: Readonly<Record<string, string>>;
  readonly statesSha256?: string;
  readonly failFirst?: Readonly<Record<string, number>>;
  readonly policy?: { multiplier_ms: number; base: number; max_ms: number; maxAttempts: number };
  readonly expected: Readonly<Record<string, number>>;
}

specWithData<readonly Scenario[]>(
  'simulate, against reference outcomes',
  'scenarios.json',
  (test, scenarios) => {
    for (const [index, scenario] of scenarios.entries()) {
      test(`${scenario.dag} ends as ${scenario.kind} ${scenario.seed} says`, async () => {
        const { policy, expected, statesSha256 } = scenario;
        writeFileSync(join(folder, `${index}.json`), JSON.stringify({ tasks: tasksOf(scenario) }));
        const { makespanMs, tasks, status, code } = await simulate(`${index}.json`);
        assert.is(code, status === 'done' ? 0 : 1);
        if (policy !== undefined) {
          const attempts = Object.values(tasks).reduce((sum, task) => sum + task.attempts, 0);
          assert.equal({ makespan_ms: makespanMs, attempts }, expected);
          return;
        }
        const states = Object.entries(tasks).map(([id, task]) => [
          id,
          task.status === 'done' ? 'success' : task.status,
        ]);
        const counts: Record<string, number> = {};
        for (const [, state = ''] of states) counts[state] = (counts[state] ?? 0) + 1;
        assert.equal(counts, expected);
        const lines = states.map(([id, state]) => `${id} ${state}\n`).sort();
        assert.is(createHash('sha256').update(lines.join('')).digest('hex'), statesSha256);
      });
    }
  },
);

/** The scenario written into its graph, in the spellings that the graph files have. */
function tasksOf({ dag, fails = [], skips = [], rules = {}, failFirst = {}, policy }: Scenario): object {
  const { tasks } = readData<{ tasks: Record<string, object> }>(dag);
  const retry = policy && {
    maxAttempts: policy.maxAttempts,
    backoff: {
      kind: 'exponential',
      initialMs: policy.multiplier_ms,
      base: policy.base,
      maxMs: policy.max_ms,
    },
  };
  const failing = new Set(fails);
  const skipping = new Set(skips);
  const written = Object.entries(tasks).map(([id, task]) => [
    id,
    {
      ...task,
      triggerRule: rules[id],
      retry,
      fails: failing.has(id) ? 'always' : failFirst[id],
      skips: skipping.has(id) || undefined,
    },
  ]);
  return Object.fromEntries(written);
}
