// Time-outs and cancels reach a task through one signal.

import { createEngine, createFlow } from 'topple';
import { createVirtualClock } from 'topple/testing';

const clock = createVirtualClock();
const engine = createEngine({ clock });

const slow = createFlow('slow').task('page', {
  timeoutMs: 1_000,
  retry: { maxAttempts: 2, backoff: 500 },
  perform: async ({ signal, attempt }) => {
    await clock.sleep(attempt === 1 ? 60_000 : 300, signal);
    return `attempt ${attempt} was in time`;
  },
});

const late = await engine.start(slow);
late.on('task.retrying', ({ at, error }) => console.log(`${at} ms: ${error.name}: ${error.message}`));
const view = await clock.run(late.settled());
console.log(`${clock.now()} ms: ${view.tasks.page?.output}\n`);

const video = createFlow('video')
  .task('convert', {
    perform: async ({ signal }) => {
      signal.addEventListener('abort', () => console.log('convert hears:', signal.reason.message));
      await clock.sleep(60_000, signal);
    },
  })
  .task('publish', { dependsOn: ['convert'], perform: () => 'never runs' });

const unwanted = await engine.start(video);
await clock.advance(100);
unwanted.cancel('the user left the page');
const { status, reason, tasks } = await clock.run(unwanted.settled());

console.log(`run ${status}: ${reason}`);
console.log(Object.entries(tasks).map(([id, task]) => `${id} ${task.status}`));

// Output:
// 1000 ms: TimeoutError: Attempt 1 of task `page` took longer than its `timeoutMs` of 1000 ms
// 1800 ms: attempt 2 was in time
//
// convert hears: The run was cancelled: the user left the page
// run cancelled: the user left the page
// [ 'convert cancelled', 'publish cancelled' ]
