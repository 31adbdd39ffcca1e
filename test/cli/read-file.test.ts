import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { topple } from '../support/cli.ts';

const test = spec('files that the command line names');

const cwd = mkdtempSync(join(tmpdir(), 'topple-read-'));
test.after(() => rmSync(cwd, { recursive: true }));
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

const graph = '{ "tasks": { "a": {} } }';
const view = '{ "tasks": { "a": { "status": "done" } } }';
writeFileSync(join(cwd, 'f.json'), graph);

function pipe(name: string): string {
  execFileSync('mkfifo', [join(cwd, name)]);
  return name;
}

function start(...args: string[]): ChildProcess {
  const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
  return spawn(process.execPath, [...flags, main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Resolves once the process has opened that file, which Linux tells. */
async function opened({ pid }: ChildProcess, name: string): Promise<void> {
  const folder = `/proc/${pid}/fd`;
  const targetOf = (descriptor: string): string | undefined => {
    try {
      return readlinkSync(join(folder, descriptor));
    } catch {
      // It was closed since the folder was listed.
      return undefined;
    }
  };
  const isOpen = (): boolean =>
    readdirSync(folder).some((descriptor) => targetOf(descriptor) === join(cwd, name));
  while (!isOpen()) await new Promise(setImmediate);
}

// Windows has other pipes.
const withPipes = existsSync('/proc/self/fd') ? test : test.skip;

withPipes('may be pipes', async () => {
  const name = pipe('graph');
  const ended = topple(['graph', name], { cwd });
  await writeFile(join(cwd, name), graph);
  const { code, stdout } = await ended;
  assert.is(code, 0);
  assert.match(stdout, 't0["a"]');
});

withPipes('are waited for by a process that hears signals', async () => {
  for (const args of [
    ['graph', pipe('p1')],
    ['run', 'f.json', '--input', `@${pipe('p2')}`],
    ['graph', 'f.json', '--status', pipe('p3')],
  ]) {
    const child = start(...args);
    const closed = once(child, 'close');
    await opened(child, (args.at(-1) as string).replace('@', ''));
    child.kill('SIGINT');
    assert.equal(await closed, [130, null]);
  }
});

withPipes('are no pipes where they are modules', async () => {
  for (const command of ['graph', 'run', 'simulate', 'test']) {
    rmSync(join(cwd, 'flow.ts'), { force: true });
    const { code, stderr } = await topple([command, pipe('flow.ts')], { cwd });
    assert.is(code, 2);
    assert.is(
      stderr,
      'topple: flow.ts: is not a regular file, which a module must be: only a graph can be read from a pipe.\n',
    );
  }
});

withPipes('are not waited for where they are written and nobody reads them', async () => {
  for (const [index, [command, option]] of (
    [
      ['simulate', '--gantt'],
      ['run', '--inspect-log'],
      ['test', '--coverage'],
    ] as const
  ).entries()) {
    const name = pipe(`out${index}`);
    const { code, stderr } = await topple([command, 'f.json', option, name], { cwd });
    assert.is(code, 2);
    assert.is(stderr, `topple: ${name}: \`${option}\` cannot be written: nobody reads it.\n`);
  }
  const name = pipe('read');
  const reader = openSync(join(cwd, name), constants.O_RDONLY | constants.O_NONBLOCK);
  assert.is((await topple(['simulate', 'f.json', '--gantt', name], { cwd })).code, 0);
  assert.match(readFileSync(reader, 'utf8'), /^<svg[\s\S]*<\/svg>\n$/);
  closeSync(reader);
});

test('may be standard input, but only one of them', async () => {
  const { code, stdout } = await topple(['graph', 'f.json', '--status', '-'], { cwd, stdin: view });
  assert.is(code, 0);
  assert.match(stdout, 'class t0 done');
  assert.equal(await topple(['graph', '-', '--status', '-'], { cwd, stdin: graph }), {
    code: 2,
    stdout: '',
    stderr: 'topple: Flow and `--status` cannot both be read from standard input: put one into a file.\n',
  });
});

test('may begin with a byte order mark', async () => {
  writeFileSync(join(cwd, 'input.json'), '\ufeff{}');
  assert.is((await topple(['run', 'f.json', '--input', '@input.json'], { cwd })).code, 0);
  assert.is((await topple(['run', 'f.json', '--input', '-'], { cwd, stdin: '\ufeff{}' })).code, 0);
  assert.is(readFileSync(join(cwd, 'f.json'), 'utf8'), graph);
});
