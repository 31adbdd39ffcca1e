// npm run pictures: writes the pictures of the README, docs/pictures/*.svg, by running topple in a pseudo-terminal.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Pty } from '../test/support/pty.ts';
import { drawWindow } from './pictures/window.ts';

const folder = new URL('../docs/pictures/', import.meta.url);
const flow = fileURLToPath(new URL('pictures/release.ts', import.meta.url));
const title = 'topple run release.ts --concurrency 3';

mkdirSync(folder, { recursive: true });
using pty = new Pty(['run', flow, '--concurrency', '3'], { columns: 100, rows: 30 });
await pty.until(/↻ unit-tests[\s\S]*▶ browser-tests +[\d.]+ s +━+─+ +[4-6]\d%/);
write('run.svg', drawWindow(pty.screen, title));
await pty.ended();
write('summary.svg', drawWindow(pty.screen, title));

function write(name: string, svg: string): void {
  writeFileSync(new URL(name, folder), svg);
  console.log(`docs/pictures/${name} written`);
}
