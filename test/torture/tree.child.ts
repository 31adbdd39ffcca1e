// A process that runs one random tree on a file until its parent ends it, or the tree has settled.

import { openSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { createEngine, type PerformScope, type Run } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { chance } from '../support/chance-store.ts';
import { Kept, keptIn } from '../support/kept-tree.ts';
import { flowOfTree, treeOf } from '../support/random-trees.ts';

/** What it is to do. */
export interface TreeJob {
  readonly file: string;
  readonly notes: string;
  readonly seed: number;
}

/** What it notes of a call: its key, and the status of its task as kept by then. */
export interface TreeCall {
  readonly key: string;
  readonly status: string;
}

process.once('message', (job: TreeJob) => void run(job));
process.on('disconnect', () => process.exit());
process.send?.('loaded');

async function run({ file, notes, seed }: TreeJob): Promise<void> {
  const store = await createSqliteStore(file, { maxLosses: 1_000_000, synchronous: 'normal' });
  const kept = await keptIn(store, 'r');
  const handle = openSync(notes, 'a');
  const called = ({ runId, taskId, idempotencyKey: key }: PerformScope): void => {
    // The store answers in order: with what it had before anything that follows from this call.
    void store.read(runId).then((entries) => {
      const now = new Kept(runId, [[runId, entries]]);
      const { status = 'unknown' } = now.tasksOf(runId).get(taskId) ?? {};
      writeSync(handle, `${JSON.stringify({ key, status } satisfies TreeCall)}\n`);
    });
  };
  const clock = {
    sleep: (ms: number, signal?: AbortSignal) => setTimeout(3 * ms, undefined, { signal }) as Promise<void>,
  };
  const flow = flowOfTree(treeOf(chance(seed), false), { clock, failures: kept.failures(), called });
  const engine = createEngine({ store, concurrency: 3, pools: { far: 2 }, flows: [flow] });
  const [recovered] = await engine.recover([flow]);
  const found = recovered ?? (await engine.run('r')) ?? (await engine.start(flow, undefined, { id: 'r' }));
  process.send?.('under way');
  await (found as Run).settled();
  process.send?.('settled');
}
