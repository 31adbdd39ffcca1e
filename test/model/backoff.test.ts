import * as assert from 'uvu/assert';
import {
  askBackoff,
  type Backoff,
  chain,
  defaultBackoff,
  exponential,
  exponentialJitter,
  type FailureInfo,
  fixed,
  fromError,
  incrementing,
  random,
  randomExponential,
  sum,
} from '../../src/model/backoff.ts';
import { FlowError, RetryAfterError } from '../../src/model/error.ts';
import { spec, specWithData } from '../spec.ts';

const test = spec('backoff');

function failure(attempt: number, { chance = 0.5, error = undefined as unknown } = {}): FailureInfo {
  return { attempt, elapsedMs: 0, error, random: () => chance };
}

/** Waits after the first five failures. */
function waitsOf(backoff: Backoff, chance?: number): number[] {
  return [1, 2, 3, 4, 5].map((attempt) =>
    askBackoff(backoff, failure(attempt, chance === undefined ? {} : { chance })),
  );
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FlowError && error.code === 'bad_option') return error.message;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

test('fixed waits always the same', () => {
  assert.equal(waitsOf(fixed(250)), [250, 250, 250, 250, 250]);
  assert.equal(waitsOf(250), [250, 250, 250, 250, 250]);
});

test('incrementing adds, up to its bound', () => {
  assert.equal(waitsOf(incrementing({ startMs: 100, incrementMs: 50 })), [100, 150, 200, 250, 300]);
  assert.equal(
    waitsOf(incrementing({ startMs: 100, incrementMs: 50, maxMs: 180 })),
    [100, 150, 180, 180, 180],
  );
  assert.equal(waitsOf(incrementing({ startMs: 100, incrementMs: -40 })), [100, 60, 20, 0, 0]);
});

test('exponential doubles between its bounds', () => {
  assert.equal(waitsOf(exponential({ initialMs: 100 })), [100, 200, 400, 800, 1_600]);
  assert.equal(
    waitsOf(exponential({ initialMs: 100, base: 3, minMs: 200, maxMs: 1_000 })),
    [200, 300, 900, 1_000, 1_000],
  );
  assert.equal(waitsOf(exponential({ initialMs: 100, base: 1 })), [100, 100, 100, 100, 100]);
});

test('exponential stays a number at any attempt', () => {
  assert.is(exponential({ initialMs: 0 })(failure(5_000)), 0);
  assert.is(exponential({ initialMs: 1, maxMs: 9 })(failure(5_000)), 9);
  assert.is(exponential({ initialMs: 10 })(failure(5_000)), Number.MAX_VALUE);
  assert.is(randomExponential({ initialMs: 10 })(failure(5_000, { chance: 0 })), 0);
});

test('randomExponential takes anything up to the exponential', () => {
  const strategy = randomExponential({ initialMs: 100, maxMs: 1_000, minMs: 10 });
  assert.equal(waitsOf(strategy, 0), [10, 10, 10, 10, 10]);
  assert.equal(waitsOf(strategy, 0.5), [55, 105, 205, 405, 505]);
  assert.equal(waitsOf(strategy, 1), [100, 200, 400, 800, 1_000]);
});

test('exponentialJitter adds chance to the exponential, inside the bounds', () => {
  const strategy = exponentialJitter({ initialMs: 100, jitterMs: 40, minMs: 110, maxMs: 820 });
  assert.equal(waitsOf(strategy, 0), [110, 200, 400, 800, 820]);
  assert.equal(waitsOf(strategy, 0.5), [120, 220, 420, 820, 820]);
  assert.equal(waitsOf(exponentialJitter({ initialMs: 100 }), 0.5), [600, 700, 900, 1_300, 2_100]);
});

test('random takes anything between its bounds', () => {
  assert.equal(waitsOf(random(10, 30), 0), [10, 10, 10, 10, 10]);
  assert.equal(waitsOf(random(10, 30), 0.25), [15, 15, 15, 15, 15]);
});

test('chain takes one part after the other and repeats the last', () => {
  assert.equal(waitsOf(chain(1, fixed(2), ({ attempt }) => attempt * 10)), [1, 2, 30, 40, 50]);
});

test('sum adds its parts', () => {
  assert.equal(waitsOf(sum(5, exponential({ initialMs: 10 }))), [15, 25, 45, 85, 165]);
});

