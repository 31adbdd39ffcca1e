import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Claim, Claims, goesBefore } from '../../src/engine/claims.ts';
import { spec } from '../spec.ts';

const test = spec('claims');

function claim(fields: Partial<Claim>): Claim {
  return { place: -1, priority: 0, readyAt: 0, runOrder: 0, index: 0, start: () => {}, ...fields };
}

test('goes by priority, then instant, then run, then definition', () => {
  const best = [
    claim({ priority: 1, readyAt: 9, runOrder: 9, index: 9 }),
    claim({ readyAt: 1, runOrder: 9, index: 9 }),
    claim({ readyAt: 2, runOrder: 1, index: 9 }),
    claim({ readyAt: 2, runOrder: 2, index: 1 }),
    claim({ readyAt: 2, runOrder: 2, index: 2 }),
  ];
  const claims = new Claims();
  for (const each of best.toReversed()) claims.push(each);
  assert.equal(
    Array.from(best, () => claims.shift()),
    best,
  );
  assert.equal([claims.size, claims.first], [0, undefined]);
});

test('agrees with a sorted list on any pushes, shifts and removals', () => {
  const action = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        push: fc.record({ priority: fc.integer({ min: 0, max: 1 }), readyAt: fc.nat({ max: 5 }) }),
      }),
    },
    { weight: 3, arbitrary: fc.constant('shift' as const) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const claims = new Claims();
      const model: Claim[] = [];
      const gone: Claim[] = [];
      for (const [index, each] of actions.entries()) {
        if (each === 'shift') {
          const expected = model.shift();
          if (expected !== undefined) assert.is(claims.shift(), expected);
          if (expected !== undefined) gone.push(expected);
        } else if ('push' in each) {
          const fresh = claim({ ...each.push, index });
          claims.push(fresh);
          model.push(fresh);
          model.sort((a, b) => (goesBefore(a, b) ? -1 : 1));
        } else {
          const [chosen] = model.splice(each.remove % Math.max(model.length, 1), 1);
          if (chosen !== undefined) claims.remove(chosen);
          for (const old of gone) claims.remove(old);
          if (chosen !== undefined) gone.push(chosen);
        }
        assert.equal([claims.size, claims.first], [model.length, model[0]]);
      }
    }),
    { numRuns: 300, seed: 1 },
  );
});
