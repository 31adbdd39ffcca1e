import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { readRows } from '../../src/model/graph-rows.ts';
import { itemRows } from '../../src/model/item-rows.ts';
import { spec } from '../spec.ts';

const test = spec('item-rows');

test('the rows of items are those of tasks that depend on nothing', () => {
  for (const count of [0, 1, 2, 11]) {
    const { indexes, ...rows } = readRows(Array.from({ length: count }, (_, id) => ({ id: `${id}` })));
    const { indexes: found, ...items } = itemRows(count);
    assert.equal(items, rows);
    for (const id of items.ids) assert.is(found.get(id), indexes.get(id));
  }
});

test('no other text is the id of an item', () => {
  const { indexes } = itemRows(20);
  const close = ['', ' 1', '1 ', '01', '+1', '-0', '-1', '1.0', '1.5', '1e1', '0x1', '20', 'NaN', 'Infinity'];
  for (const id of close) assert.is(indexes.get(id), undefined, id);
  const isItem = (id: string): boolean => /^(\d|1\d)$/.test(id);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer({ max: 25 }).map(String)), (id) => {
      assert.is(indexes.get(id) !== undefined, isItem(id));
    }),
  );
});

test.run();
