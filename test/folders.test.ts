// Tests stand in a folder that is named as the one they test, or with the program in `test/` that they test.

import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from './spec.ts';

const test = spec('folders of tests');

const root = fileURLToPath(new URL('..', import.meta.url));

test('are each a folder of src or of the checkout, or that of a program', () => {
  const folders = new Set(globSync('**/*.test.ts', { cwd: import.meta.dirname }).map(dirname));
  const isFolderOf = (place: string) => (folder: string) => existsSync(join(root, place, folder));
  const isProgram = (folder: string) => folder !== '.' && existsSync(join(root, 'test', folder, 'main.ts'));
  const [inSources, inCheckout] = [isFolderOf('src'), isFolderOf('.')];
  assert.equal(
    [...folders].filter((folder) => !inSources(folder) && !inCheckout(folder) && !isProgram(folder)),
    [],
  );
  assert.ok(folders.size > 20, `${folders.size} folders`);
});
