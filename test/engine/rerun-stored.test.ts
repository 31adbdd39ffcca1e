// Random runs that only the store has run again from a task. `TOPPLE_SEEDS=3000` tries so many, `TOPPLE_SEED` others.

import type { Run } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { withEndedRuns } from '../support/ended-runs.ts';

const test = spec('a stored run that runs again');

const numRuns = Number(process.env.TOPPLE_SEEDS ?? 200);
const seed = Number(process.env.TOPPLE_SEED ?? 16);

test('performs a task and what is downstream of it, under the same keys, however it had ended', async () => {
  let tried = 0;
  await withEndedRuns({ numRuns, seed }, async ({ flow, clock, memory, engine, random, calls, ...ended }) => {
    const { graph } = flow.definition;
    const chosen = graph.ids[Math.floor(random() * graph.ids.length)];
    // A flow without tasks.
    if (chosen === undefined) return;
    tried++;
    const run = (await engine.run('r0')) as Run;
    const again = [chosen, ...graph.downstream(chosen)];
    run.rerun([chosen]);
    const view = await clock.run(run.settled());

    for (const { taskId, idempotencyKey } of calls) {
      assert.ok(again.includes(taskId), `${taskId} is performed again`);
      assert.is(idempotencyKey, `r0/${taskId}`);
    }
    for (const id of graph.ids) if (!again.includes(id)) assert.equal(view.tasks[id], ended.view.tasks[id]);
    const { length } = ended.entries;
    assert.equal(memory.read('r0').slice(0, length), ended.entries);
    assert.equal(run.view({ seq: length }), ended.view);
  });
  assert.ok(tried > numRuns / 2, `${tried} runs`);
});
