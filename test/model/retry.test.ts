import * as assert from 'uvu/assert';
import { chain, fixed } from '../../src/model/backoff.ts';
import { FatalError, FlowError, RetryAfterError } from '../../src/model/error.ts';
import {
  checkRetry,
  type FailureInfo,
  MAX_WAIT_MS,
  planRetry,
  type RetryPolicy,
} from '../../src/model/retry.ts';
import { spec, specWithData } from '../spec.ts';

const test = spec('retry');

const exhausted = { retry: false, cause: 'exhausted' };
const fatal = { retry: false, cause: 'fatal' };

function failure(given: Partial<FailureInfo> = {}): FailureInfo {
  return { attempt: 1, elapsedMs: 0, error: new Error('busy'), random: () => 0.5, ...given };
}

/** A decision with its defect as `[message, cause]`. */
function plan(policy: RetryPolicy | undefined, given?: Partial<FailureInfo>) {
  const decision = planRetry(policy, failure(given));
  if (decision.retry || decision.defect === undefined) return decision;
  const { message, cause } = decision.defect;
  return { ...decision, defect: [message, cause] };
}

test('never retries without a policy', () => {
  assert.equal(plan(undefined), exhausted);
  assert.equal(plan(undefined, { error: new RetryAfterError(5) }), exhausted);
  assert.equal(plan(undefined, { error: new FatalError('bounced') }), fatal);
});

test('retries until all attempts are made', () => {
  const policy = { maxAttempts: 3, backoff: 100 };
  assert.equal(plan(policy, { attempt: 1 }), { retry: true, waitMs: 100 });
  assert.equal(plan(policy, { attempt: 2 }), { retry: true, waitMs: 100 });
  assert.equal(plan(policy, { attempt: 3 }), exhausted);
  assert.equal(plan(policy, { attempt: 4 }), exhausted);
  assert.equal(plan({ maxAttempts: 1 }), exhausted);
});

test('waits by full jitter from 1 s, doubling to 30 s, where the policy says nothing', () => {
  const policy = { maxAttempts: 20 };
  assert.equal(plan(policy), { retry: true, waitMs: 500 });
  assert.equal(plan(policy, { attempt: 3 }), { retry: true, waitMs: 2_000 });
  assert.equal(plan(policy, { attempt: 19 }), { retry: true, waitMs: 15_000 });
});

test('takes a function as backoff', () => {
  const backoff = ({ attempt, elapsedMs }: FailureInfo) => attempt * 10 + elapsedMs;
  assert.equal(plan({ maxAttempts: 9, backoff }, { attempt: 2, elapsedMs: 7 }), { retry: true, waitMs: 27 });
});

test('waits whole milliseconds, for no longer than a hundred years', () => {
  assert.equal(plan({ maxAttempts: 2, backoff: 1.5 }), { retry: true, waitMs: 2 });
  assert.equal(plan({ maxAttempts: 2, backoff: 0.4 }), { retry: true, waitMs: 0 });
  assert.equal(plan({ maxAttempts: 2, backoff: () => 1e300 }), { retry: true, waitMs: MAX_WAIT_MS });
  assert.equal(plan({ maxAttempts: 2, backoff: () => Infinity }), { retry: true, waitMs: MAX_WAIT_MS });
  assert.is(new Date(Date.UTC(2026) + MAX_WAIT_MS).getUTCFullYear(), 2126);
});

test('never retries a fatal error', () => {
  class Bounced extends FatalError {}
  for (const error of [new FatalError('no'), new Bounced('no')]) {
    assert.equal(plan({ maxAttempts: 3, retryIf: () => true }, { error }), fatal);
    assert.equal(plan({ maxAttempts: 3 }, { error, attempt: 3 }), fatal);
  }
});

test('waits as long as a RetryAfterError says, which still counts as an attempt', () => {
  const policy = { maxAttempts: 2, backoff: 100 };
  const error = new RetryAfterError(1_234);
  assert.equal(plan(policy, { error }), { retry: true, waitMs: 1_234 });
  assert.equal(plan(policy, { error, attempt: 2 }), exhausted);
  assert.equal(plan({ maxAttempts: 2, maxElapsedMs: 1_000 }, { error }), exhausted);
});

test('does not retry when the next attempt would come too late', () => {
  const policy = { maxAttempts: 9, backoff: 100, maxElapsedMs: 1_000 };
  assert.equal(plan(policy, { elapsedMs: 899 }), { retry: true, waitMs: 100 });
  assert.equal(plan(policy, { elapsedMs: 900 }), exhausted);
  assert.equal(plan({ ...policy, maxElapsedMs: Number.POSITIVE_INFINITY }, { elapsedMs: 1e9 }), {
    retry: true,
    waitMs: 100,
  });
});

