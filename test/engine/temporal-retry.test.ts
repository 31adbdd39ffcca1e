import { createFlow, type RetryPolicy } from 'topple';
import { exponential } from 'topple/retry';
import * as assert from 'uvu/assert';
import { specWithData } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

interface Cases {
  readonly cases: readonly { readonly id: string; readonly expect: { readonly bases?: readonly number[] } }[];
}

/** The waits before the attempts of a task that always fails, and how it ended. */
async function waitsOf(retry: RetryPolicy, most = Number.POSITIVE_INFINITY) {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(
    createFlow('failing').task('a', {
      retry,
      perform: () => {
        throw new Error('always');
      },
    }),
  );
  const waits: number[] = [];
  run.on('task.retrying', ({ at, retryAt }) => {
    waits.push(retryAt - at);
    if (waits.length >= most) run.cancel();
  });
  const { tasks } = await clock.run(run.settled());
  return { waits, attempts: tasks.a?.attempts, cause: tasks.a?.cause };
}

const doubling = (initialMs: number, maxMs?: number) =>
  exponential({ initialMs, base: 2, ...(maxMs !== undefined && { maxMs }) });

/** How a task with three attempts ends: after how many, and why. */
async function endOf(options: object) {
  const { engine, clock } = virtualEngine();
  const retry = { maxAttempts: 3, backoff: 1 };
  const flow = createFlow('ends').task('a', { retry, perform: () => 1, ...options });
  const { a } = (await clock.run((await engine.start(flow)).settled())).tasks;
  return [a?.status, a?.attempts, a?.cause];
}

class Type extends Error {
  override readonly name = 'type';
}

/** Where topple has what Temporal has. Waits are compared without jitter; its own is another. */
const counterparts: Readonly<Record<string, (expect: Cases['cases'][number]['expect']) => Promise<void>>> = {
  'tp-1': async ({ bases = [] }) => {
    const { waits } = await waitsOf({ maxAttempts: 6, backoff: doubling(1_000, 10_000) });
    assert.equal(
      waits,
      bases.map((s) => s * 1_000),
    );
  },
  'tp-2': async () => {
    const { attempts, cause } = await waitsOf({ maxAttempts: 5, backoff: doubling(1_000) });
    assert.equal([attempts, cause], [5, 'exhausted']);
  },
  'tp-5': async () => {
    const { waits } = await waitsOf({ maxAttempts: 100, backoff: doubling(2_000), maxElapsedMs: 300_000 });
    assert.ok(waits.reduce((sum, wait) => sum + wait, 0) < 300_000);
    assert.ok(waits.length > 5);
  },
  'tp-8': async () => {
    const { waits, attempts } = await waitsOf({ maxAttempts: 5, backoff: doubling(1) });
    assert.equal([waits, attempts], [[1, 2, 4, 8], 5]);
  },
  'tp-10': async () => {
    const retry = { maxAttempts: Number.MAX_SAFE_INTEGER, backoff: doubling(1_000) };
    const { waits } = await waitsOf(retry, 3);
    assert.equal(waits, [1_000, 2_000, 4_000]);
  },
  'tp-14': async () => {
    const retry = { maxAttempts: 3, backoff: 1, retryIf: (error: unknown) => !(error instanceof Type) };
    const fails = (error: Error) => () => {
      throw error;
    };
    assert.equal(await endOf({ retry, perform: fails(new Type('of a kind')) }), ['failed', 1, 'fatal']);
    assert.equal(await endOf({ retry, perform: fails(new Error('other')) }), ['failed', 3, 'exhausted']);
    const hangs = () => new Promise(() => {});
    // Start to close: of one attempt. Schedule to close: of all together.
    assert.equal(await endOf({ timeoutMs: 10, graceMs: 0, perform: hangs }), ['failed', 3, 'timeout']);
    assert.equal(await endOf({ totalTimeoutMs: 10, graceMs: 0, perform: hangs }), ['failed', 1, 'timeout']);
    // Schedule to start: of a wait for somebody else.
    const { engine, clock } = virtualEngine();
    const run = await engine.start(createFlow('late').waitFor('a', { timeoutMs: 10 }));
    const view = await clock.run(run.settled());
    assert.equal(
      [view.tasks.a?.status, view.tasks.a?.cause, view.tasks.a?.attempts],
      ['failed', 'timeout', 0],
    );
    const cancelled = await engine.start(createFlow('cancelled').task('a', { retry, perform: hangs }));
    await clock.advance(1);
    cancelled.cancel();
    assert.is((await clock.run(cancelled.settled())).tasks.a?.attempts, 1);
  },
};

/** What topple does otherwise. */
const otherwise: Readonly<Record<string, string>> = {
  'tp-7': 'a wait is not cut to the time that is left: without time for all of it there is no retry',
};

specWithData<Cases>('retries of Temporal', 'cases/temporal_retry.json', (test, { cases }) => {
  for (const { id, expect } of cases) {
    if (id in otherwise) continue;
    test(`${id} has a counterpart that does the same`, async () => {
      const counterpart = counterparts[id];
      assert.ok(counterpart, `${id} is new`);
      await counterpart?.(expect);
    });
  }

  test('those that have none say why', () => {
    const known = new Set(cases.map(({ id }) => id));
    assert.equal(
      Object.keys(otherwise).filter((id) => !known.has(id)),
      [],
    );
  });
});
