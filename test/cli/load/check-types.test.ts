import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('checking the types of a module');

const root = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(root, { recursive: true }));
const cwd = join(root, 'project');
const bare = join(root, 'bare');
for (const folder of [cwd, bare, join(cwd, 'node_modules'), join(cwd, 'loose')]) mkdirSync(folder);
const typescript = fileURLToPath(new URL('../../../node_modules/typescript', import.meta.url));
symlinkSync(typescript, join(cwd, 'node_modules/typescript'), 'junction');

const modules = {
  'wrong.ts': "console.error('loaded');\nexport const n: number = 'text';\nexport const m: string = 1;\n",
  'right.ts': 'export const n: number = 1;\n',
  'imports.ts': "export { n } from './wrong.ts';\n",
  'strict.ts': 'export const f = (a) => a;\n',
  'plain.mjs': 'export const f = (a) => a.b;\n',
  'loose/strict.ts': 'export const f = (a) => a;\n',
  'loose/tsconfig.json':
    '{ "compilerOptions": { "strict": false, "module": "nodenext", "composite": true } }',
};
for (const [name, code] of Object.entries(modules)) writeFileSync(join(cwd, name), code);
writeFileSync(join(bare, 'wrong.ts'), modules['wrong.ts']);

test('tells the first type error with its file and line, and loads nothing', async () => {
  for (const command of ['run', 'simulate', 'graph', 'test']) {
    const { code, stdout, stderr } = await topple([command, 'wrong.ts', '--check'], { cwd });
    assert.equal(
      [code, stdout, stderr],
      [
        3,
        '',
        "topple: wrong.ts:2: type error TS2322: Type 'string' is not assignable to type 'number'. " +
          '(and 1 more: `--verbose` shows them)\n',
      ],
    );
  }
});

test('tells errors of imported modules where they are', async () => {
  const { code, stderr } = await topple(['run', 'imports.ts', '--check'], { cwd });
  assert.is(code, 3);
  assert.match(stderr, /^topple: wrong\.ts:2: type error TS2322/);
});

test('goes by the project’s own settings, strictly where there are none', async () => {
  const strict = await topple(['run', 'strict.ts', '--check'], { cwd });
  assert.match(strict.stderr, /strict\.ts:1: type error TS7006: Parameter 'a' implicitly has an 'any' type/);
  for (const file of ['loose/strict.ts', 'right.ts', 'plain.mjs']) {
    const { stderr } = await topple(['run', file, '--check'], { cwd });
    assert.match(stderr, 'exports no flow');
  }
});

test('shows all errors to those who want to see everything', async () => {
  const { stderr } = await topple(['run', 'wrong.ts', '--check', '--verbose'], { cwd });
  assert.match(stderr, /wrong\.ts\(3,14\): error TS2322/);
});

test('says that it needs TypeScript where the project has none', async () => {
  const { code, stderr } = await topple(['run', 'wrong.ts', '--check'], { cwd: bare });
  assert.equal(
    [code, stderr],
    [
      2,
      'topple: wrong.ts: `--check` needs TypeScript, which is not installed in its project: ' +
        '`npm install --save-dev typescript`.\n',
    ],
  );
});
