// Dependents receive the output of a task, checked by schemas and typed all the way.

import { createFlow, InputError, RunFailedError } from 'topple';
import { z } from 'zod';

const Order = z.object({ items: z.array(z.object({ cents: z.int(), count: z.int().default(1) })) });

const invoice = createFlow('invoice', { input: Order })
  .task('net', {
    output: z.int().positive(),
    perform: ({ input }) => input.items.reduce((sum, { cents, count }) => sum + cents * count, 0),
  })
  .task('vat', { dependsOn: ['net'], perform: ({ deps }) => Math.round(deps.net * 0.2) })
  .task('total', { dependsOn: ['net', 'vat'], perform: ({ deps }) => deps.net + deps.vat })
  .output(({ input, deps }) => ({ lines: input.items.length, ...deps }));

const orders = [[{ cents: 1_250, count: 4 }, { cents: 399 }], [{ cents: 12.5 }], []];

for (const items of orders) {
  try {
    console.log(await invoice.run({ items }));
  } catch (error) {
    if (error instanceof InputError) console.log('Nothing was started:', error.message);
    else if (error instanceof RunFailedError) console.log('A task failed:', error.failures[0]?.error.message);
    else throw error;
  }
}

// Output:
// { lines: 2, net: 5399, vat: 1080, total: 6479 }
// Nothing was started: Input of flow `invoice` is not valid: items.0.cents: Invalid input: expected int, received number
// A task failed: Output of task `net` is not valid: Too small: expected number to be >0
