// Test paths find a bug that nobody thought of: a payment refunds people who never paid.

import { createFlow } from 'topple';
import { createFlowModel, never } from 'topple/testing';

const refunds: string[] = [];

export const payment = createFlow('payment')
  .task('reserve', { perform: () => 'one teapot' })
  .task('charge', {
    dependsOn: ['reserve'],
    retry: { maxAttempts: 2 },
    timeoutMs: 10_000,
    perform: () => 'paid: 20 €',
  })
  .task('ship', { dependsOn: ['reserve', 'charge'], perform: () => 'parcel 1' })
  .task('receipt', { dependsOn: ['charge'], optional: true, perform: () => 'mailed' })
  .task('refund', {
    // "When shipping has failed": but that includes `upstream_failed`, which it is if nobody has paid.
    dependsOn: ['ship'],
    triggerRule: 'all_failed',
    perform: () => refunds.push('20 €'),
  });

const noGifts = never(
  ({ tasks }) => tasks.refund?.status === 'running' && tasks.charge?.status !== 'done',
  'nobody who has not paid gets a refund',
);

// For `topple test`.
export const properties = [noGifts];

const model = createFlowModel(payment);
const { findings, situations } = model.explore({ properties });
console.log(`${situations} situations, ${findings.length} finding`);
for (const { property, story, seed } of findings) {
  console.log(`Not so: ${property}`);
  for (const sentence of story) console.log(`- ${sentence}`);
  const { view } = await model.pathOf(`${seed}.d4`).run({ performs: { refund: () => refunds.push('20 €') } });
  console.log(
    `And the engine? charge ${view.tasks.charge?.status}, refund ${view.tasks.refund?.status}: ${refunds}`,
  );
}

// `one_settled` runs only if shipping itself was tried; the body then checks whether it failed.
const fixed = createFlow('payment')
  .task('charge', { retry: { maxAttempts: 2 }, perform: () => 'paid: 20 €' })
  .task('ship', { dependsOn: ['charge'], perform: () => 'parcel 1' })
  .task('refund', {
    dependsOn: ['ship'],
    triggerRule: 'one_settled',
    perform: ({ outcomes }) => outcomes.ship.status === 'failed' && refunds.push('20 €'),
  });
console.log(`fixed: ${createFlowModel(fixed).explore({ properties }).findings.length} findings`);

// Output:
// 97 situations, 1 finding
// Not so: nobody who has not paid gets a refund
// - the run starts; `reserve` starts
// - `reserve` fails; `reserve` is failed; `charge` is upstream_failed; `ship` is upstream_failed; `receipt` is upstream_failed; `refund` starts
// And the engine? charge upstream_failed, refund done: 20 €
// fixed: 0 findings
