import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('modules on the command line');

// Beside a `node_modules` in which `topple` is what is tested here.
const cwd = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(cwd, { recursive: true }));
mkdirSync(join(cwd, 'node_modules'));
symlinkSync(
  fileURLToPath(new URL('../../..', import.meta.url)),
  join(cwd, 'node_modules/topple'),
  'junction',
);

const define = "import { createFlow } from 'topple';\n";
const body = '{ perform: () => 1 }';

/** Modules that hold no flow, and what is said of each after `topple: FILE`. */
const bad: Readonly<Record<string, readonly [code: string, says: RegExp]>> = {
  'throws.ts': [
    `${define}\nthrow new TypeError('x is\\nno function');`,
    /^:3: threw TypeError while it was loading: x is no function\.\n$/,
  ],
  'throws-text.ts': [
    "throw 'a text';",
    /^: threw a value that is not an error while it was loading: a text\n$/,
  ],
  'reference.ts': [
    'export const a = missing.b;',
    /^:1: threw ReferenceError while it was loading: missing is not defined\.\n$/,
  ],
  'syntax.ts': ['\nexport const a = ;', /^:2: cannot be read as a module: SyntaxError: /],
  'syntax.mjs': [
    '\n\nexport const a = ;',
    /^:3: cannot be read as a module: SyntaxError: Unexpected token ';'\.\n$/,
  ],
  'enum.ts': ['export const a = 1;\nenum B { C }', /^:2: has TypeScript that Node cannot run: /],
  'name.ts': [
    "import { createFlwo } from 'topple';\nexport { createFlwo };",
    /^:1: cannot be read as a module: .*no?t? .*createFlwo/,
  ],
  'import.ts': [
    "import './missing.ts';",
    /^: imports something that does not exist: Cannot find module .*missing\.ts/,
  ],
  'import-property.ts': [
    "import './parts/property.ts';",
    /^: parts[\\/]property\.ts:2: has TypeScript that Node cannot run: .*parameter property/,
  ],
  'import-throws.ts': [
    "import './parts/throws.ts';",
    /^: parts[\\/]throws\.ts:3: threw Error while it was loading: deep\.\n$/,
  ],
  'import-syntax.mjs': [
    "import './parts/syntax.mjs';",
    /^: parts[\\/]syntax\.mjs:3: cannot be read as a module: SyntaxError: Unexpected token ';'\.\n$/,
  ],
  'import-name.ts': ["import './parts/throws';", /Did you mean `\.\/parts\/throws\.ts`\?\n$/],
  'import-type.ts': ["import { RunView } from 'topple';", /^:1: .*RunView.*use `import type`\.\n$/],
  'decorator.ts': ['const d = () => {};\n@d class A {}', /^:2: cannot be read as a module: SyntaxError: /],
  'promise.ts': [
    'export default Promise.resolve(1);',
    /^: exports no flow: its exports are `default` \(promise: await it\)\./,
  ],
  'nothing.ts': [
    'export {};',
    /^: exports no flow: it exports nothing at all\. Export the flow that `createFlow`/,
  ],
  'other.ts': [
    'export const a = 1; export function createIt() {}',
    /^: exports no flow: its exports are `a` \(number\), `createIt` \(function\)\./,
  ],
  'flow.ts': [
    `${define}export const f = createFlow('f').task('b', { dependsOn: ['a'] as never, perform: () => 1 });`,
    /^:2: Task `b` depends on `a`, which is not in flow `f`\./,
  ],
  'body.ts': [
    `${define}export const f = createFlow('f').task('b', { perform: 5 as never });`,
    /^:2: Task `b` of flow `f` needs a body/,
  ],
  'getter.ts': [
    "export default { get flow() { throw new Error('not yet'); } };",
    /^: exports no flow: its exports are `flow` \(cannot be read: not yet\)\. Export the flow that `createFlow`/,
  ],
  'getter.cjs': [
    "module.exports = { get flow() { throw 'no error'; }, get then() { throw 1; } };",
    /^: exports no flow: its exports are `flow` \(cannot be read: no error\), `then` \(cannot be read: 1\)\./,
  ],
  'proxy.ts': [
    'export const odd = new Proxy({}, { get() { throw 1; }, has() { throw 2; } });',
    /^: exports no flow: its exports are `odd` \(object\)\./,
  ],
  'jsx.tsx': [
    'export {};',
    /^: cannot run: Node does not support JSX\. If it has none, rename it to `\.ts`; else build it first\.\n$/,
  ],
  'imports-jsx.ts': [
    "import './parts/page.jsx';",
    /^: imports `page\.jsx`, which cannot run: Node does not support JSX\./,
  ],
  'imports-css.ts': [
    "import './parts/page.css';",
    /^: imports `page\.css`, which cannot run: Node does not support modules that end in `\.css`\./,
  ],
  'exit.ts': ['\nprocess.exit(0);', /^:2: called `process\.exit` while it was loading: /],
  'exit-later.ts': [
    'setTimeout(() => process.exit(), 1);\nawait new Promise(() => {});',
    /^:1: called `process\.exit` while it was loading: /,
  ],
  'caught-exit.ts': [
    `${define}try { process.exit(); } catch {}\nexport const f = createFlow('f').task('a', ${body});`,
    /^:2: called `process\.exit`/,
  ],
  'throws-later.ts': [
    "setTimeout(() => { throw new Error('late'); }, 1);\nawait new Promise(() => {});",
    /^:1: threw Error while it was loading: late\.\n$/,
  ],
  'rejects.ts': [
    "Promise.reject(new Error('unseen'));\nawait new Promise(() => {});",
    /^:1: threw Error while it was loading: unseen\.\n$/,
  ],
  'waits.ts': ['await new Promise(() => {});', /^: did not load within 200 ms\. .* `--load-timeout MS`\.\n$/],
  'loops.ts': ['for (;;) {}', /^: did not load within 200 ms\. /],
  'loops-regex.ts': [
    "export const a = /^(a+)+$/.test('a'.repeat(60) + 'b');",
    /^: did not load within 200 ms\. /,
  ],
  'loops-catching.ts': [
    'for (;;) { try { for (;;) {} } catch {} finally { for (;;) {} } }',
    /^: did not load within 200 ms\. /,
  ],
  'waits-blocking.ts': [
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
    /^: did not load within 200 ms\. /,
  ],
  'loops-later.ts': ['await undefined;\nfor (;;) {}', /^: did not load within 200 ms\. /],
};

