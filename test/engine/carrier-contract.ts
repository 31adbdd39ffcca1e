// What every carrier of attempts must keep.

import { type PerformScope, SkipTask } from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import type { TaskEvent } from '../../machines/task.ts';
import type { Attempt, AttemptTask } from '../../src/engine/attempt.ts';
import type { Carrier } from '../../src/engine/carrier.ts';
import { Limit } from '../../src/engine/slots.ts';
import { Turn } from '../../src/engine/turn.ts';
import { defineTask } from '../../src/model/definition.ts';
import { spec } from '../spec.ts';

/** A body, and the clock that it waits by. */
type Perform = (scope: PerformScope, clock: VirtualClock) => unknown;

/** An attempt that has been begun, and what its task was told. */
interface World {
  readonly clock: VirtualClock;
  readonly attempt: Attempt;
  readonly told: unknown[];
  readonly logged: string[];
  readonly lines: unknown[];
}

const cancelled = new Error('told to end');

/** One suite for all carriers; `name` says where they reach their bodies. */
export function carrierContract(name: string, Made: Carrier): void {
  const test = spec(`an attempt carried out ${name}`);

  function begin(perform: Perform): World {
    const clock = createVirtualClock(1_000);
    const turn = new Turn(clock, new Limit(1));
    const told: unknown[] = [];
    const logged: string[] = [];
    const lines: unknown[] = [];
    const task: Partial<AttemptTask> = {
      index: 0,
      definition: defineTask('flow', 'task', {
        perform: (scope: PerformScope) => perform(scope, clock),
        timeoutMs: 50,
        graceMs: 20,
      }),
      elapsedMs: 0,
      run: {
        id: 'run',
        definition: { name: 'flow' },
        input: { of: 'the run' },
        timers: turn.timers,
        logger: { info: (message: string) => logged.push(message), error: () => {}, warn: () => {} },
        random: () => 0.5,
        graceMs: 5_000,
        now: () => clock.now(),
        next: (callback: () => void) => turn.next(callback),
        depsOf: () => ({ before: 1 }),
        outcomesOf: () => ({ before: { status: 'done' } }),
        keyOf: (id: string) => `run/${id}`,
        logged: (line: unknown) => lines.push(line),
        noteFailure: () => {},
      } as never,
      send: (event: TaskEvent) => told.push(event),
      returned: (at, output) => told.push(['returned', at, output]),
      leaveSlot: () => told.push('slot left'),
    };
    const attempt = new Made(task as AttemptTask, 2);
    assert.equal(told, []);
    attempt.open();
    attempt.begin();
    assert.not(told.includes('slot left'), 'no end is reported while it begins');
    return { clock, attempt, told, logged, lines };
  }

  const end = (attempt: Attempt) =>
    attempt.end({ as: 'task cancelled', cause: 'cancelled', error: cancelled, reason: 'enough' });

  test('gives the body its scope, and reports the output', async () => {
    const { clock, told } = begin(({ input, deps, outcomes, runId, taskId, attempt, idempotencyKey }) => [
      input,
      deps,
      outcomes,
      [runId, taskId, attempt, idempotencyKey],
    ]);
    await clock.advance(0);
    const output = [
      { of: 'the run' },
      { before: 1 },
      { before: { status: 'done' } },
      ['run', 'task', 2, 'run/task'],
    ];
    assert.equal(told, ['slot left', ['returned', 1_000, output]]);
  });

  test('calls the body once, and after `begin` only', async () => {
    const calls: string[] = [];
    const { clock, told } = begin(async () => calls.push('body'));
    await clock.advance(100);
    assert.equal([calls, told.length], [['body'], 2]);
  });

  for (const [what, perform] of Object.entries<Perform>({
    throws: () => {
      throw new TypeError('no');
    },
    rejects: () => Promise.reject(new TypeError('no')),
  })) {
    test(`reports the error of a body that ${what}`, async () => {
      const { clock, told } = begin(perform);
      await clock.advance(0);
      const [left, { error, ...failed }] = told as [unknown, { error: { name: string; message: string } }];
      assert.equal([left, failed], ['slot left', { type: 'attempt.failed', at: 1_000, cause: 'exhausted' }]);
      assert.equal([error.name, error.message], ['TypeError', 'no']);
    });
  }

  test('knows a body that skips its task', async () => {
    const { clock, told } = begin(() => {
      throw new SkipTask('not today');
    });
    await clock.advance(0);
    assert.equal(told, ['slot left', { type: 'attempt.skipped', at: 1_000, reason: 'not today' }]);
  });

  test('reports once, whatever a thenable calls', async () => {
    const thenable = {
      then(resolve: (value: number) => void, reject: (error: Error) => void) {
        resolve(1);
        resolve(2);
        reject(new Error('late'));
      },
    };
    const { clock, told } = begin(() => thenable);
    await clock.advance(100);
    assert.equal(told, ['slot left', ['returned', 1_000, 1]]);
  });

  test('lets the body log and tell its progress, until it is to end', async () => {
    let scope: PerformScope | undefined;
    const { clock, attempt, told, logged, lines } = begin((given) => {
      scope = given;
      given.log('begun');
      given.progress(0.5, 'half');
      return new Promise(() => {});
    });
    await clock.advance(1);
    assert.equal(logged, ['[flow run task #2] begun']);
    assert.equal(lines, [{ taskId: 'task', attempt: 2, at: 1_000, message: 'begun', data: undefined }]);
    const progress = { type: 'attempt.progress', at: 1_000, fraction: 0.5, note: 'half' };
    assert.equal(told.splice(0), [progress]);
    end(attempt);
    scope?.progress(0.7);
    await clock.advance(1);
    assert.equal(told, []);
  });

  test('asks the body to end, and waits for that', async () => {
    const reasons: unknown[] = [];
    const { clock, attempt, told } = begin(async ({ signal }, clock) => {
      await clock.sleep(100, signal).catch((error) => reasons.push(error));
      await clock.sleep(5);
    });
    await clock.advance(10);
    end(attempt);
    await clock.advance(4);
    assert.equal([reasons, told], [[cancelled], []]);
    await clock.advance(96);
    assert.equal(told, [
      'slot left',
      { type: 'attempt.cancelled', at: 1_015, cause: 'cancelled', reason: 'enough' },
    ]);
  });

  test('shows a signal read late as aborted', async () => {
    const seen: unknown[] = [];
    const { clock, attempt } = begin(async (scope, clock) => {
      await clock.sleep(5);
      seen.push(scope.signal.aborted, scope.signal.reason);
    });
    await clock.advance(1);
    end(attempt);
    await clock.advance(10);
    assert.equal(seen, [true, cancelled]);
  });

  test('gives up a body that goes on after the grace', async () => {
    const { clock, attempt, told } = begin((_, clock) => clock.sleep(40).then(() => 'late'));
    await clock.advance(1);
    end(attempt);
    await clock.advance(100);
    assert.equal(told, [
      'slot left',
      { type: 'attempt.cancelled', at: 1_021, cause: 'cancelled', reason: 'enough' },
    ]);
  });

  test('tells its task of the time limit, not the body', async () => {
    const { clock, told } = begin(({ signal }, clock) => clock.sleep(60).then(() => signal.aborted));
    await clock.advance(100);
    assert.equal(told, [{ type: 'attempt.expire', at: 1_050 }, 'slot left', ['returned', 1_060, false]]);
  });

  test('reports nothing once it is stopped, and asks the body to end', async () => {
    const reasons: string[] = [];
    const { clock, attempt, told } = begin(({ signal }, clock) =>
      clock.sleep(30, signal).catch((error) => reasons.push(error.name)),
    );
    await clock.advance(1);
    attempt.stop();
    attempt.stop();
    await clock.advance(100);
    assert.equal([reasons, told], [['EngineStoppedError'], []]);
  });
}
