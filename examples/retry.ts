// The retry policy decides when a failed attempt is made again, and an error may overrule it.

import { createEngine, createFlow, FatalError, RetryAfterError } from 'topple';
import { exponential } from 'topple/retry';
import { createVirtualClock } from 'topple/testing';

const clock = createVirtualClock();

const flow = createFlow('retry')
  .task('flaky', {
    retry: { maxAttempts: 4, backoff: exponential({ initialMs: 100 }) },
    perform: ({ attempt }) => {
      if (attempt < 4) throw new Error(`no luck ${attempt}`);
      return 'at last';
    },
  })
  .task('busy', {
    retry: { maxAttempts: 2 },
    perform: ({ attempt }) => {
      if (attempt === 1) throw new RetryAfterError(5_000, 'come back in 5 s');
      return 'served';
    },
  })
  .task('wrong', {
    retry: { maxAttempts: 10 },
    perform: () => {
      throw new FatalError('no such customer');
    },
  })
  .task('choosy', {
    retry: { maxAttempts: 10, backoff: 50, retryIf: (error) => error instanceof RangeError },
    perform: ({ attempt }) => {
      throw attempt === 1 ? new RangeError('worth another try') : new TypeError('not worth it');
    },
  });

const run = await createEngine({ clock }).start(flow);

run.on('task.retrying', ({ at, taskId, error, retryAt }) => {
  console.log(`${at} ms: ${taskId} failed (${error.message}), waits ${retryAt - at} ms`);
});

const { tasks } = await clock.run(run.settled());

for (const [id, { status, attempts, cause, output, error }] of Object.entries(tasks)) {
  console.log(`${id}: ${status}, attempt ${attempts}: ${output ?? `${error?.message} (${cause})`}`);
}

// Output:
// 0 ms: flaky failed (no luck 1), waits 100 ms
// 0 ms: busy failed (come back in 5 s), waits 5000 ms
// 0 ms: choosy failed (worth another try), waits 50 ms
// 100 ms: flaky failed (no luck 2), waits 200 ms
// 300 ms: flaky failed (no luck 3), waits 400 ms
// flaky: done, attempt 4: at last
// busy: done, attempt 2: served
// wrong: failed, attempt 1: no such customer (fatal)
// choosy: failed, attempt 2: not worth it (fatal)
