// An order that fails is taken back: what was done is undone, the last first. What could not be undone holds back what
// it was built on, and the view says so.

import { createFlow } from 'topple';
import { z } from 'zod';

const told: string[] = [];
const bank = { isOpen: true };

/** One order is packed in a flow of its own: its tasks are undone when the order that has it is. */
const packing = createFlow('packing').task('box', {
  perform: () => 'box 7',
  compensate: ({ output }) => told.push(`unpack ${output}`),
});

const order = createFlow('order', { input: z.object({ seat: z.string(), ships: z.boolean() }) })
  .task('reserve', {
    perform: ({ input }) => ({ seat: input.seat }),
    compensate: ({ output }) => told.push(`release ${output.seat}`),
  })
  .task('charge', {
    dependsOn: ['reserve'],
    perform: ({ idempotencyKey }) => ({ charge: idempotencyKey.replace(/^[^/]*/, 'run') }),
    compensate: {
      // A charge whose answer was lost may have been made: then there is no output, but the key tells which it is.
      after: 'started',
      retry: { maxAttempts: 2, backoff: 5 },
      perform: ({ output, idempotencyKey, error }) => {
        if (!bank.isOpen) throw new Error('the bank is closed');
        const key = idempotencyKey.replace(/^[^/]*/, 'run');
        told.push(`refund ${output?.charge ?? key}, since ${error?.message}`);
      },
    },
  })
  .flow('pack', { flow: packing, dependsOn: ['charge'] })
  .task('ship', {
    dependsOn: ['pack'],
    perform: ({ input }) => {
      if (!input.ships) throw new Error('no van');
      return 'on its way';
    },
  });

const run = await order.start({ seat: '12A', ships: false });
const { status, compensation } = await run.settled();
console.log(status, compensation?.status, compensation?.tasks);
console.log(told.splice(0).join('\n'));

// A rerun performs what was undone again, under keys of its own.
bank.isOpen = false;
run.rerun();
const again = await run.settled();
console.log(again.status, again.compensation?.tasks);
for (const { taskId, error } of again.compensation?.failures ?? [])
  console.log(`${taskId}: ${error.message}`);
console.log(told.join('\n'), '- charged under', again.tasks.charge?.output);

// Output:
// failed done { reserve: 'undone', charge: 'undone', pack: 'undone' }
// unpack box 7
// refund run/charge, since no van
// release 12A
// failed { reserve: 'blocked', charge: 'failed', pack: 'undone' }
// charge: the bank is closed
// unpack box 7 - charged under { charge: 'run/charge#1' }