test('asks retryIf once the wait is known', () => {
  const asked: unknown[] = [];
  const error = new Error('busy');
  const policy: RetryPolicy = { maxAttempts: 3, backoff: 100, retryIf: (...given) => asked.push(given) > 1 };
  assert.equal(plan(policy, { error, elapsedMs: 7 }), fatal);
  assert.equal(plan(policy, { error, attempt: 2 }), { retry: true, waitMs: 100 });
  assert.equal(plan(policy, { error, attempt: 3 }), exhausted);
  assert.equal(asked, [
    [error, { attempt: 1, elapsedMs: 7, waitMs: 100 }],
    [error, { attempt: 2, elapsedMs: 0, waitMs: 100 }],
    [error, { attempt: 3, elapsedMs: 0, waitMs: 100 }],
  ]);
});

test('calls an error fatal that retryIf refuses, also after the last attempt', () => {
  assert.equal(plan({ maxAttempts: 1, retryIf: () => false }), fatal);
});

test('works out the wait after the last attempt too', () => {
  let asked = 0;
  plan({ maxAttempts: 1, backoff: () => ++asked });
  assert.is(asked, 1);
});

for (const value of [Number.NaN, -1, '5', undefined, null]) {
  const shown = typeof value === 'string' ? `"${value}"` : String(value);

  test(`is fatal when a backoff gives ${shown}`, () => {
    const message = `\`retry.backoff\` must give a number of at least 0, but gave ${shown}: there is no further attempt`;
    assert.equal(plan({ maxAttempts: 2, backoff: () => value as number }), {
      ...fatal,
      defect: [message, undefined],
    });
  });

  test(`is fatal when a RetryAfterError has a waitMs of ${shown}`, () => {
    const error = new RetryAfterError(value as number);
    const message = `\`RetryAfterError.waitMs\` must give a number of at least 0, but gave ${shown}: there is no further attempt`;
    assert.equal(plan({ maxAttempts: 2 }, { error }), { ...fatal, defect: [message, undefined] });
  });
}

test('needs no wait after the last attempt', () => {
  const waits = [10, 20];
  const policy = { maxAttempts: 3, backoff: ({ attempt }: FailureInfo) => waits[attempt - 1] as number };
  assert.equal(plan(policy, { attempt: 2 }), { retry: true, waitMs: 20 });
  assert.equal(plan(policy, { attempt: 3 }), exhausted);
});

test('keeps what a backoff or retryIf throws, and lets nothing out', () => {
  const thrown = new TypeError('no such table');
  const fail = () => {
    throw thrown;
  };
  assert.equal(plan({ maxAttempts: 2, backoff: fail }), {
    ...fatal,
    defect: ['`retry.backoff` threw TypeError: no such table: there is no further attempt', thrown],
  });
  assert.equal(plan({ maxAttempts: 2, backoff: 0, retryIf: fail }), {
    ...fatal,
    defect: ['`retry.retryIf` threw TypeError: no such table: there is no further attempt', thrown],
  });
});

test('is fatal when retryIf is asynchronous or answers with anything but true or false', () => {
  const reject = async () => {
    throw new Error('would end the process');
  };
  assert.equal(plan({ maxAttempts: 2, backoff: 0, retryIf: reject as never }), {
    ...fatal,
    defect: [
      '`retry.retryIf` must give true or false, but gave a promise: there is no further attempt',
      undefined,
    ],
  });
  assert.equal(plan({ maxAttempts: 2, backoff: 0, retryIf: (() => undefined) as never }), {
    ...fatal,
    defect: [
      '`retry.retryIf` must give true or false, but gave undefined: there is no further attempt',
      undefined,
    ],
  });
});

test('takes whatever was thrown', () => {
  const trap = new Proxy({}, { getPrototypeOf: () => assert.unreachable() as never });
  for (const error of [undefined, null, 'text', Object.freeze(new Error('frozen')), trap]) {
    assert.equal(plan({ maxAttempts: 2, backoff: 5 }, { error }), { retry: true, waitMs: 5 });
  }
});

test('takes a good policy', () => {
  checkRetry('mail', { maxAttempts: 1 });
  checkRetry('mail', { maxAttempts: 3, backoff: 0, maxElapsedMs: 0, retryIf: () => true });
  checkRetry('mail', { maxAttempts: 3, backoff: fixed(1), maxElapsedMs: Number.POSITIVE_INFINITY });
  checkRetry('mail', { maxAttempts: 3, backoff: undefined, maxElapsedMs: undefined, retryIf: undefined });
});

