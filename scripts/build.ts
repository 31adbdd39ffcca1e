// Compiles the published package into dist/, which is packed from there: its own package.json lacks the
// source condition and all that only development needs, and no file of the checkout is changed to publish.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const dist = new URL('dist/', root);
const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

const { scripts, workspaces, devDependencies, files, ...manifest } = JSON.parse(
  readFileSync(new URL('package.json', root), 'utf8'),
);
for (const conditions of Object.values<Record<string, string>>(manifest.exports)) {
  delete conditions['topple-source'];
  for (const [name, path] of Object.entries(conditions)) conditions[name] = path.replace('./dist/', './');
}
for (const [name, path] of Object.entries<string>(manifest.bin)) {
  manifest.bin[name] = path.replace('./dist/', './');
  chmodSync(new URL(path, root), 0o755);
}
writeFileSync(new URL('package.json', dist), `${JSON.stringify(manifest, null, 2)}\n`);
for (const file of ['README.md', 'LICENSE']) copyFileSync(new URL(file, root), new URL(file, dist));
