// Runs and tasks are actors: an engine's `inspect` sees each of them, and every transition.

import { createEngine, createFlow } from 'topple';
import { createVirtualClock } from 'topple/testing';
import type { InspectionEvent } from 'xstate';

const steps = new Map<string, string[]>();

function inspect(event: InspectionEvent): void {
  const id = 'id' in event.actorRef ? String(event.actorRef.id) : event.actorRef.sessionId;
  if (event.type === '@xstate.actor') steps.set(id, []);
  if (event.type === '@xstate.microstep' && event._transitions.length > 0 && 'value' in event.snapshot) {
    steps.get(id)?.push(`${event.event.type} → ${event.snapshot.value}`);
  }
}

const tea = createFlow('tea')
  .task('water', { perform: () => 'hot' })
  .task('leaves', {
    dependsOn: ['water'],
    retry: { maxAttempts: 2, backoff: 60_000 },
    perform: ({ attempt }) => {
      if (attempt === 1) throw new Error('the tin is empty');
    },
  });

const clock = createVirtualClock();
const run = await createEngine({ clock, inspect }).start(tea, undefined, { id: 'run' });
await clock.run(run.settled());

console.log(`${steps.size} actors, ${[...steps.values()].flat().length} transitions`);
for (const [id, taken] of steps) console.log(`\n${id}\n  ${taken.join('\n  ')}`);

// Output:
// 3 actors, 13 transitions
//
// run
//   run.start → running
//   task.settled → running
//   task.settled → concluding
//   run.conclude → done
//
// water
//   task.ready → ready
//   attempt.start → running
//   attempt.done → done
//
// leaves
//   task.ready → ready
//   attempt.start → running
//   attempt.failed → backing_off
//   attempt.due → due
//   attempt.start → running
//   attempt.done → done
