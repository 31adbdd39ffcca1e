import * as assert from 'uvu/assert';
import { z } from 'zod';
import { createFlow } from '../../src/flow.ts';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('engine/waits');

const approval = createFlow('approval', { input: z.object({ amount: z.number() }) })
  .task('charge', { perform: ({ input }) => input.amount * 2 })
  .waitFor('approved', { dependsOn: ['charge'], schema: z.object({ by: z.string() }), timeoutMs: 86_400_000 })
  .sleep('settle', { dependsOn: ['approved'], ms: 3_600_000 })
  .task('ship', {
    dependsOn: ['settle', 'approved'],
    when: ({ deps }) => deps.approved.by !== '',
    perform: ({ deps }) => `shipped for ${deps.approved.by}`,
  });

test('waits for a value, sleeps, and runs if its condition says so', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(approval, { amount: 2 });
  await clock.advance(1_000);
  assert.is(run.view().tasks.approved?.status, 'waiting');
  assert.is(await run.deliver('approved', { by: 'ada' }, { key: 'k' }), 'delivered');
  assert.is(await run.deliver('approved', { by: 'bob' }, { key: 'k' }), 'already');
  const outputs = await clock.run(run.outputs());
  assert.equal(outputs.ship, 'shipped for ada');
});
