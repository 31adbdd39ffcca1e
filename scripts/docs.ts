// npm run docs: writes the pages that are made from the source. With --check it writes nothing, names those that
// are stale and fails.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machinesPage } from './docs/machines.ts';

const pages = new Map([['machines/README.md', machinesPage]]);

const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

for (const [file, page] of pages) {
  const url = new URL(`../${file}`, import.meta.url);
  const text = page();
  if (existsSync(url) && readFileSync(url, 'utf8') === text) continue;
  if (options.check) {
    console.error(`${file} is stale: npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(url, text);
    console.log(`${file} written`);
  }
}
