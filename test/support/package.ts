import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The package as `npm pack` makes it, unpacked where two projects find it. Everything goes when the process ends. */
export interface PackedPackage {
  /** Where it was unpacked. */
  readonly folder: string;
  /** A project that finds the packages beside topple too, as npm lays them. */
  readonly flat: string;
  /** A project that finds what it depends on and nothing that topple does, as pnpm lays them: not XState. */
  readonly strict: string;
}

/** What users have beside topple. */
const own = ['zod', '@types/node'];

/** Builds, packs and unpacks this checkout, whose types are not checked here. Takes seconds: once for a test file. */
export function packPackage(): PackedPackage {
  // In the checkout, from where the compiler finds the packages.
  mkdirSync(join(root, 'out'), { recursive: true });
  const built = mkdtempSync(join(root, 'out/package-'));
  const place = mkdtempSync(join(tmpdir(), 'topple-package-'));
  process.once('exit', () => {
    for (const folder of [built, place]) rmSync(folder, { recursive: true, force: true });
  });
  const build = [...process.execArgv, join(root, 'scripts/build.ts'), built, '--noCheck'];
  // What the compiler runs of itself is no coverage.
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  execFileSync(process.execPath, build, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('npm', ['pack', built, '--pack-destination', place, '--offline'], { stdio: 'ignore' });
  const packed = readdirSync(place).find((name) => name.endsWith('.tgz')) as string;
  const flat = join(place, 'flat');
  const folder = join(flat, 'node_modules/topple');
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', join(place, packed), '-C', folder, '--strip-components=1']);
  const installed = readdirSync(join(root, 'node_modules')).filter((name) => !/^[.]|^topple$/.test(name));
  for (const name of installed) link(flat, name);
  const strict = join(place, 'strict');
  for (const name of own) link(strict, name);
  symlinkSync(folder, join(strict, 'node_modules/topple'));
  for (const project of [flat, strict]) {
    cpSync(join(root, 'test/package'), project, { recursive: true });
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  }
  return { folder, flat, strict };
}

function link(project: string, name: string): void {
  const path = join(project, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), path);
}
