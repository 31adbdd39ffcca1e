// npm run example -- NAME: runs one example; without a name, lists them.

import { readdirSync } from 'node:fs';

const folder = new URL('../examples/', import.meta.url);
const files = new Map(
  readdirSync(folder, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/main.ts` : entry.name))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file.replace(/(\/main)?\.ts$/, ''), new URL(file, folder).href]),
);

const [name] = process.argv.splice(2, 1);
const file = files.get(name ?? '');
if (file) {
  await import(file);
} else {
  console.error(`npm run example -- NAME, where NAME is one of: ${[...files.keys()].join(', ')}`);
  process.exitCode = 2;
}
