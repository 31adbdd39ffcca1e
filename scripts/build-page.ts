// npm run build:page: builds the inspector's page into out/inspector-page/, from where a checkout serves it, and prints
// how large it is. With a folder as argument it is built into that.

import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildPage } from './build/page.ts';

/** The most bytes, gzipped, that the page may have, and all that it loads later. */
const mostBytes = 60_000;
const mostLaterBytes = 15_000;

/** What the page loads when it is looked at. */
const later = ['charts.js'];

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(root, process.argv[2] ?? 'out/inspector-page');
await buildPage(folder);
let [first, rest] = [0, 0];
for (const file of globSync('**/*.*', { cwd: folder }).sort()) {
  const bytes = gzipSync(readFileSync(resolve(folder, file)), { level: 9 }).length;
  if (later.includes(file)) rest += bytes;
  else first += bytes;
  console.log(`${kilobytes(bytes)} kB  ${file}`);
}
console.log(`${kilobytes(first)} kB  at first, gzipped; at most ${mostBytes / 1_000}`);
console.log(`${kilobytes(rest)} kB  later; at most ${mostLaterBytes / 1_000}`);
if (first > mostBytes || rest > mostLaterBytes) process.exitCode = 1;

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1).padStart(6);
}
