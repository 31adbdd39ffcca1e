import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('topple test --simulate');

// Within the checkout, so that modules find topple.
const out = fileURLToPath(new URL('../../../out', import.meta.url));
mkdirSync(out, { recursive: true });
const cwd = mkdtempSync(join(out, 'simulate-'));
test.after(() => rmSync(cwd, { recursive: true }));

function file(name: string, content: string): string {
  writeFileSync(join(cwd, name), content);
  return name;
}

const orderWith = (args: string): string => `import { createFlow } from 'topple';
import { createSimulation } from 'topple/simulation';
class Bank {
  charged = 0;
  keys = new Set<string>();
  async charge(cents: number, key = String(Math.random())): Promise<void> {
    if (this.keys.has(key)) return;
    this.keys.add(key);
    this.charged += cents;
  }
}
const flow = createFlow('order').task('pay', { timeoutMs: 1000, retry: { maxAttempts: 2 }, perform: async () => {} });
export const order = createSimulation(flow, {
  world: (sim) => ({ bank: sim.service(new Bank()) }),
  bodies: ({ bank }) => ({ pay: { perform: ({ idempotencyKey }) => bank.charge(${args}) } }),
  invariant: ({ bank }) => bank.charged <= 5,
});
`;
const good = file('good.ts', orderWith('5, idempotencyKey'));
const bad = file('bad.ts', orderWith('5'));

test('plays what a module exports, and ends with 0 where nothing fails', async () => {
  const { code, stdout, stderr } = await topple(['test', good, '--simulate', '--schedules', '150'], { cwd });
  assert.equal([code, stderr], [0, '']);
  assert.match(stdout, /^simulation order of flow order\n {2}runs: .*\d+ done/);
  assert.match(stdout, /covered: events \d+ of \d+, endings 3 of 3, faults/);
  assert.ok(stdout.endsWith('✔ no failure in 150 schedules\n'));
});

test('ends with 1 and tells the story, and its schedule plays again', async () => {
  const { code, stdout } = await topple(['test', bad, '--simulate', '--json'], { cwd });
  assert.is(code, 1);
  const [{ failures }] = JSON.parse(stdout);
  const schedule = JSON.stringify(failures[0].schedule);
  const again = await topple(['test', bad, '--simulate', '--schedule', schedule], { cwd });
  assert.is(again.code, 1);
  assert.match(again.stdout, '✘ `invariant` does not hold\n    1. ');
  assert.match(again.stdout, 'sequenceDiagram');
  const other = await topple(['test', bad, '--simulate', '--schedule', '{}'], { cwd });
  assert.is(other.code, 0);
});

test('gives a script that fails as the schedule did, and passes once the mistake is gone', async () => {
  const { stdout } = await topple(['test', bad, '--simulate', '--json'], { cwd });
  const script = JSON.parse(stdout)[0].failures[0].script as string;
  assert.match(script, 'pay#1 -> bank: charge(5)');
  const go = (text: string) => {
    const name = file('script.ts', text);
    const { status, stderr } = spawnSync(process.execPath, [...process.execArgv, name], {
      cwd,
      encoding: 'utf8',
    });
    return { status, stderr };
  };
  const { status, stderr } = go(script);
  assert.is(status, 1);
  assert.match(stderr, 'SimulationError: flow order: `invariant` does not hold');
  assert.equal(go(script.replace('./bad.ts', './good.ts')), { status: 0, stderr: '' });
});

test('shows its progress on a terminal', async () => {
  const { stderr } = await topple(['test', good, '--simulate', '--schedules', '501'], {
    cwd,
    terminal: { columns: 80, rows: 24 },
  });
  assert.match(stderr, 'order: 500 of 501 schedules');
});

test('refuses a module without simulations, a graph file, and a schedule that is none', async () => {
  const none = file(
    'none.ts',
    "import { createFlow } from 'topple';\nexport const flow = createFlow('f');\n",
  );
  const refused = async (...args: string[]) => {
    const { code, stderr } = await topple(['test', ...args, '--simulate'], { cwd });
    return [code, stderr];
  };
  assert.equal(await refused(none), [
    3,
    'topple: none.ts: exports no simulation. Export what `createSimulation(flow, options)` of topple/simulation returns.\n',
  ]);
  const graph = file('graph.yaml', 'tasks:\n  a: {}\n');
  assert.equal(await refused(graph), [
    2,
    'topple: graph.yaml: is no module (.ts, .js, …), and only a module has bodies.\n',
  ]);
  assert.is((await refused(good, '--schedule', '{'))[0], 2);
  assert.is((await refused(good, '--flow', 'other'))[0], 2);
});
