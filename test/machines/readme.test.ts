import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { machinesPage } from '../../scripts/docs/machines.ts';
import { spec } from '../spec.ts';

const test = spec('machines/README.md');

test('says what the machines say: npm run docs', () => {
  assert.is(readFileSync(new URL('../../machines/README.md', import.meta.url), 'utf8'), machinesPage());
});
