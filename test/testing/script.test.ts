import { createFlow, type RunView } from 'topple';
import { fails, hold, never, ok, takes } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('scripted bodies');

const flow = createFlow('scripted')
  .task('first', {
    retry: { maxAttempts: 3, backoff: 10 },
    timeoutMs: 1_000,
    graceMs: 50,
    perform: (): string => 'real',
  })
  .task('second', { dependsOn: ['first'], perform: ({ deps }) => `${deps.first}!` });

/** How `first` ended, and when. */
function endOf({ tasks, status }: RunView) {
  const { output, error, attempts, endedAt, cause } = tasks.first ?? {};
  return { status, output, error: error?.message, attempts, endedAt, cause };
}

async function settle(bodies: Parameters<typeof flow.provide>[0]): Promise<RunView> {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(flow.provide(bodies));
  return clock.run(run.settled());
}

test('ok returns at once', async () => {
  const view = await settle({ first: ok('scripted') });
  assert.equal(endOf(view), {
    status: 'done',
    output: 'scripted',
    error: undefined,
    attempts: 1,
    endedAt: 0,
    cause: undefined,
  });
  assert.is(view.tasks.second?.output, 'scripted!');
});

test('fails fails the given number of times, then does what follows', async () => {
  const view = await settle({ first: fails(2, new Error('busy'), ok('at last')) });
  assert.equal(endOf(view), {
    status: 'done',
    output: 'at last',
    error: undefined,
    attempts: 3,
    endedAt: 20,
    cause: undefined,
  });
});

test('fails names task and attempt if no error is given, and may fail for ever', async () => {
  const view = await settle({ first: fails(Number.POSITIVE_INFINITY) });
  const error = '`first` was told to fail in attempt 3';
  assert.equal(endOf(view), {
    status: 'failed',
    output: undefined,
    error,
    attempts: 3,
    endedAt: 20,
    cause: 'exhausted',
  });
});

test('never reaches its limit and is given up', async () => {
  const view = await settle({ first: never() });
  const error = 'Attempt 3 of task `first` took longer than its `timeoutMs` of 1000 ms';
  assert.equal(endOf(view), {
    status: 'failed',
    output: undefined,
    error,
    attempts: 3,
    endedAt: 3 * 1_050 + 20,
    cause: 'timeout',
  });
});

test('takes waits on the clock of its run', async () => {
  const view = await settle({ first: takes(300, ok('in time')) });
  assert.equal(endOf(view), {
    status: 'done',
    output: 'in time',
    error: undefined,
    attempts: 1,
    endedAt: 300,
    cause: undefined,
  });
  const late = await settle({ first: takes(2_000) });
  assert.equal([endOf(late).endedAt, endOf(late).cause], [3 * 1_000 + 20, 'timeout']);
  const failing = await settle({ first: takes(5, fails(1, new Error('once'), ok('twice'))) });
  assert.equal([endOf(failing).output, endOf(failing).endedAt], ['twice', 20]);
});

test('hold waits for its release, or for a failure, attempt by attempt', async () => {
  const { clock, engine } = virtualEngine();
  const first = hold<string>();
  const run = await engine.start(flow.provide({ first }));
  await clock.advance(500);
  assert.equal([first.waiting, run.view().tasks.first?.status], [1, 'running']);
  first.fail(new Error('not yet'));
  await clock.advance(5);
  assert.equal([first.waiting, run.view().tasks.first?.status], [0, 'retrying']);
  await clock.advance(5);
  first.release('now');
  const view = await clock.run(run.settled());
  assert.equal(endOf(view), {
    status: 'done',
    output: 'now',
    error: undefined,
    attempts: 2,
    endedAt: 510,
    cause: undefined,
  });
});

test('hold may be released before its attempt starts, and heeds its signal', async () => {
  const early = hold<string>();
  early.fail();
  early.release('early');
  assert.equal(endOf(await settle({ first: early })).output, 'early');
  const { clock, engine } = virtualEngine();
  const held = hold<string>();
  const run = await engine.start(flow.provide({ first: held }));
  run.cancel('enough');
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.endedAt, held.waiting], ['cancelled', 0, 0]);
});