/** What the modules above import. */
const imported = {
  'parts/property.ts': '\nexport class A { constructor(readonly b: number) {} }',
  'parts/throws.ts': "\n\nthrow new Error('deep');",
  'parts/page.jsx': '',
  'parts/page.css': '',
  'parts/syntax.mjs': '\n\nexport const a = ;',
};

mkdirSync(join(cwd, 'parts'));
for (const [file, code] of Object.entries(imported)) writeFileSync(join(cwd, file), code);

for (const [file, [code, says]] of Object.entries(bad)) {
  test(`says in one line what is wrong with ${file}`, async () => {
    writeFileSync(join(cwd, file), code);
    // Those that hang do so for ever; the others would have to be very slow.
    const limit = /^(waits|loops)/.test(file) ? '200' : '60000';
    const { exit } = process;
    const ended = await topple(['simulate', file, '--load-timeout', limit], { cwd });
    assert.is(process.exit, exit);
    assert.is(ended.stderr.slice(0, `topple: ${file}`.length), `topple: ${file}`);
    assert.match(ended.stderr.slice(`topple: ${file}`.length), says);
    assert.match(ended.stderr, /^[^\n]+\n$/, 'one line');
    assert.equal({ code: ended.code, stdout: ended.stdout }, { code: 3, stdout: '' });
  });
}

