import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Vector } from '../../src/model/vector.ts';
import { spec } from '../spec.ts';

const test = spec('vector');

const toArray = (vector: Vector): number[] =>
  Array.from({ length: vector.size }, (_, index) => vector.get(index));

test('holds what it was made of, at every depth of its tree', () => {
  for (const size of [0, 1, 31, 32, 33, 1_024, 1_025, 40_000]) {
    const values = Array.from({ length: size }, (_, index) => index * 3);
    assert.equal(toArray(Vector.from(values)), values);
  }
});

test('leaves earlier versions as they were', () => {
  const before = Vector.from(new Int32Array(2_000));
  const edit = before.edit();
  edit.set(7, 1);
  const first = edit.done();
  edit.set(7, 2);
  edit.set(1_999, 3);
  const second = edit.done();
  assert.equal(
    [before.get(7), first.get(7), first.get(1_999), second.get(7), second.get(1_999)],
    [0, 1, 0, 2, 3],
  );
  assert.is(edit.get(7), 2);
});

test('agrees with arrays on any edits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_000 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { maxLength: 100 }),
      (size, changes) => {
        const array = Array.from({ length: size }, () => 0);
        let vector = Vector.from(array);
        let edit = vector.edit();
        for (const [at, value, isDone] of changes) {
          edit.set(at % size, value);
          array[at % size] = value;
          if (!isDone) continue;
          vector = edit.done();
          assert.equal(toArray(vector), array);
          edit = vector.edit();
        }
        assert.equal(toArray(edit.done()), array);
      },
    ),
    { numRuns: 50, seed: 1 },
  );
});
