// When a failed attempt is tried again: the policy decides, and an error may overrule it.

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

const { status, tasks } = await clock.run(run.settled());

console.log(`\nrun ${status}`);
for (const [id, task] of Object.entries(tasks)) {
  const { status, attempts, cause = 'no cause', output = task.error?.message } = task;
  console.log(`${id}: ${status} after ${attempts} attempts, ${cause}: ${output}`);
}
