// A map can run a flow for each item. All runs share the limits of the runs above them.

import { createEngine, createFlow } from 'topple';
import { z } from 'zod';

const order = createFlow('order', { input: z.object({ id: z.number(), price: z.number() }) })
  .task('charge', {
    perform: ({ input }) => {
      if (input.price > 100) throw new Error('too expensive');
      return input.price;
    },
  })
  .task('ship', { dependsOn: ['charge'], perform: ({ input }) => `parcel ${input.id}` })
  .output(({ deps }) => ({ paid: deps.charge, parcel: deps.ship }));

const day = createFlow('day', { concurrency: 2 })
  .task('orders', { perform: () => [5, 500, 20].map((price, id) => ({ id, price })) })
  .map('each', {
    dependsOn: ['orders'],
    over: ({ deps }) => deps.orders,
    // Each item is an input of that flow, so `input` may be left out.
    perform: order,
    tolerate: { share: 0.5 },
  })
  .task('total', {
    dependsOn: ['each'],
    perform: ({ deps }) => deps.each.reduce((sum, one) => sum + (one?.paid ?? 0), 0),
  });

const engine = createEngine();
const run = await engine.start(day, undefined, { id: 'monday' });
const { each, total } = await run.outputs();
console.log(total, each);

const { child } = run.view().tasks.each ?? {};
console.log(child?.runId, child?.counts?.failed, 'failed');

// Each run inside has a view of its own.
const failed = await engine.run('monday/each#1/1#1');
console.log(failed?.view().tasks.charge?.error?.message);

for await (const event of run.events({ deep: true }))
  if (event.type === 'task.failed') console.log('failed:', [...event.path, event.taskId].join(' → '));

// Output:
// 25 [
//   { paid: 5, parcel: 'parcel 0' },
//   undefined,
//   { paid: 20, parcel: 'parcel 2' }
// ]
// monday/each#1 1 failed
// too expensive
// failed: each → 1 → charge
// failed: each → 1
