import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CoverageReport } from 'topple/testing';
import * as assert from 'uvu/assert';
import { withRunnableScripts } from '../../../src/cli/test/replay-script.ts';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('topple test');

// Within the checkout, so that modules find topple.
const out = fileURLToPath(new URL('../../../out', import.meta.url));
mkdirSync(out, { recursive: true });
const cwd = mkdtempSync(join(out, 'test-'));
test.after(() => rmSync(cwd, { recursive: true }));

function file(name: string, content: string): string {
  writeFileSync(join(cwd, name), content);
  return name;
}

const graph = file(
  'graph.yaml',
  'tasks:\n  a: { retry: { maxAttempts: 2 } }\n  b: { needs: [a], skips: true }\n  c: { needs: [b] }\n',
);
const flow = file(
  'flow.ts',
  `import { createFlow } from 'topple';
import { never } from 'topple/testing';
export const payment = createFlow('payment')
  .task('charge', { perform: () => 'paid' })
  .task('refund', { dependsOn: ['charge'], triggerRule: 'one_failed', perform: () => 'back' });
export const properties = [never(({ tasks }) => tasks.refund?.status === 'running', 'no refunds')];
`,
);

function missedIn({ groups }: CoverageReport): string[] {
  return groups.flatMap(({ items }) => items.filter(({ isCovered }) => !isCovered).map(({ name }) => name));
}

test('reports lints, exploration, paths and coverage, and ends with 0', async () => {
  const { code, stdout, stderr } = await topple(['test', graph], { cwd });
  assert.equal([code, stderr], [0, '']);
  assert.match(
    stdout,
    'flow graph\n\nwarning (skips-with-dependency): `b` may skip itself, and `c` is then skipped too',
  );
  assert.match(stdout, /explored \d+ situations by \d+ steps/);
  assert.match(stdout, /(\d+) of \1 test paths agree with the engine/);
  assert.match(stdout, 'coverage 100 %');
  assert.ok(stdout.endsWith('✔ good within maxFailures 2, maxCommands 2 and reduction situations\n'));
});

test('ends with 1 where something cut the search, and names it', async () => {
  const cut = async (...args: readonly string[]) => {
    const { code, stdout } = await topple(['test', graph, ...args], { cwd });
    return [code, stdout.split('\n').at(-2)];
  };
  assert.equal(await cut('--depth', '1'), [1, '✘ not good: the search was cut by maxDepth 1']);
  assert.equal(await cut('--situations', '5'), [1, '✘ not good: the search was cut by maxSituations 5']);
  assert.equal(await cut('--time', '0'), [1, '✘ not good: the search was cut by maxMs 0']);
});

test('ends with 1 for warnings where they count', async () => {
  assert.is((await topple(['test', graph, '--strict'], { cwd })).code, 1);
});

test("finds what a module's own properties forbid", async () => {
  const { code, stdout } = await topple(['test', flow, '--commands', 'none'], { cwd });
  assert.is(code, 1);
  assert.match(
    stdout,
    '✘ no refunds: a situation is as said (`charge` fails)\n    0. the run starts; `charge` starts\n    1. `charge` fails; `charge` is failed; `refund` starts\n    seed: f0\n',
  );
  assert.match(stdout, '✘ not good: 1 property does not hold');
});

test('gives scripts that replay a finding as they are', async () => {
  const { stdout } = await topple(['test', flow, '--json', '--commands', 'none'], { cwd });
  const { script } = JSON.parse(stdout).exploration.findings[0];
  assert.match(script, 'import { payment as flow } from "./flow.ts";\n');
  const { stdout: replayed, stderr } = spawnSync(
    process.execPath,
    ['--conditions=topple-source', '--input-type=module-typescript', '-'],
    { cwd, input: script, encoding: 'utf8' },
  );
  assert.match(replayed, /`charge` is failed; `refund` starts\n\{/, stderr);
});

test('gives the command that goes a path of a graph file', async () => {
  const failing = file('failing.yaml', 'tasks: { a: {}, b: { needs: [a] } }\n');
  const { stdout } = await topple(['test', failing, '--path', 'f0'], { cwd });
  assert.match(stdout, 'b: upstream_failed, 0 attempts');
  const found = { script: 'import …', seed: 'f0' };
  const tested = { exploration: { findings: [found] }, paths: [{ error: found }, {}] } as never;
  const source = { file: 'my flow.yaml', cwd, exported: undefined };
  const { exploration, paths } = withRunnableScripts(tested, source);
  const script = "topple test 'my flow.yaml' --path f0\n";
  assert.equal([exploration.findings[0]?.script, paths[0]?.error?.script, paths[1]], [script, script, {}]);
});

test('prints one document as JSON', async () => {
  const { code, stdout } = await topple(['test', flow, '--json', '--commands', 'cancel', '--failures', '1'], {
    cwd,
  });
  const { flow: name, isGood, exploration, paths, coverage } = JSON.parse(stdout);
  assert.equal([code, name, isGood, exploration.findings[0].seed], [1, 'payment', false, 'f0']);
  // For a refund to fail takes two failures.
  assert.equal(missedIn(coverage), ['refund: failed']);
  assert.ok(paths.length > 2);
});

test('fails below a threshold, and writes what was covered', async () => {
  const { code, stdout } = await topple(
    ['test', graph, '--failures', '0', '--threshold', '90', '--coverage', 'coverage.md'],
    { cwd },
  );
  assert.is(code, 1);
  assert.match(stdout, /✘ not good: coverage is \d+(\.\d)? %, and must be 90 %/);
  const page = readFileSync(join(cwd, 'coverage.md'), 'utf8');
  assert.match(page, '| verdicts of trigger rules |');
  assert.match(page, '  running --> backing_off : ✗ attempt.failed [attemptsLeft]');
  assert.match(page, '  running --> done : ✓ attempt.done');
});

test('goes one path by its seed', async () => {
  const { code, stdout } = await topple(['test', flow, '--path', 'f0.d1'], { cwd });
  assert.equal(
    [code, stdout],
    [
      0,
      '0. the run starts; `charge` starts\n1. `charge` fails; `charge` is failed; `refund` starts\n2. `refund` is done; the run is failed\n\nrun: failed\ncharge: failed, 1 attempts\nrefund: done, 1 attempts\n',
    ],
  );
});

test('says in one line what is wrong with its options', async () => {
  const errorOf = async (...args: readonly string[]) => {
    const { code, stderr } = await topple(['test', ...args], { cwd });
    return `${code} ${stderr}`;
  };
  assert.match(
    await errorOf(flow, '--commands', 'cancle'),
    '2 topple: `--commands` must be `none`, or some of cancel, pause, stop, crash, rerun separated by commas, but has `cancle`. Did you mean `cancel`?\n',
  );
  assert.match(
    await errorOf(flow, '--path', 'd7'),
    '2 topple: `--path`: `d7` is no step of a seed for a flow of 2 tasks.\n',
  );
  assert.match(
    await errorOf(flow, '--coverage', 'no/such/folder.md'),
    '2 topple: no/such/folder.md: `--coverage` cannot be written: its folder is missing',
  );
  const odd = file(
    'odd.ts',
    "import { createFlow } from 'topple';\nexport const odd = createFlow('odd').task('a', { perform: () => 1 });\nexport const properties = [() => true];\n",
  );
  assert.match(
    await errorOf(odd),
    '3 topple: odd.ts: `properties` must be an array of properties made by `always`',
  );
});
