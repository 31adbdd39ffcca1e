import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

const test = spec('scripts/ready.mjs');

const root = fileURLToPath(new URL('../../', import.meta.url));
const { platform, arch } = process;
const pinned = platform === 'win32' ? `node-win-${arch}/bin/node.exe` : `node-${platform}-${arch}/bin/node`;

/** The version of Node that a process believes to run on. */
const on = (version: string): string[] => [
  '--import',
  `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`,
];

/** A checkout without packages, and an npm that empties `node_modules`, waits for `gate`, and installs a Node. */
class Checkout implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'topple-ready-'));
  readonly #path: string;

  constructor(npm = 'install();') {
    for (const folder of ['scripts', 'bin', 'tools/node'])
      mkdirSync(join(this.folder, folder), { recursive: true });
    for (const file of ['scripts/ready.mjs', 'scripts/alone.mjs', 'tools/node/package.json'])
      copyFileSync(join(root, file), join(this.folder, file));
    writeFileSync(join(this.folder, 'package-lock.json'), '{}');
    writeFileSync(
      join(this.folder, 'bin/npm'),
      `#!${process.execPath}
const { appendFileSync, existsSync, mkdirSync, rmSync, watch, writeFileSync } = require('node:fs');
appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
rmSync('node_modules', { recursive: true, force: true });
function install() {
  mkdirSync('node_modules/${dirname(pinned)}', { recursive: true });
  writeFileSync('node_modules/${pinned}', '');
  writeFileSync('node_modules/.package-lock.json', '{}');
}
${npm}
`,
      { mode: 0o755 },
    );
    this.#path = `${join(this.folder, 'bin')}:${process.env.PATH}`;
  }

  start(...flags: string[]): ChildProcess {
    return spawn(process.execPath, [...flags, 'scripts/ready.mjs'], {
      cwd: this.folder,
      env: { ...process.env, PATH: this.#path },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  async run(...flags: string[]): Promise<{ code: unknown; stderr: string }> {
    const child = this.start(...flags);
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr as never)]);
    return { code, stderr };
  }

  /** Command lines that npm was called with. */
  get calls(): string[] {
    const log = join(this.folder, 'npm.log');
    return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  }

  write(name: string, content: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), content);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// The npm of these tests is a script with a first line that says what runs it.
const here = platform === 'win32' ? test.skip : test;
const installing = 'Installing packages (npm ci) ...\n';
const waiting = 'Waiting for another process to install packages ...\n';

here('installs once, whoever comes at the same time, and the others wait', async () => {
  using checkout = new Checkout(`
    watch('.', () => { if (existsSync('gate')) { install(); process.exit(); } });
    console.error('npm waits');`);
  const runs = [checkout.start(), checkout.start(), checkout.start()];
  const ends = runs.map((child) => once(child, 'close'));
  const said = runs.map(() => '');
  const isWaitedFor = new Promise<void>((resolve) => {
    for (const [index, { stderr }] of runs.entries())
      stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        said[index] += chunk;
        if (said.toSorted().join('') === `${installing}npm waits\n${waiting}${waiting}`) resolve();
      });
  });
  await isWaitedFor;
  checkout.write('gate', '');
  assert.equal(
    (await Promise.all(ends)).map(([code]) => code),
    [0, 0, 0],
  );
  assert.equal(said.toSorted(), [`${installing}npm waits\n`, waiting, waiting]);
  assert.equal(checkout.calls, ['ci --include=dev --include=optional --loglevel=error']);
  assert.not.ok(existsSync(join(checkout.folder, 'out/installing')));
});

here('goes on at once where packages are installed', async () => {
  using checkout = new Checkout();
  assert.equal(await checkout.run(), { code: 0, stderr: installing });
  assert.equal(await checkout.run(), { code: 0, stderr: '' });
});

here('says that npm failed, and does not blame the version of Node', async () => {
  using checkout = new Checkout("console.error('npm error no network'); process.exit(7);");
  for (let time = 0; time < 2; time++)
    assert.equal(await checkout.run(...on('20.1.0')), {
      code: 1,
      stderr: `${installing}npm error no network\nPackages are not installed: npm ci ended with 7. The output of npm is above; the next command tries again.\n`,
    });
});

here('takes the lock of a process that has ended, and one that is older than any work', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  const hourAgo = Date.now() / 1_000 - 3_600;
  for (const [owner, changedAt] of [
    [{ host: hostname(), pids: [pid] }, Date.now() / 1_000],
    [{ host: 'elsewhere', pids: [process.pid] }, hourAgo],
  ] as const) {
    using checkout = new Checkout();
    checkout.write('out/installing/owner', JSON.stringify(owner));
    utimesSync(join(checkout.folder, 'out/installing/owner'), changedAt, changedAt);
    assert.equal(await checkout.run(), { code: 0, stderr: waiting + installing });
  }
});

here('blames the version of Node where that is the cause', async () => {
  using checkout = new Checkout(
    "mkdirSync('node_modules'); writeFileSync('node_modules/.package-lock.json', '{}');",
  );
  checkout.write('tools/node/package.json', '{ "optionalDependencies": {} }');
  assert.equal(await checkout.run(...on('22.17.1')), {
    code: 1,
    stderr: `${installing}topple needs Node >= 22.18 and this is 22.17.1: install a newer one and try again.\n`,
  });
  assert.equal(await checkout.run(...on('22.18.0')), { code: 0, stderr: '' });
});

here('says that the pinned Node is missing where only that is', async () => {
  using checkout = new Checkout(
    "mkdirSync('node_modules'); writeFileSync('node_modules/.package-lock.json', '{}');",
  );
  const name = pinned.split('/')[0];
  checkout.write(
    'tools/node/package.json',
    JSON.stringify({ optionalDependencies: { [`${name}`]: '24.0.0' } }),
  );
  assert.equal(await checkout.run(...on('20.1.0')), {
    code: 1,
    stderr: `${installing}node_modules has no ${name}, the Node to run on: remove node_modules and try again.\n`,
  });
});
