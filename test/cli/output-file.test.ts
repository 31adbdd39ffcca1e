import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { topple } from '../support/cli.ts';

const test = spec('files that commands write');

// Beside a `node_modules` in which `topple` is what is tested here.
const cwd = mkdtempSync(join(tmpdir(), 'topple-'));
test.after(() => rmSync(cwd, { recursive: true }));
mkdirSync(join(cwd, 'node_modules'));
symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(cwd, 'node_modules/topple'), 'junction');

const file = (name: string, content: string): string => {
  writeFileSync(join(cwd, name), content);
  return name;
};
const read = (name: string): string => readFileSync(join(cwd, name), 'utf8');

const tasks = '{ "tasks": { "a": { "duration": 5 } } }';
const graph = file('f.json', tasks);

/** Each option that names a file to write, with the command that takes it. */
const options = [
  ['simulate', '--gantt'],
  ['run', '--inspect-log'],
  ['test', '--coverage'],
] as const;

test('never go over the flow that is read, whatever it is called and whatever is said', async () => {
  symlinkSync('f.json', join(cwd, 'soft.json'));
  linkSync(join(cwd, 'f.json'), join(cwd, 'hard.json'));
  for (const [command, option] of options) {
    for (const name of ['f.json', './f.json', `../${basename(cwd)}/f.json`, 'soft.json', 'hard.json']) {
      for (const force of [[], ['--force']]) {
        const { code, stdout, stderr } = await topple([command, graph, option, name, ...force], { cwd });
        assert.equal(
          [code, stdout, stderr],
          [
            2,
            '',
            `topple: ${name}: \`${option}\` would overwrite \`f.json\`, which this command reads: give another file.\n`,
          ],
        );
        assert.is(read('f.json'), tasks);
      }
    }
  }
});

test('never go over what a module imports, nor over its package.json', async () => {
  for (const [command, option] of options) {
    // A module is loaded once in a process.
    const folder = join(cwd, command);
    mkdirSync(join(folder, 'parts'), { recursive: true });
    file(`${command}/package.json`, '{ "type": "module" }');
    file(`${command}/parts/ms.ts`, 'export const ms: number = 5;\n');
    for (const [index, name] of ['parts/ms.ts', 'package.json', 'flow2.ts'].entries()) {
      file(
        `${command}/flow${index}.ts`,
        `import { createFlow } from 'topple';
import { ms } from './parts/ms.ts?${index}';
export const flow = createFlow('flow').task('a', { durationMs: ms, perform: () => 1 });
`,
      );
      const before = read(`${command}/${name}`);
      const args = [command, `flow${index}.ts`, option, name, '--force'];
      const { code, stderr } = await topple(args, { cwd: folder });
      assert.match(stderr, `would overwrite \`${name}\`, which this command reads`);
      assert.equal([code, read(`${command}/${name}`)], [2, before]);
    }
  }
});

test('never go over the input of a run', async () => {
  file('input.json', '{}');
  const { code, stderr } = await topple(
    ['run', graph, '--input', '@input.json', '--inspect-log', 'input.json', '--force'],
    { cwd },
  );
  assert.is(code, 2);
  assert.match(stderr, 'would overwrite `input.json`');
});

test('go over a file of somebody else only where that is said', async () => {
  for (const [command, option] of options) {
    file('notes.txt', 'mine');
    const { code, stdout, stderr } = await topple([command, graph, option, 'notes.txt'], { cwd });
    assert.equal([code, stdout, read('notes.txt')], [2, '', 'mine']);
    assert.is(
      stderr,
      `topple: notes.txt: \`${option}\` would overwrite a file that topple did not write: give another file, or use \`--force\`.\n`,
    );
    assert.is((await topple([command, graph, option, 'notes.txt', '--force'], { cwd })).code, 0);
    assert.is.not(read('notes.txt'), 'mine');
  }
});

test('go over what is empty, and over what topple wrote itself', async () => {
  for (const [command, option] of options) {
    file('again', '');
    for (let time = 0; time < 2; time++)
      assert.is((await topple([command, graph, option, 'again'], { cwd })).code, 0, `${command} ${time}`);
    // Each knows its own: a log is no picture.
    for (const [other, otherOption] of options.filter(([name]) => name !== command))
      assert.is((await topple([other, graph, otherOption, 'again'], { cwd })).code, 2);
  }
});

test('are there as a whole or not at all, and keep permissions and links', async () => {
  file('real.svg', '');
  chmodSync(join(cwd, 'real.svg'), 0o664);
  symlinkSync('real.svg', join(cwd, 'link.svg'));
  const before = statSync(join(cwd, 'real.svg')).ino;
  assert.is((await topple(['simulate', graph, '--gantt', 'link.svg'], { cwd })).code, 0);
  assert.ok(lstatSync(join(cwd, 'link.svg')).isSymbolicLink());
  assert.match(read('real.svg'), /<\/svg>\n$/);
  assert.is(statSync(join(cwd, 'real.svg')).mode & 0o777, 0o664);
  // Another file has taken its place.
  assert.is.not(statSync(join(cwd, 'real.svg')).ino, before);
  assert.equal(
    readdirSync(cwd).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('may be a device', async () => {
  for (const [command, option] of options)
    assert.is((await topple([command, graph, option, '/dev/null'], { cwd })).code, 0);
});

test('are looked at before anything runs', async () => {
  const marker = join(cwd, 'ran');
  file('mine.txt', 'mine');
  for (const [index, name] of ['mine.txt', 'no/folder.ndjson', '.', 'f.json/below'].entries()) {
    const flow = file(
      `marks${index}.ts`,
      `import { writeFileSync } from 'node:fs';
import { createFlow } from 'topple';
export const flow = createFlow('marks').task('a', { perform: () => writeFileSync(${JSON.stringify(marker)}, '') });
`,
    );
    const { code, stderr } = await topple(['run', flow, '--inspect-log', name], { cwd });
    assert.is(code, 2, stderr);
  }
  assert.not.ok(existsSync(marker));
});

test('never go over what standard input is read from', () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const line = `"$0" --conditions=topple-source "$1" simulate - --gantt f.json --force < f.json`;
  try {
    execFileSync('sh', ['-c', line, process.execPath, main], { cwd, stdio: 'pipe', encoding: 'utf8' });
    assert.unreachable();
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    assert.is(status, 2);
    assert.match(stderr, 'would overwrite standard input');
  }
  assert.is(read('f.json'), tasks);
});
