// A customer pays once, though the process dies between payment and record, and the customer's client asks three times.

import { rmSync } from 'node:fs';
import { createEngine, createFlow, InputError } from 'topple';
import { createSqliteStore } from 'topple/sqlite';

/** A payment service: it knows the keys that it has seen. Most do. */
const charges = new Map<string, string>();
let calls = 0;
function charge(key: string, cents: number): string {
  calls++;
  const receipt = charges.get(key) ?? `receipt ${charges.size + 1} for ${cents} cents`;
  charges.set(key, receipt);
  return receipt;
}

const charged = Promise.withResolvers<void>();
const order = createFlow('order').task('charge', {
  perform: async ({ input, idempotencyKey }) => {
    const receipt = charge(idempotencyKey, Number(input));
    charged.resolve();
    // The first process is gone here: the money has moved, and the store does not know.
    if (isFirst) await new Promise(() => {});
    return receipt;
  },
});

/** What a server does with a request. The id comes from the request, so that the second one joins. */
async function handle(engine: typeof before, orderId: string, cents: number) {
  return engine.start(order, cents, { id: `order-${orderId}`, onExisting: 'join' });
}

let isFirst = true;
console.log('A process dies after it has charged:');
const firstStore = await createSqliteStore('charge.sqlite');
const before = createEngine({ store: firstStore });
await handle(before, '7', 4_200);
await charged.promise;
await before.stop();
await firstStore.close();

isFirst = false;
console.log('The next goes on:');
const store = await createSqliteStore('charge.sqlite');
const engine = createEngine({ store });
await engine.recover([order], { watch: true });

console.log('The client has no answer, and asks again, twice:');
const runs = [await handle(engine, '7', 4_200), await handle(engine, '7', 4_200)];
for (const run of runs) console.log(`  ${run.id}: ${(await run.outputs()).charge}`);

console.log('Another sum under the same id is refused:');
await handle(engine, '7', 9_900).catch((error) => console.log(`  ${error instanceof InputError}`));

console.log(`The service was asked ${calls} times, and has charged ${charges.size} time`);
await engine.stop();
await store.close();
for (const end of ['', '-wal', '-shm']) rmSync(`charge.sqlite${end}`, { force: true });

// Output:
// A process dies after it has charged:
// The next goes on:
// The client has no answer, and asks again, twice:
//   order-7: receipt 1 for 4200 cents
//   order-7: receipt 1 for 4200 cents
// Another sum under the same id is refused:
//   true
// The service was asked 2 times, and has charged 1 time