test('the default is full jitter from 1 s, doubling to 30 s', () => {
  assert.equal(waitsOf(defaultBackoff, 0), [0, 0, 0, 0, 0]);
  assert.equal(waitsOf(defaultBackoff, 1), [1_000, 2_000, 4_000, 8_000, 16_000]);
  assert.is(defaultBackoff(failure(9, { chance: 1 })), 30_000);
  assert.is(defaultBackoff(failure(5_000, { chance: 1 })), 30_000);
  const same = randomExponential({ initialMs: 1_000, maxMs: 30_000 });
  assert.equal(waitsOf(defaultBackoff, 0.3), waitsOf(same, 0.3));
});

const unreadable = Object.defineProperty({}, 'retryAfterMs', {
  get() {
    throw new Error('unreadable');
  },
});

for (const { hint, error, waitMs } of [
  { hint: 'waitMs of a RetryAfterError', error: new RetryAfterError(1_500), waitMs: 1_500 },
  {
    hint: 'retryAfterMs',
    error: Object.assign(new Error('busy'), { retryAfterMs: 250, retryAfter: 9 }),
    waitMs: 250,
  },
  { hint: 'retryAfter in seconds', error: { retryAfter: 2 }, waitMs: 2_000 },
  { hint: 'retryAfter as text', error: { retryAfter: '0.5' }, waitMs: 500 },
  {
    hint: 'retryAfter beside a retryAfterMs that is no wait',
    error: { retryAfterMs: -1, retryAfter: 2 },
    waitMs: 2_000,
  },
]) {
  test(`fromError reads ${hint}`, () => {
    assert.is(fromError(7)(failure(1, { error })), waitMs);
  });
}

