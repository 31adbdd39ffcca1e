// Tests stand in a folder that is named as the one they test.

import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from './spec.ts';

const test = spec('folders of tests');

const root = fileURLToPath(new URL('..', import.meta.url));

test('are each a folder of src, or of the checkout', () => {
  const folders = new Set(globSync('**/*.test.ts', { cwd: import.meta.dirname }).map(dirname));
  const isFolderOf = (place: string) => (folder: string) => existsSync(join(root, place, folder));
  const [inSources, inCheckout] = [isFolderOf('src'), isFolderOf('.')];
  assert.equal(
    [...folders].filter((folder) => !inSources(folder) && !inCheckout(folder)),
    [],
  );
  assert.ok(folders.size > 20, `${folders.size} folders`);
});