test('shows the stack trace where that is asked for', async () => {
  writeFileSync(join(cwd, 'verbose.ts'), "throw new Error('why');");
  const { stderr } = await topple(['graph', 'verbose.ts', '--verbose'], { cwd });
  assert.match(
    stderr,
    /^topple: verbose\.ts:1: threw Error .*\nInvalidFlowError: [\s\S]*\n {4}at [\s\S]*caused by Error: why\n {4}at /,
  );
});

test('picks the flow that is named', async () => {
  const two = `${define}export const a = createFlow('first').task('a', ${body});
    export const b = createFlow('second').task('a', { ...${body}, durationMs: 30 }).task('b', { dependsOn: ['a'], ...${body}, pool: 'db' });
    export default b;`;
  writeFileSync(join(cwd, 'two.ts'), two);
  const ask = (...options: string[]) => topple(['simulate', 'two.ts', ...options], { cwd });
  assert.equal(await ask(), {
    code: 2,
    stdout: '',
    stderr: 'topple: two.ts: exports 2 flows (`first`, `second`): choose one with `--flow NAME`.\n',
  });
  assert.equal(await ask('--flow', 'secnod'), {
    code: 2,
    stdout: '',
    stderr: 'topple: two.ts: exports no flow `secnod`. Did you mean `second`?\n',
  });
  assert.is((await ask('--flow', 'a', '--json')).stdout, (await ask('--flow', 'first', '--json')).stdout);
  const { code, stdout, stderr } = await ask('--flow', 'second', '--duration', '7', '--json');
  assert.is(
    stderr,
    'topple: two.ts: simulated without a limit, since the flow does not define them: pools `db`\n',
  );
  assert.equal(
    [code, JSON.parse(stdout)],
    [
      0,
      {
        status: 'done',
        makespanMs: 37,
        tasks: {
          a: { status: 'done', attempts: 1, startedAt: 0, endedAt: 30 },
          b: { status: 'done', attempts: 1, startedAt: 30, endedAt: 37 },
        },
      },
    ],
  );
});

test('calls no body, and looks at no input and no output', async () => {
  const code = `${define}
    const never = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) } };
    export const flow = createFlow('flow', { input: never as never })
      .task('a', { output: never as never, perform: () => { throw new Error('called'); } });`;
  writeFileSync(join(cwd, 'careful.ts'), code);
  assert.is((await topple(['simulate', 'careful.ts'], { cwd })).code, 0);
});

test('says how a module is made one where package.json makes it CommonJS', async () => {
  mkdirSync(join(cwd, 'old'));
  writeFileSync(join(cwd, 'old/package.json'), '{ "type": "commonjs" }');
  for (const [file, code] of [
    ['old/a.ts', "import 'topple';"],
    ['old/b.js', 'export const a = 1;'],
  ] as const) {
    writeFileSync(join(cwd, file), code);
    assert.equal(await topple(['simulate', file], { cwd }), {
      code: 3,
      stdout: '',
      stderr:
        `topple: ${file}:1: has \`import\` or \`export\`, but its package.json makes it CommonJS: set \`"type": "module"\` ` +
        'there, or rename the file to `.mts` or `.mjs`.\n',
    });
  }
});

test('finds the flows that a default export holds', async () => {
  writeFileSync(
    join(cwd, 'default.ts'),
    `${define}export default { it: createFlow('it').task('a', ${body}) };`,
  );
  assert.match((await topple(['graph', 'default.ts'], { cwd })).stdout, /t0\["a"]/);
});

test('finds a flow beside an export that cannot be read', async () => {
  const code = `${define}export default { get bad() { throw new Error('no'); }, it: createFlow('it').task('a', ${body}) };`;
  writeFileSync(join(cwd, 'beside.ts'), code);
  assert.match((await topple(['graph', 'beside.ts'], { cwd })).stdout, /t0\["a"]/);
});

test('finds the flows of a CommonJS module', async () => {
  const code = `const { createFlow } = require('topple'); const all = { flow: createFlow('old').task('a', ${body}) }; module.exports = all;`;
  writeFileSync(join(cwd, 'old.cjs'), code);
  assert.match((await topple(['graph', 'old.cjs'], { cwd })).stdout, /t0\["a"]/);
});
