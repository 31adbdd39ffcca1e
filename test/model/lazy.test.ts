import * as assert from 'uvu/assert';
import { lazy } from '../../src/model/lazy.ts';
import { spec } from '../spec.ts';

const test = spec('lazy');

test('makes its value when it is first asked for, and once', () => {
  let made = 0;
  const value = lazy(() => ({ number: ++made }));
  assert.is(made, 0);
  assert.is(value(), value());
  assert.is(made, 1);
});

test('tries again after it failed', () => {
  let tries = 0;
  const value = lazy(() => {
    if (++tries === 1) throw new Error('not yet');
    return { tries };
  });
  assert.throws(value, 'not yet');
  assert.equal(value(), { tries: 2 });
});
