import * as assert from 'uvu/assert';
import {
  badOption,
  boundRule,
  checkAtMost,
  checkFunction,
  checkKeys,
  checkNumber,
  durationRule,
  isA,
  type NumberRule,
  showValue,
} from '../../src/model/check.ts';
import { FlowError } from '../../src/model/error.ts';
import { spec } from '../spec.ts';

const test = spec('check');

const place = { option: 'x', owner: 'f' };
const known = new Set(['minMs', 'maxMs']);

function errorOf(act: () => unknown): FlowError {
  try {
    act();
  } catch (error) {
    if (error instanceof FlowError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

const wrong: { rule: NumberRule; must: string; values: unknown[] }[] = [
  {
    rule: {},
    must: 'a finite number',
    values: ['1', Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  },
  { rule: { min: 1 }, must: 'a finite number of at least 1', values: [0.999, undefined] },
  { rule: durationRule, must: 'a finite number of at least 0', values: [-1, Number.POSITIVE_INFINITY] },
  { rule: boundRule, must: 'a number of at least 0', values: [-1, Number.NaN, null] },
  {
    rule: { integer: true, min: 1 },
    must: 'an integer of at least 1',
    values: [0, 1.5, Number.POSITIVE_INFINITY],
  },
  {
    rule: { integer: true, min: 1, infinity: true },
    must: 'an integer of at least 1, or Infinity',
    values: [0, 1.5, Number.NEGATIVE_INFINITY],
  },
  { rule: { infinity: true }, must: 'a number', values: [Number.NEGATIVE_INFINITY, Number.NaN] },
];

for (const { rule, must, values } of wrong) {
  for (const value of values) {
    test(`refuses ${showValue(value)} as ${must}`, () => {
      const { code, message } = errorOf(() => checkNumber(place, value, rule));
      assert.equal(
        [code, message],
        ['bad_option', `\`x\` of \`f\` must be ${must}, but is ${showValue(value)}`],
      );
    });
  }
}

test('takes numbers that keep the rule', () => {
  checkNumber(place, -1.5, {});
  checkNumber(place, 0, durationRule);
  checkNumber(place, Number.POSITIVE_INFINITY, boundRule);
  checkNumber(place, 1, { integer: true, min: 1 });
  checkNumber(place, Number.POSITIVE_INFINITY, { integer: true, min: 1, infinity: true });
});

test('says where an option stands, in words and as fields', () => {
  const error = badOption({ option: 'timeoutMs', taskId: 'mail', flow: 'signup' }, 'a duration', -1);
  assert.is(error.message, '`timeoutMs` of task `mail` of flow `signup` must be a duration, but is -1');
  assert.equal(
    { ...error },
    {
      name: 'FlowError',
      code: 'bad_option',
      option: 'timeoutMs',
      taskId: 'mail',
      flow: 'signup',
      value: -1,
    },
  );
  assert.equal(Object.keys(badOption({ option: 'x' }, 'y', 1)).sort(), ['code', 'name', 'option', 'value']);
});

test('refuses more than its bound', () => {
  checkAtMost(place, 2, 2, 'y');
  assert.is(
    errorOf(() => checkAtMost(place, 3, 2, 'y')).message,
    '`x` of `f` must be at most `y` (2), but is 3',
  );
});

test('refuses what is no function', () => {
  checkFunction(place, () => 1);
  assert.is(
    errorOf(() => checkFunction(place, 'run')).message,
    '`x` of `f` must be a function, but is "run"',
  );
});

test('refuses keys that it does not know', () => {
  checkKeys(place, { minMs: 1 }, known);
  const typo = errorOf(() => checkKeys(place, { maxMS: 1 }, known));
  assert.is(typo.message, '`x` of `f` does not take `maxMS`. Did you mean `maxMs`?');
  assert.is(typo.suggestion, 'maxMs');
  const stranger = errorOf(() => checkKeys(place, { jitter: 1 }, known));
  assert.is(stranger.message, '`x` of `f` does not take `jitter`. It takes `minMs`, `maxMs`.');
  assert.not.ok('suggestion' in stranger);
  for (const value of [3, null, undefined]) {
    const none = errorOf(() => checkKeys(place, value, known));
    assert.is(none.message, `\`x\` of \`f\` must be an object of \`minMs\`, \`maxMs\`, but is ${value}`);
  }
});

test('shows any value in a few words', () => {
  const unreadable = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no prototype');
      },
    },
  );
  const shown = [
    ['a "b"', '"a \\"b\\""'],
    [5n, '5n'],
    [() => 1, 'a function'],
    [Promise.resolve(), 'a promise'],
    [Symbol('s'), 'Symbol(s)'],
    [undefined, 'undefined'],
    [{ a: [1] }, '{"a":[1]}'],
    ['x'.repeat(100), `"${'x'.repeat(58)}…`],
  ] as const;
  assert.equal(
    shown.map(([value]) => showValue(value)),
    shown.map(([, text]) => text),
  );
  assert.type(showValue(unreadable), 'string');
});

test('asks for a class without throwing', () => {
  const trap = new Proxy(new Error('x'), {
    getPrototypeOf() {
      throw new Error('no prototype');
    },
  });
  assert.is(isA(new TypeError('x'), Error), true);
  assert.is(isA('x', Error), false);
  assert.is(isA(trap, Error), false);
});
