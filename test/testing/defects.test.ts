// The quick look at what the long tests of seeded defects need: each defect's text must stand in its file, once.

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { childDefects } from './child-defects.ts';
import { crashDefects } from './crash-defects.ts';
import { defects } from './defects.ts';
import { undoDefects } from './undo-defects.ts';
import { valueDefects } from './value-defects.ts';

const test = spec('seeded defects as texts');

test('each stands once in its file', () => {
  const stale = [...defects, ...valueDefects, ...crashDefects, ...childDefects, ...undoDefects].filter(
    ({ file, find }) => {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      return source.split(find).length !== 2;
    },
  );
  assert.equal(
    stale.map(({ name }) => name),
    [],
  );
});
