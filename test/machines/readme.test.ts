import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { machinesPage } from '../../scripts/docs/machines.ts';
import { spec } from '../spec.ts';

const test = spec('machines/README.md');

test('says what the machines say: npm run docs', () => {
  assert.is(readFileSync(new URL('../../machines/README.md', import.meta.url), 'utf8'), machinesPage());
});

test('leaves nothing without a meaning', () => {
  const silent: string[] = [];
  let column = -1;
  for (const line of machinesPage().split('\n')) {
    const cells = line.slice(2, -2).split(' | ');
    if (!line.startsWith('|')) column = -1;
    else if (column < 0) column = cells.indexOf('meaning');
    else if (cells[column] === '') silent.push(line);
  }
  assert.equal(silent, []);
});
