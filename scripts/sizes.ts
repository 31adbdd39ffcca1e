// npm run sizes: bundles each entry of the built package as a user's bundler would, and writes the sizes into
// docs/platforms.md. Measures the package in dist/: run `npm run build` first.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const dist = new URL('../dist/', import.meta.url);
const page = new URL('../docs/platforms.md', import.meta.url);

const { exports, peerDependencies } = JSON.parse(readFileSync(new URL('package.json', dist), 'utf8'));
const files = new Map(
  Object.entries<{ default: string }>(exports).map(([subpath, { default: path }]) => [
    subpath.replace('.', 'topple'),
    fileURLToPath(new URL(path, dist)),
  ]),
);
const main = files.get('topple') as string;
const whole = await sizesOf([main]);
const alone = await sizesOf([main], ['xstate']);
const rows: string[] = [];
for (const [name, file] of files) {
  const { first, later } = file === main ? whole : await sizesOf([main, file]);
  const cells = file === main ? [first, later] : [first - whole.first, later - whole.later];
  rows.push(`| \`${name}\` | ${cells.map(kilobytes).join(' | ')} |`);
}
const table = [
  '| entry | kB | more on demand |',
  '| --- | ---: | ---: |',
  rows[0],
  `| of it XState | ${kilobytes(whole.first - alone.first)} | |`,
  '| **beside `topple`** | | |',
  ...rows.slice(1),
].join('\n');
const text = readFileSync(page, 'utf8');
writeFileSync(page, text.replace(/(?<=<!-- sizes -->\n).*(?=\n<!-- \/sizes -->)/s, table));
console.log(table);

/** Bytes of all exports of some entries, gzipped: of what loads with them, and of what they load when it is needed. */
async function sizesOf(
  entries: readonly string[],
  external: readonly string[] = [],
): Promise<{ readonly first: number; readonly later: number }> {
  const contents = entries.map((file, index) => `export * as e${index} from ${JSON.stringify(file)};`);
  const { outputFiles, metafile } = await build({
    stdin: { contents: contents.join('\n'), resolveDir: fileURLToPath(dist) },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    outdir: '/',
    // Users of an entry have its peers installed.
    external: [...Object.keys(peerDependencies), ...external],
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  const { outputs } = metafile;
  const bytes = new Map(
    Object.keys(outputs).map((name, index) => [
      name,
      gzipSync(outputFiles[index]?.contents ?? '', { level: 9 }).length,
    ]),
  );
  const entry = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === '<stdin>') as string;
  const first = new Set([entry]);
  for (const name of first) {
    for (const { path, kind } of outputs[name]?.imports ?? [])
      if (kind === 'import-statement' && path in outputs) first.add(path);
  }
  const sumOf = (names: Iterable<string>): number =>
    Array.from(names).reduce((sum, name) => sum + (bytes.get(name) as number), 0);
  return { first: sumOf(first), later: sumOf(bytes.keys()) - sumOf(first) };
}

/** Bytes as thousands of them; nothing where there are none to speak of. */
function kilobytes(bytes: number): string {
  return bytes < 50 ? '' : (bytes / 1000).toFixed(1);
}
