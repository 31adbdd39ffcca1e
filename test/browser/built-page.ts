import { globSync, renameSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPage } from '../../scripts/build/page.ts';
import { pageFolder } from './fake-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the page is built of. */
const sources = [
  'src/inspector/**/*.*',
  'src/draw/**/*.ts',
  'src/model/*.ts',
  'machines/*.ts',
  'scripts/build/page.ts',
];

/** Builds the page into `out/inspector-page`, if a source is newer. */
export async function builtPage(): Promise<void> {
  if (isNew()) return;
  // Beside it first, so that another process never serves half of a page.
  const beside = `${root}out/inspector-page.${process.pid}`;
  await buildPage(beside);
  rmSync(pageFolder, { recursive: true, force: true });
  renameSync(beside, pageFolder);
}

function isNew(): boolean {
  const built = changedAt(`${pageFolder}index.html`);
  return built > 0 && globSync(sources, { cwd: root }).every((file) => changedAt(`${root}${file}`) <= built);
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
