// npm run sizes: bundles each entry of the built package as a user's bundler would, and writes the sizes into
// docs/platforms.md. Measures the package in dist/: run `npm run build` first.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const dist = new URL('../dist/', import.meta.url);
const page = new URL('../docs/platforms.md', import.meta.url);

const { exports, peerDependencies } = JSON.parse(readFileSync(new URL('package.json', dist), 'utf8'));
const rows: string[] = [];
for (const [subpath, { default: path }] of Object.entries<{ default: string }>(exports)) {
  const name = subpath.replace('.', 'topple');
  const file = fileURLToPath(new URL(path, dist));
  const [whole, alone] = await Promise.all([kilobytes(file, []), kilobytes(file, ['xstate'])]);
  rows.push(`| \`${name}\` | ${whole} | ${alone} |`);
}
const table = ['| entry | kB | without XState |', '| --- | ---: | ---: |', ...rows].join('\n');
const text = readFileSync(page, 'utf8');
writeFileSync(page, text.replace(/(?<=<!-- sizes -->\n).*(?=\n<!-- \/sizes -->)/s, table));
console.log(table);

/** The size of all exports of an entry, in thousands of bytes. */
async function kilobytes(file: string, more: readonly string[]): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    // Users of an entry have its peers installed.
    external: [...Object.keys(peerDependencies), ...more],
    write: false,
  });
  const [bundle] = outputFiles;
  return (gzipSync(bundle?.contents ?? '', { level: 9 }).length / 1000).toFixed(1);
}
