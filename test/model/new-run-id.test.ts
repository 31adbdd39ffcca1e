import * as assert from 'uvu/assert';
import { newRunId } from '../../src/model/new-run-id.ts';
import { spec } from '../spec.ts';

const test = spec('ids of new runs');

test('are UUIDs of version 7 that carry the time', () => {
  const before = Date.now();
  const ids = Array.from({ length: 1_000 }, newRunId);
  const after = Date.now();
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const at = Number.parseInt(id.slice(0, 13).replace('-', ''), 16);
    assert.ok(before <= at && at <= after, id);
  }
});

test('are all different, and use every digit at every random place', () => {
  const ids = Array.from({ length: 20_000 }, newRunId);
  assert.is(new Set(ids).size, ids.length);
  const places = [...Array(36).keys()].filter((place) => place > 14 && ![18, 19, 23].includes(place));
  for (const place of places) assert.is(new Set(ids.map((id) => id[place])).size, 16, `place ${place}`);
  assert.equal([...new Set(ids.map((id) => id[19]))].sort(), ['8', '9', 'a', 'b']);
});
