import { spawn } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as topple from 'topple';
import * as retry from 'topple/retry';
import ts from 'typescript';
import * as assert from 'uvu/assert';
import { parseTriggerRule } from '../src/model/trigger-rule.ts';
import { spec } from './spec.ts';

const test = spec('documents');

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = ['.', 'docs', 'docs/decisions']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((name) => name.endsWith('.md'));
const texts = new Map(documents.map((name) => [name, readFileSync(join(root, name), 'utf8')]));

/** The most that the front page may hold: more belongs into the manual. */
const readmeBytes = 12_000;

/** A module that a document shows, and what the document says that it prints. */
interface Shown {
  readonly place: string;
  readonly code: string;
  readonly output: string;
}

/** Each `ts` block is a module; a `text` block after it is what it prints, and without one it prints nothing. */
function modulesOf(name: string, document: string): Shown[] {
  const blocks = document.matchAll(/^```ts\n(.*?)^```\n(?:```text\n(.*?)^```\n)?/gms);
  return Array.from(blocks, ({ 1: code = '', 2: output = '', index }) => {
    const line = document.slice(0, index).split('\n').length;
    return { place: `${name}:${line}`, code, output };
  });
}

const modules = [...texts].flatMap(([name, document]) => modulesOf(name, document));

test('show code that compiles', () => {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // They stand in the checkout's root, from where `topple` is found as it is by examples.
  const files = new Map<string, string>(
    modules.map(({ place, code }) => [`${root}${place.replaceAll(/\W/g, '-')}.ts`, code]),
  );
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  const program = ts.createProgram([...files.keys()], options, host);
  const errors = Array.from(files.keys(), (path) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(path)),
  )
    .flat()
    .map(({ file, start = 0, messageText }) => {
      const code = file?.text.slice(start, start + 40);
      return `${relative(root, file?.fileName ?? '')} at ${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  assert.equal(errors, []);
});

// All at once: starting Node takes most of the time.
const runs = modules.map(({ code }) => run(code));

for (const [index, { place, output }] of modules.entries()) {
  test(`print what they say at ${place}`, async () => {
    assert.is(await runs[index], output);
  });
}

async function run(code: string): Promise<string> {
  const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, '--input-type=module-typescript', '--eval', code], {
    cwd: root,
  });
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return out + errors;
}

test('link to files and headings that are there', () => {
  const broken = [...texts].flatMap(([name, document]) =>
    Array.from(document.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g), ([, path = '', heading = '']) => {
      const target = path === '' ? name : join(dirname(name), path);
      const isThere = existsSync(join(root, target)) && (heading === '' || headingsOf(target).has(heading));
      return isThere ? [] : [`${name}: ${path}#${heading}`];
    }).flat(),
  );
  assert.equal(broken, []);
});

/** As GitHub names them in addresses. */
function headingsOf(name: string): Set<string> {
  const lines = (texts.get(name) ?? '').matchAll(/^#+ (.*)$/gm);
  return new Set(
    Array.from(lines, ([, line = '']) =>
      line
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('name, where they follow a run, what is in the sources', () => {
  const sources = globSync(['src/**/*.ts', 'machines/*.ts', 'examples/hello.ts', '*.json'], { cwd: root })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const named = (texts.get('ARCHITECTURE.md') ?? '').matchAll(/`([\w.#]+)`/g);
  const words = new Set(Array.from(named, ([, name = '']) => name.split(/[.#]+/)).flat());
  assert.equal(
    [...words].filter((word) => word !== '' && !new RegExp(`\\b${word}\\b`).test(sources)),
    [],
  );
});

test("give each trigger rule a row, with Airflow's name for it", () => {
  const rows = (texts.get('docs/trigger-rules.md') ?? '').matchAll(/^\| `(\w+)` \|.*\| `(\w+)` \|$/gm);
  const rules = Array.from(rows, ([, rule, airflow = '']) => [rule, parseTriggerRule(airflow)]);
  assert.equal(
    rules,
    topple.triggerRules.map((rule) => [rule, rule]),
  );
});

test('give each error class and each backoff a row', () => {
  const rowsOf = (page: string, pattern: RegExp) =>
    new Set(Array.from((texts.get(page) ?? '').matchAll(pattern), ([, name]) => name));
  const errors = Object.keys(topple).filter((name) => /Error$|^SkipTask$/.test(name));
  const rows = rowsOf('docs/errors.md', /^\| `(\w+)` \|/gm);
  assert.equal(
    errors.filter((name) => !rows.has(name)),
    [],
  );
  const calls = rowsOf('docs/retry-and-time.md', /^\| `(\w+)\(.*?\)` \|/gm);
  assert.equal(
    Object.keys(retry).filter((name) => !calls.has(name)),
    [],
  );
});

test('keep the front page short, and list every page of the manual', () => {
  const readme = texts.get('README.md') ?? '';
  assert.ok(Buffer.byteLength(readme) <= readmeBytes, `README.md has ${Buffer.byteLength(readme)} bytes`);
  const contents = texts.get('docs/README.md') ?? '';
  const pages = readdirSync(join(root, 'docs')).filter(
    (name) => name.endsWith('.md') && name !== 'README.md',
  );
  assert.equal(
    pages.filter((name) => !contents.includes(`](${name})`)),
    [],
  );
});
