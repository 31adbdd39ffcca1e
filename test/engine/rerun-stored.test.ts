// Random runs that only the store has run again from a task. `TOPPLE_SEEDS=3000` tries so many, `TOPPLE_SEED` others.

import fc from 'fast-check';
import { createEngine, createMemoryStore, type Entry, type Run } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { ChanceStore, chance } from '../support/chance-store.ts';
import { command, engineOf, flowOf, type Life, plans, runEndings } from '../support/random-runs.ts';
import { silent } from '../support/virtual.ts';

const test = spec('a stored run that runs again');

const numRuns = Number(process.env.TOPPLE_SEEDS ?? 200);
const seed = Number(process.env.TOPPLE_SEED ?? 16);

test('performs a task and what is downstream of it, under the same keys, however it had ended', async () => {
  const tried: Record<string, number> = {};
  const property = fc.asyncProperty(plans, async (plan) => {
    fc.pre(plan.tasks.length > 0);
    const random = chance(plan.seed);
    const calls: PerformScope[] = [];
    const here: { life?: Life } = {};
    const flow = flowOf(plan, here);
    const memory = createMemoryStore();
    const clock = createVirtualClock(0);
    here.life = { clock, called: (scope) => void calls.push(scope) };
    const first = (await engineOf(plan, clock, memory).start(flow, undefined, { id: 'r0' })) as Run;
    command(plan, clock, first);
    const settled = await clock.run(first.settled());
    const before = memory.read('r0');
    calls.length = 0;

    const store = plan.recovers ? new ChanceStore(random, { memory, failureRate: plan.failureRate }) : memory;
    const pools = { pool: plan.pool ?? 1_000 };
    const other = createEngine({ store, clock, flows: [flow], pools, random: () => 0.5, logger: silent });
    const run = (await other.run('r0')) as Run;
    const { graph } = flow.definition;
    const chosen = graph.ids[Math.floor(random() * graph.ids.length)] as string;
    const again = [chosen, ...graph.downstream(chosen)];
    run.rerun([chosen]);
    const view = await clock.run(run.settled());

    for (const { taskId, idempotencyKey } of calls) {
      assert.ok(again.includes(taskId), `${taskId} is performed again`);
      assert.is(idempotencyKey, `r0/${taskId}`);
    }
    for (const id of graph.ids) if (!again.includes(id)) assert.equal(view.tasks[id], settled.tasks[id]);
    const entries = memory.read('r0');
    assert.equal(entries.slice(0, before.length), before);
    assert.equal(run.view({ seq: before.length }), settled);
    const end = (before.at(-1) as Entry).type;
    tried[end] = (tried[end] ?? 0) + 1;
  });
  await fc.assert(property, { numRuns, seed });
  for (const type of runEndings) assert.ok((tried[type] ?? 0) > numRuns / 20, `${type}: ${tried[type]}`);
});
