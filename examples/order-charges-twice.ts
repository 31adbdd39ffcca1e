// An order that charges twice, found by simulating it, and the fix. A bank's answer may be lost after it has charged: the
// next attempt then charges again, unless it says that it is the same payment.

import { createFlow } from 'topple';
import { type Sim, simulate } from 'topple/simulation';

class Bank {
  charged = 0;
  readonly #keys = new Set<string>();

  async charge(cents: number, key?: string): Promise<void> {
    if (key !== undefined && this.#keys.has(key)) return;
    if (key !== undefined) this.#keys.add(key);
    this.charged += cents;
  }
}

const order = createFlow('order')
  .task('pay', { timeoutMs: 10_000, retry: { maxAttempts: 3 }, perform: async () => {} })
  .task('ship', { dependsOn: ['pay'], timeoutMs: 10_000, perform: async () => 'parcel 1' });

const world = (sim: Sim) => ({ bank: sim.service(new Bank()) });
const invariant = ({ bank }: { bank: Bank }) => bank.charged <= 500;

const first = await simulate(order, {
  world,
  bodies: ({ bank }) => ({ pay: { perform: () => bank.charge(500) } }),
  invariant,
});
console.log(first.failures[0]?.message);
for (const sentence of first.failures[0]?.story ?? []) console.log(`- ${sentence}`);

const fixed = await simulate(order, {
  world,
  bodies: ({ bank }) => ({ pay: { perform: ({ idempotencyKey }) => bank.charge(500, idempotencyKey) } }),
  invariant,
  schedules: 1_000,
});
console.log(fixed.verdict);

// Output:
// `invariant` does not hold
// - The run is started; bank.charge(500) takes effect.
// - `bank` never answers charge.
// - The clock stands at 15.6 s; bank.charge(500) takes effect.
// - `invariant` does not hold. The world: bank {"charged":1000}
// no failure in 1000 schedules
