// A task can wait for a value from outside: here, for a person who approves. It holds no slot meanwhile.

import { createEngine, createFlow, type DeliveryError, type InputError } from 'topple';
import { createVirtualClock } from 'topple/testing';
import { z } from 'zod';

const clock = createVirtualClock();
const engine = createEngine({ clock });

const order = createFlow('order', { input: z.object({ amount: z.number() }) })
  .task('charge', { perform: ({ input }) => `charge of ${input.amount}` })
  .waitFor('approval', {
    dependsOn: ['charge'],
    schema: z.object({ by: z.string() }),
    timeoutMs: 86_400_000,
  })
  .task('ship', {
    dependsOn: ['charge', 'approval'],
    perform: ({ deps }) => `${deps.charge}, approved by ${deps.approval.by}`,
  });

const run = await engine.start(order, { amount: 20 });
await clock.advance(60_000);
console.log('approval is', run.view().tasks.approval?.status);

// A value that the schema refuses is an error for its sender, and the task goes on waiting.
await run.deliver('approval', { by: 7 }).catch((error: InputError) => console.log(error.name));

// With a key, a sender that is not sure may repeat itself.
console.log(await run.deliver('approval', { by: 'ada' }, { key: 'mail-12' }));
console.log(await run.deliver('approval', { by: 'ada' }, { key: 'mail-12' }));
await run.deliver('approval', { by: 'bob' }).catch((error: DeliveryError) => console.log(error.name));
console.log((await run.outputs()).ship);

// Nobody approves the next one: `onTimeout` may also be `skip`, or `{ value }`.
const late = await engine.start(order, { amount: 30 });
const view = await clock.run(late.settled());
console.log(
  view.status,
  'after',
  (view.endedAt ?? 0) - (view.startedAt ?? 0),
  'ms:',
  view.tasks.approval?.cause,
);

// Output:
// approval is waiting
// InputError
// delivered
// already
// DeliveryError
// charge of 20, approved by ada
// failed after 86400000 ms: timeout
