// node scripts/run.mjs scripts/build.ts [FOLDER] [TSC FLAGS]: bundles the published package and declares its types, in
// dist/ or another folder of the checkout, from which it is packed. Its own package.json lacks the source condition and
// everything that only development needs, so publishing changes no file of the checkout.

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './build/bundle.ts';
import { writeDocuments } from './build/documents.ts';
import { buildPage } from './build/page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name = 'dist', ...flags] = process.argv.slice(2);
const folder = resolve(root, name);
/** The sources of the inspector's page, which is shipped as it is built. */
const page = join(root, 'src/inspector/page');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
// For debuggers and "Go to definition". Not next to the compiled files: the compiler would read sources there instead.
for (const name of ['src', 'machines'])
  cpSync(join(root, name), join(folder, 'sources', name), {
    recursive: true,
    filter: (path) => path !== page,
  });
declare();
const { exports, bin } = writeManifest();
const paths = [
  ...Object.values<{ default: string }>(exports).map((entry) => entry.default),
  ...Object.values<string>(bin),
];
await bundle(
  folder,
  paths.map((path) => path.replace('./', '').replace(/\.js$/, '.ts')),
);
await buildPage(join(folder, 'inspector/page'));
for (const path of Object.values<string>(bin)) chmodSync(join(folder, path), 0o755);
writeDocuments(root, folder);

/** Checks the types and writes them, a file for each source. */
function declare(): void {
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  const config = join(folder, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.build.json') }));
  execFileSync(process.execPath, [tsc, '-p', config, ...flags], { stdio: 'inherit' });
  rmSync(config);
}

function writeManifest(): { exports: Record<string, { default: string }>; bin: Record<string, string> } {
  const { scripts, workspaces, devDependencies, files, ...manifest } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  for (const conditions of Object.values<Record<string, string>>(manifest.exports)) {
    delete conditions['topple-source'];
    for (const [name, path] of Object.entries(conditions)) conditions[name] = path.replace('./dist/', './');
  }
  for (const [name, path] of Object.entries<string>(manifest.bin)) {
    manifest.bin[name] = path.replace('./dist/', './');
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
