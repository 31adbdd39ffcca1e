import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';
import { elementsOf } from '../../support/xml.ts';

const test = spec('topple graph of a module with state machines');

// Inside the checkout, so that `xstate` and `topple` are found from there.
const root = fileURLToPath(new URL('../../../', import.meta.url));
mkdirSync(join(root, 'out'), { recursive: true });
const cwd = mkdtempSync(join(root, 'out', 'machines-'));
process.on('exit', () => rmSync(cwd, { recursive: true }));

const lamp = `createMachine({ id: 'lamp', initial: 'off', states: {
  off: { on: { PRESS: { target: 'on', actions: 'click' } } },
  on: { initial: 'dim', states: { dim: {}, bright: {} }, on: { PRESS: 'off' } },
} })`;
const imports = `import { createMachine } from 'xstate';\nimport { createFlow } from 'topple';\n`;
const machines = `${imports}export const light = ${lamp};\nexport const other = createMachine({ id: 'door\\u202e', initial: 'shut', states: { shut: {} } });\nexport default light;`;
writeFileSync(join(cwd, 'machines.mjs'), machines);
writeFileSync(join(cwd, 'one.mjs'), `${imports}export default ${lamp};`);
writeFileSync(
  join(cwd, 'both.mjs'),
  `${imports}export const light = ${lamp};\nexport const flow = createFlow('build').task('a', { perform: () => 1 });`,
);
writeFileSync(join(cwd, 'none.mjs'), 'export const a = 1;');
const states = Array.from({ length: 12 }, (_, a) => {
  const inside = Array.from({ length: 12 }, (_, b) => `s${b}: {}`).join();
  return `r${a}: { initial: 's0', states: { ${inside} } }`;
});
writeFileSync(
  join(cwd, 'large.mjs'),
  `${imports}export const large = createMachine({ id: 'large', initial: 'r0', states: { ${states.join()} } });`,
);

const graph = (...args: string[]) => topple(['graph', ...args], { cwd });

test('draws all of a module without flows, each once, with their actions', async () => {
  const { code, stdout, stderr } = await graph('machines.mjs');
  assert.is(
    stdout,
    `%% lamp
stateDiagram-v2
  direction LR
  [*] --> off
  off : off
  state "on" as on {
    [*] --> on_dim
    on_dim : dim
    on_bright : bright
  }
  off --> on : PRESS / click
  on --> off : PRESS

%% door\\u202e
stateDiagram-v2
  direction LR
  [*] --> shut
  shut : shut
`,
  );
  assert.equal([code, stderr], [0, '']);
  const svg = elementsOf((await graph('machines.mjs', '--format', 'svg')).stdout);
  const texts = svg.filter(({ name }) => name === 'text').map(({ text }) => text);
  assert.equal(texts.slice(0, 3), ['machines.mjs', '2 state machines', 'lamp']);
  assert.ok(texts.includes('/ click'));
  const dot = await graph('machines.mjs', '--format', 'dot');
  assert.match(
    dot.stdout,
    /"lamp\.off" -> "lamp\.on\.dim" \[label="PRESS \/ click", lhead="cluster_lamp\.on"\]/,
  );
  const json = JSON.parse((await graph('one.mjs', '--format', 'json')).stdout);
  assert.equal(Object.keys(json), ['lamp']);
});

test('draws the one that is named by its export or its id', async () => {
  for (const args of [
    ['machines.mjs', '--machine', 'light'],
    ['both.mjs', '--machine', 'lamp'],
  ])
    assert.match((await graph(...args)).stdout, /^%% lamp\n[^%]*$/);
  const { code, stderr } = await graph('machines.mjs', '--machine', 'lihgt');
  assert.equal(
    [code, stderr],
    [2, 'topple: machines.mjs: exports no state machine `lihgt`. Did you mean `light`?\n'],
  );
});

test('draws the flow of a module that has both', async () => {
  assert.match((await graph('both.mjs')).stdout, /flowchart/);
});

test('refuses what does not fit together', async () => {
  writeFileSync(join(cwd, 'flow.yaml'), 'tasks: {a: {}}');
  for (const [args, code, says] of [
    [
      ['none.mjs'],
      3,
      /^topple: none\.mjs: exports neither a flow nor a state machine: its exports are `a` \(number\)/,
    ],
    [['machines.mjs', '--focus', 'a'], 2, /a state machine has no tasks: leave `--focus` out/],
    [['both.mjs', '--machine', 'light', '--flow', 'build'], 2, /`--machine` and `--flow` name two things/],
    [['flow.yaml', '--machine', 'light'], 2, /is a graph file, which has no state machines/],
    [['none.mjs', '--machine', 'light'], 2, /exports no state machine `light`. It exports none/],
    [['--machines', '--machine', 'light'], 2, /leave `--machine` out/],
  ] as const) {
    const ended = await graph(...args);
    assert.is(ended.code, code, args.join(' '));
    assert.match(ended.stderr, says);
  }
});

test('shuts states of a machine of more than 100 in an SVG, with an outline, unless told to expand', async () => {
  const count = async (...args: string[]): Promise<number[]> => {
    const all = elementsOf((await graph('large.mjs', '--format', 'svg', ...args)).stdout);
    const of = (part: string): number =>
      all.filter(({ attributes }) => attributes.class?.split(' ').includes(part)).length;
    return [of('state'), of('row')];
  };
  assert.equal(await count(), [1 + 12 + 7 * 12, 157]);
  assert.equal(await count('--expand'), [157, 0]);
});
