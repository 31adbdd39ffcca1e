import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { drawPictures } from '../../../scripts/docs/pictures.ts';
import { spec } from '../../spec.ts';

const test = spec('pictures in the documents');

test('are what the command line draws (npm run docs)', async () => {
  for (const [file, picture] of await drawPictures())
    assert.ok(
      readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8') === picture,
      `${file} is stale`,
    );
});
