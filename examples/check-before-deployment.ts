// Before a deployment: what would new versions of the code make of the runs that have not ended? Nothing is called, and
// nothing is changed. `topple check` tells the same of a file on the command line.

import { createEngine, createFlow, createMemoryStore } from 'topple';
import { replay } from 'topple/testing';

const order = createFlow('order')
  .task('charge', { perform: () => 'charged' })
  .task('pack', { dependsOn: ['charge'], perform: () => new Promise<string>(() => {}) })
  .task('ship', { dependsOn: ['pack'], perform: () => 'shipped' });

// What runs today leaves two runs behind: one under way, one paused.
const store = createMemoryStore();
const today = createEngine({ store });
const run = await today.start(order, undefined, { id: 'order-7' });
for await (const { type } of run.events()) if (type === 'task.done') break;
await today.start(order, undefined, { id: 'order-8', paused: true });
await today.stop();

const versions = {
  'another body, and more attempts': createFlow('order')
    .task('charge', { perform: () => 'charged elsewhere', retry: { maxAttempts: 3 } })
    .task('pack', { dependsOn: ['charge'], perform: () => 'packed' })
    .task('ship', { dependsOn: ['pack'], perform: () => 'shipped' }),
  'a task more, and another before it': createFlow('order')
    .task('charge', { perform: () => 'charged' })
    .task('pack', { dependsOn: ['charge'], perform: () => 'packed' })
    .task('weigh', { dependsOn: ['pack'], perform: () => '2 kg' })
    .task('ship', { dependsOn: ['weigh'], perform: () => 'shipped' }),
};

for (const [what, flow] of Object.entries(versions)) {
  console.log(`${what}:`);
  for (const { id } of await store.list({ settled: false })) {
    const entries = store.read(id);
    const refusing = replay(entries, flow, { earlier: order });
    const adopting = replay(entries, flow, { earlier: order, onFlowChange: 'adopt' });
    console.log(`${id}: ${refusing.verdict}; with \`onFlowChange: 'adopt'\` ${adopting.verdict}`);
    if (adopting.verdict === 'refuse') continue;
    console.log(`  still to do: ${adopting.unsettled.join(', ')}`);
    if (adopting.verdict === 'adopt') console.log(`  since then: ${adopting.changes.join('; ')}`);
  }
}

// Output:
// another body, and more attempts:
// order-7: take_up; with `onFlowChange: 'adopt'` take_up
//   still to do: pack, ship
// order-8: take_up; with `onFlowChange: 'adopt'` take_up
//   still to do: charge, pack, ship
// a task more, and another before it:
// order-7: refuse; with `onFlowChange: 'adopt'` adopt
//   still to do: pack, weigh, ship
//   since then: `weigh` was added; `ship` depends on `weigh`, and did on `pack`
// order-8: refuse; with `onFlowChange: 'adopt'` adopt
//   still to do: charge, pack, weigh, ship
//   since then: `weigh` was added; `ship` depends on `weigh`, and did on `pack`