for (const error of [
  undefined,
  null,
  'retryAfter',
  new Error('busy'),
  new RetryAfterError(Number.NaN),
  { retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' },
  { retryAfter: '' },
  { retryAfter: -1 },
  { retryAfterMs: '250' },
  unreadable,
]) {
  test('fromError falls back where the error asks for no wait', () => {
    assert.is(fromError(fixed(7))(failure(1, { error })), 7);
  });
}

test('fromError falls back to the default backoff', () => {
  assert.is(fromError()(failure(2, { chance: 1 })), 2_000);
});

const nan = Number.NaN;
const endless = Number.POSITIVE_INFINITY;

for (const [act, message] of [
  [() => fixed(-1), '`waitMs` of `fixed` must be a finite number of at least 0, but is -1'],
  [() => fixed(endless), '`waitMs` of `fixed` must be a finite number of at least 0, but is Infinity'],
  [
    () => incrementing({ startMs: nan, incrementMs: 1 }),
    '`startMs` of `incrementing` must be a finite number of at least 0, but is NaN',
  ],
  [
    () => incrementing({ startMs: 1, incrementMs: endless }),
    '`incrementMs` of `incrementing` must be a finite number, but is Infinity',
  ],
  [
    () => incrementing({ startMs: 1, incrementMs: 1, maxMs: -1 }),
    '`maxMs` of `incrementing` must be a number of at least 0, but is -1',
  ],
  [
    () => exponential({ initialMs: -1 }),
    '`initialMs` of `exponential` must be a finite number of at least 0, but is -1',
  ],
  [
    () => exponential({ initialMs: 1, base: 0 }),
    '`base` of `exponential` must be a finite number of at least 1, but is 0',
  ],
  [
    () => exponential({ initialMs: 1, minMs: nan }),
    '`minMs` of `exponential` must be a finite number of at least 0, but is NaN',
  ],
  [
    () => exponential({ initialMs: 1, maxMs: nan }),
    '`maxMs` of `exponential` must be a number of at least 0, but is NaN',
  ],
  [
    () => exponential({ initialMs: 1, minMs: 20, maxMs: 10 }),
    '`minMs` of `exponential` must be at most `maxMs` (10), but is 20',
  ],
  [
    () => randomExponential({ initialMs: 1, minMs: 20, maxMs: 10 }),
    '`minMs` of `randomExponential` must be at most `maxMs` (10), but is 20',
  ],
  [
    () => exponentialJitter({ initialMs: 1, jitterMs: -1 }),
    '`jitterMs` of `exponentialJitter` must be a finite number of at least 0, but is -1',
  ],
  [
    () => exponential(1_000 as never),
    '`options` of `exponential` must be an object of `initialMs`, `base`, `minMs`, `maxMs`, but is 1000',
  ],
  [
    () => randomExponential({ initialMs: 1, maxMS: 2 } as never),
    '`options` of `randomExponential` does not take `maxMS`. Did you mean `maxMs`?',
  ],
  [() => random(-1, 2), '`minMs` of `random` must be a finite number of at least 0, but is -1'],
  [() => random(1, endless), '`maxMs` of `random` must be a finite number of at least 0, but is Infinity'],
  [() => random(3, 2), '`minMs` of `random` must be at most `maxMs` (2), but is 3'],
  [() => chain(), '`parts` of `chain` must be at least one backoff, but is []'],
  [
    () => chain(1, -1),
    '`parts[1]` of `chain` must be a finite number of at least 0, or a function, but is -1',
  ],
  [() => sum(), '`parts` of `sum` must be at least one backoff, but is []'],
  [
    () => sum('1' as never),
    '`parts[0]` of `sum` must be a finite number of at least 0, or a function, but is "1"',
  ],
  [
    () => fromError(nan),
    '`fallback` of `fromError` must be a finite number of at least 0, or a function, but is NaN',
  ],
] as const) {
  test(`refuses: ${message}`, () => {
    assert.is(messageOf(act), message);
  });
}

interface WaitRow {
  strategy: string;
  params: Record<string, number | number[]>;
  attempt: number;
  min: number;
  max: number;
}

interface Tenacity {
  waits: WaitRow[];
  behaviour: { case: string; expected?: unknown }[];
}

const ms = (seconds: unknown) => (seconds as number) * 1_000;

/** Tenacity's parameters, in seconds, as ours: its multiplier is our first wait, 1 s by default. */
function exponentialOf({ multiplier = 1, exp_base, min, max }: WaitRow['params']) {
  return {
    initialMs: ms(multiplier),
    ...(exp_base === undefined ? {} : { base: exp_base as number }),
    ...(min === undefined ? {} : { minMs: ms(min) }),
    ...(max === undefined ? {} : { maxMs: ms(max) }),
  };
}

const strategies: Record<string, (params: WaitRow['params']) => Backoff> = {
  none: () => 0,
  fixed: ({ wait }) => fixed(ms(wait)),
  incrementing: ({ start, increment }) => incrementing({ startMs: ms(start), incrementMs: ms(increment) }),
  random: ({ min, max }) => random(ms(min), ms(max)),
  exponential: (params) => exponential(exponentialOf(params)),
  random_exponential: (params) => randomExponential(exponentialOf(params)),
  exponential_jitter: ({ jitter = 1, ...params }) => {
    return exponentialJitter({ ...exponentialOf(params), jitterMs: ms(jitter) });
  },
  chain: ({ fixed: waits }) => chain(...(waits as number[]).map((wait) => fixed(ms(wait)))),
  sum: ({ fixed: wait, random: bounds }) => {
    const [low, high] = bounds as number[];
    return sum(fixed(ms(wait)), random(ms(low), ms(high)));
  },
};

specWithData<Tenacity>('backoff: waits of tenacity', 'tenacity_waits.json', (test, { waits, behaviour }) => {
  for (const { strategy, params, attempt, min, max } of waits) {
    test(`${strategy} ${JSON.stringify(params)} after attempt ${attempt}`, () => {
      const backoff = strategies[strategy]?.(params) as Backoff;
      // Every strategy grows with chance, so its ends are the bounds.
      assert.is(askBackoff(backoff, failure(attempt, { chance: 0 })), ms(min));
      assert.is(askBackoff(backoff, failure(attempt, { chance: 1 })), ms(max));
    });
  }

  test('refuses a second name for the first wait', () => {
    const row = behaviour.find(({ expected }) => expected === 'throws');
    assert.match(row?.case ?? '', 'both initial and multiplier');
    assert.is(
      messageOf(() => exponentialJitter({ initialMs: 1, multiplier: 1 } as never)),
      '`options` of `exponentialJitter` does not take `multiplier`. It takes `initialMs`, `base`, `minMs`, `maxMs`, `jitterMs`.',
    );
  });
});