for (const [policy, option, message] of [
  [{ maxAttempts: 0 }, 'retry.maxAttempts', 'must be an integer of at least 1, but is 0'],
  [{ maxAttempts: 1.5 }, 'retry.maxAttempts', 'must be an integer of at least 1, but is 1.5'],
  [
    { maxAttempts: Number.POSITIVE_INFINITY },
    'retry.maxAttempts',
    'must be an integer of at least 1, but is Infinity',
  ],
  [{}, 'retry.maxAttempts', 'must be an integer of at least 1, but is undefined'],
  [
    { maxAttempts: 2, backoff: -1 },
    'retry.backoff',
    'must be a finite number of at least 0, or a function, but is -1',
  ],
  [
    { maxAttempts: 2, backoff: Number.POSITIVE_INFINITY },
    'retry.backoff',
    'must be a finite number of at least 0, or a function, but is Infinity',
  ],
  [
    { maxAttempts: 2, backoff: { kind: 'fixed' } },
    'retry.backoff',
    'must be a finite number of at least 0, or a function, but is {"kind":"fixed"}',
  ],
  [{ maxAttempts: 2, maxElapsedMs: -1 }, 'retry.maxElapsedMs', 'must be a number of at least 0, but is -1'],
  [
    { maxAttempts: 2, maxElapsedMs: Number.NaN },
    'retry.maxElapsedMs',
    'must be a number of at least 0, but is NaN',
  ],
  [{ maxAttempts: 2, retryIf: true }, 'retry.retryIf', 'must be a function, but is true'],
  [3, 'retry', 'must be an object of `maxAttempts`, `backoff`, `maxElapsedMs`, `retryIf`, but is 3'],
  [{ maxAttempt: 3 }, 'retry', 'does not take `maxAttempt`. Did you mean `maxAttempts`?'],
] as const) {
  test(`refuses ${JSON.stringify(policy)}: ${option} ${message}`, () => {
    try {
      checkRetry('mail', policy as unknown as RetryPolicy);
    } catch (error) {
      assert.instance(error, FlowError);
      const { code, taskId, option: named, message: text } = error as FlowError;
      assert.equal([code, taskId, named], ['bad_option', 'mail', option]);
      assert.is(text, `\`${option}\` of task \`mail\` ${message}`);
      return;
    }
    assert.unreachable();
  });
}

interface StopRow {
  strategy: string;
  params: { seconds?: number; n?: number };
  attempt: number;
  elapsed: number;
  upcomingSleep: number;
  stop: boolean;
}

interface Tenacity {
  stops: StopRow[];
  behaviour: { case: string; expected?: unknown }[];
}

/** Tenacity's stops as policies; `all` needs `retryIf`, which is asked about every failure. */
function policyOf({ strategy, params, upcomingSleep }: StopRow): RetryPolicy {
  const { n = Number.MAX_SAFE_INTEGER, seconds = Number.POSITIVE_INFINITY } = params;
  const backoff = upcomingSleep * 1_000;
  if (strategy !== 'all') return { maxAttempts: n, backoff, maxElapsedMs: seconds * 1_000 };
  const retryIf: RetryPolicy['retryIf'] = (_, { attempt, elapsedMs }) =>
    attempt < n || elapsedMs < seconds * 1_000;
  return { maxAttempts: Number.MAX_SAFE_INTEGER, backoff, retryIf };
}

/** What a task does that fails at every attempt. */
function failAlways(policy: RetryPolicy) {
  const waits: number[] = [];
  for (let attempt = 1, elapsedMs = 0; ; attempt++) {
    const decision = planRetry(policy, failure({ attempt, elapsedMs }));
    if (!decision.retry) return { attempts: attempt, waits, ...decision };
    waits.push(decision.waitMs);
    elapsedMs += decision.waitMs;
  }
}

specWithData<Tenacity>('retry: stops of tenacity', 'tenacity_waits.json', (test, { stops, behaviour }) => {
  for (const row of stops) {
    const { strategy, params, attempt, elapsed, upcomingSleep, stop } = row;
    test(`${strategy} ${JSON.stringify(params)} at ${attempt}, ${elapsed} s, ${upcomingSleep} s to wait`, () => {
      const decision = plan(policyOf(row), { attempt, elapsedMs: elapsed * 1_000 });
      assert.is(decision.retry, !stop);
    });
  }

  test('makes five attempts of five', () => {
    assert.match(behaviour[0]?.case ?? '', 'stop after 5 attempts is called exactly 5 times');
    assert.equal(failAlways({ maxAttempts: 5, backoff: 0 }), {
      attempts: 5,
      waits: [0, 0, 0, 0],
      ...exhausted,
    });
  });

  test('waits between attempts, not after the last', () => {
    const policy = { maxAttempts: 5, backoff: chain(1_000, 2_000, 3_000) };
    const { attempts, waits } = failAlways(policy);
    assert.is(attempts, 5);
    assert.equal(
      waits.map((waitMs) => waitMs / 1_000),
      behaviour[1]?.expected,
    );
  });
});
