// A process that writes to a file, for tests that end or freeze it. It continues what it can claim, keeps some runs
// going, and tells its parent of each append that was acknowledged or refused.

import { StoreConflictError } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { given } from '../../support/sqlite.ts';

const [file = '', name = '', leaseMs, runs] = process.argv.slice(2);
const tell = (message: WriterMessage): void => void process.send?.(message);

export type WriterMessage =
  | { readonly type: 'kept'; readonly runId: string; readonly seq: number; readonly token: string }
  | { readonly type: 'refused'; readonly runId: string; readonly isConflict: boolean };

const store = await createSqliteStore(file, { leaseMs: Number(leaseMs), maxLosses: 1_000 });

/** Appends without a pause, until the parent or an error ends it. Tokens tell whose entries they are. */
async function write(runId: string, from: number, epoch: number): Promise<void> {
  for (let seq = from; ; ) {
    const token = `${name} ${epoch} ${seq}`;
    const length = 1 + (seq % 4);
    const facts = Array.from({ length }, (_, index) => ({
      type: 'task.done' as const,
      attempt: length,
      output: `${token} ${index}`,
    }));
    try {
      const first = seq === 0 ? ([{ type: 'run.started' }] as const) : [];
      await store.append(given(runId, seq, ...first, ...facts));
    } catch (error) {
      return tell({ type: 'refused', runId, isConflict: error instanceof StoreConflictError });
    }
    seq += length + (seq === 0 ? 1 : 0);
    tell({ type: 'kept', runId, seq, token });
    if (!isRunning) await resumed.promise;
  }
}

let isRunning = true;
let resumed = Promise.withResolvers<void>();
process.on('message', (message) => {
  if (message === 'pause') {
    isRunning = false;
    resumed = Promise.withResolvers();
  } else {
    isRunning = true;
    resumed.resolve();
  }
});

async function takeOver(): Promise<void> {
  for (const { id, seq, epoch } of await store.claim(['f'])) void write(id, seq, epoch);
}

await store.watch({ flows: ['f'], claimable: () => void takeOver() });
await takeOver();
for (let run = 0; run < Number(runs); run++) void write(`${name}-${run}`, 0, 1);
