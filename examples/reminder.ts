// A task can sleep, for a while or until an instant of the time of day; it outlives the process if its store does.

import { createEngine, createFlow, createMemoryStore } from 'topple';
import { createVirtualClock } from 'topple/testing';
import { z } from 'zod';

const dayMs = 86_400_000;

const reminder = createFlow('reminder', { input: z.object({ due: z.number() }) })
  .sleep('week before', { until: ({ input }) => new Date(input.due - 7 * dayMs) })
  .task('remind', { dependsOn: ['week before'], perform: () => 'sent' })
  .sleep('pause', { dependsOn: ['remind'], ms: 3 * dayMs })
  .task('remind again', { dependsOn: ['pause'], perform: () => 'sent again' });

const store = createMemoryStore();
const first = createVirtualClock();
const engine = createEngine({ clock: first, store });
const run = await engine.start(reminder, { due: 30 * dayMs });
await first.advance(1_000);
const until = run.view().tasks['week before']?.until ?? 0;
console.log('sleeps until day', until / dayMs);
await engine.stop();

// The process comes back on day 25: that sleep was over two days ago.
const clock = createVirtualClock(25 * dayMs);
const [recovered] = await createEngine({ clock, store }).recover([reminder]);
const view = await clock.run(recovered?.settled() as Promise<NonNullable<ReturnType<typeof run.view>>>);
for (const [id, { endedAt = 0 }] of Object.entries(view.tasks)) console.log(`${id}: day ${endedAt / dayMs}`);

// Output:
// sleeps until day 23
// week before: day 25
// remind: day 25
// pause: day 28
// remind again: day 28
