// npm run docs: writes the pages that are generated from the source. With --check it writes nothing, names the stale
// pages and fails.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machinePictures, machinesPage } from './docs/machines.ts';
import { drawPictures } from './docs/pictures.ts';

const pages = new Map([
  ['machines/README.md', machinesPage()],
  ...machinePictures(),
  ...(await drawPictures()),
]);

const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

for (const [file, text] of pages) {
  const url = new URL(`../${file}`, import.meta.url);
  if (existsSync(url) && readFileSync(url, 'utf8') === text) continue;
  if (options.check) {
    console.error(`${file} is stale: npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(url, text);
    console.log(`${file} written`);
  }
}
