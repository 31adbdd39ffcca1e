// npm run build:page: builds the inspector's page into out/inspector-page/, from where a checkout serves it, and prints
// how large it is. With a folder as argument it is built into that.

import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildPage } from './build/page.ts';

/** The most bytes, gzipped, with which the page may open. The rest is loaded when it is looked at, or is for exported files. */
const mostBytes = 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(root, process.argv[2] ?? 'out/inspector-page');
await buildPage(folder);
const opening = openedWith('page.js');
let total = 0;
for (const file of globSync('**/*.*', { cwd: folder }).sort()) {
  const bytes = gzipSync(readFileSync(resolve(folder, file)), { level: 9 }).length;
  if (!file.endsWith('.js') || opening.has(file)) total += bytes;
  console.log(`${(bytes / 1_000).toFixed(1).padStart(6)} kB  ${file}`);
}
console.log(
  `${(total / 1_000).toFixed(1).padStart(6)} kB  to open the page, gzipped; at most ${mostBytes / 1_000}`,
);
if (total > mostBytes) process.exitCode = 1;

/** A script, and those that it imports at once, at any depth. */
function openedWith(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const code = readFileSync(resolve(folder, name), 'utf8');
  for (const [, other] of code.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g))
    openedWith(other as string, found);
  return found;
}
