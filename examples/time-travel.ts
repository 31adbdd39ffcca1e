// A journal remembers: the view of a run as it was after each event, or at an instant, long after it has settled.

import { createEngine, createFlow, createMemoryStore } from 'topple';
import { createVirtualClock } from 'topple/testing';

const clock = createVirtualClock(0);
const trip = createFlow('trip')
  .task('flight', { perform: () => clock.sleep(300).then(() => 'LX 38') })
  .task('hotel', {
    retry: { maxAttempts: 2, backoff: 500 },
    perform: async ({ attempt }) => {
      await clock.sleep(100);
      if (attempt === 1) throw new Error('no answer');
      return 'room 12';
    },
  })
  .task('mail', { dependsOn: ['flight', 'hotel'], perform: () => 'sent' });

const store = createMemoryStore();
const first = createEngine({ store, clock });
await clock.run((await first.start(trip, undefined, { id: 'trip-1' })).settled());
await first.stop();

// Another engine, which has only the journal.
const run = await createEngine({ store, clock, flows: [trip] }).run('trip-1');
if (run === undefined) throw new Error('The run is gone');

const show = (moment: { seq: number } | { at: number }) =>
  Object.entries(run.view(moment).tasks)
    .map(([id, { status }]) => `${id} ${status}`)
    .join(', ');

for await (const { seq, at, type, ...event } of run.events()) {
  const what = 'taskId' in event ? `${type} ${event.taskId}` : type;
  console.log(`${seq} at ${at} ms, ${what}: ${show({ seq })}`);
}

console.log('After 350 ms:', show({ at: 350 }));
console.log('Why is the hotel late?', run.view({ at: 350 }).tasks.hotel?.error?.message);

// Output:
// 1 at 0 ms, run.started: flight pending, hotel pending, mail pending
// 2 at 0 ms, task.ready flight: flight pending, hotel pending, mail pending
// 3 at 0 ms, task.ready hotel: flight pending, hotel pending, mail pending
// 4 at 0 ms, task.started flight: flight running, hotel pending, mail pending
// 5 at 0 ms, task.started hotel: flight running, hotel running, mail pending
// 6 at 100 ms, task.retrying hotel: flight running, hotel retrying, mail pending
// 7 at 300 ms, task.done flight: flight done, hotel retrying, mail pending
// 8 at 600 ms, task.started hotel: flight done, hotel running, mail pending
// 9 at 700 ms, task.done hotel: flight done, hotel done, mail pending
// 10 at 700 ms, task.ready mail: flight done, hotel done, mail pending
// 11 at 700 ms, task.started mail: flight done, hotel done, mail running
// 12 at 700 ms, task.done mail: flight done, hotel done, mail done
// 13 at 700 ms, run.done: flight done, hotel done, mail done
// After 350 ms: flight done, hotel retrying, mail pending
// Why is the hotel late? no answer
