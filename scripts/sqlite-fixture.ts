// node scripts/run.mjs scripts/sqlite-fixture.ts: writes a small file of the SQLite store as it is, and its journals as
// JSON, into test/fixtures/sqlite/. Every version of the file and of the journal has one, which is read for ever: an
// existing one is not written again.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { createSqliteStore } from 'topple/sqlite';
import { EntryList, type Fact } from '../src/model/entry-list.ts';
import { journalVersion } from '../src/model/journal.ts';
import { migrations } from '../src/store/sqlite/schema.ts';

const error = { name: 'Error', message: 'No, thanks', stack: 'Error: No, thanks\n    at perform' };
const started: Fact = {
  type: 'run.started',
  at: 1_800_000_000_000,
  version: journalVersion,
  flow: 'sign up',
  flowHash: 'h',
  input: { email: 'ada@example.org', tags: ['a', null] },
  settings: { concurrency: 2 },
};
const ids = ['account', 'mail "now"', '__proto__', 'optional'];

/** For each run its appends, of facts with the places of their tasks. */
const runs: Record<string, readonly (readonly [Fact, number])[][]> = {
  done: [
    [
      [started, -1],
      [{ type: 'task.ready', at: 1_800_000_000_000 }, 0],
      [{ type: 'task.ready', at: 1_800_000_000_000.5 }, 1],
    ],
    [
      [{ type: 'task.started', at: 1_800_000_000_001, attempt: 1 }, 0],
      [{ type: 'task.started', at: 1_800_000_000_001, attempt: 1 }, 1],
    ],
    [[{ type: 'task.progress', at: 1_800_000_000_002, attempt: 1, fraction: 0.5, note: 'half' }, 0]],
    [[{ type: 'task.retrying', at: 1_800_000_000_003, attempt: 1, retryAt: 1_800_000_001_003, error }, 1]],
    [[{ type: 'run.paused', at: 1_800_000_000_004 }, -1]],
    [[{ type: 'run.resumed', at: 1_800_000_000_005 }, -1]],
    [
      [{ type: 'task.started', at: 1_800_000_001_003, attempt: 2 }, 1],
      [{ type: 'task.done', at: 1_800_000_001_004, attempt: 2, output: 'sent' }, 1],
      [{ type: 'task.done', at: 1_800_000_001_005, attempt: 1, output: { id: 7, more: [1, 2.5] } }, 0],
      [{ type: 'task.done', at: 1_800_000_001_005, attempt: 1, output: undefined }, 2],
      [{ type: 'task.skipped', at: 1_800_000_001_005, attempt: 1, reason: 'no need' }, 3],
      [{ type: 'run.done', at: 1_800_000_001_005, output: new Date(7) }, -1],
    ],
  ],
  cancelled: [
    [
      [started, -1],
      [{ type: 'task.ready', at: 1_800_000_000_000 }, 0],
    ],
    [[{ type: 'run.cancelling', at: 1_800_000_000_010, cause: 'cancelled', reason: { by: 'Ada' } }, -1]],
    [
      [{ type: 'task.cancelled', at: 1_800_000_000_011, attempt: 0, cause: 'cancelled' }, 0],
      [{ type: 'run.cancelled', at: 1_800_000_000_011, reason: { by: 'Ada' } }, -1],
    ],
  ],
  changed: [
    [
      [started, -1],
      [{ type: 'task.ready', at: 1_800_000_000_000 }, 0],
    ],
    [
      [
        {
          type: 'run.flow_changed',
          at: 1_800_000_000_001,
          flowHash: 'i',
          changes: ['`account` was removed'],
          dropped: ['account'],
          waiting: [],
        },
        -1,
      ],
      [{ type: 'run.done', at: 1_800_000_000_002, output: undefined }, -1],
    ],
  ],
  failed: [
    [
      [started, -1],
      [{ type: 'task.failed', at: 1_800_000_000_001, attempt: 3, error, cause: 'exhausted' }, 0],
      [{ type: 'task.upstream_failed', at: 1_800_000_000_001, cause: 'upstream', because: 'account' }, 1],
      [{ type: 'run.failed', at: 1_800_000_000_002 }, -1],
    ],
    [
      [{ type: 'task.rerun', at: 1_800_000_000_100 }, 0],
      [{ type: 'task.ready', at: 1_800_000_000_100 }, 0],
    ],
  ],
};

const childOf = (runId: string, taskId: string): Fact => ({
  ...started,
  parent: { runId, taskId, life: 1, attempt: 1 },
});

/** Runs below the last root. */
const children: typeof runs = {
  'failed/account#1': [
    [
      [childOf('failed', 'account'), -1],
      [{ type: 'task.ready', at: 1_800_000_000_101 }, 0],
    ],
  ],
  'failed/account#1/mail "now"#1': [
    [
      [childOf('failed/account#1', 'mail "now"'), -1],
      [{ type: 'task.started', at: 1_800_000_000_102, attempt: 1 }, 0],
    ],
    [
      [{ type: 'task.done', at: 1_800_000_000_103, attempt: 1, output: 5 }, 0],
      [{ type: 'run.done', at: 1_800_000_000_103, output: 5 }, -1],
    ],
  ],
};

const folder = fileURLToPath(new URL('../test/fixtures/sqlite/', import.meta.url));
const name = `${folder}file-${migrations.length}-journal-${journalVersion}`;
if (existsSync(`${name}.sqlite`)) console.log(`${name}.sqlite is there, and stays as it is.`);
else await write();

async function write(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const journals: Record<string, unknown> = {};
  const store = await createSqliteStore(`${name}.sqlite`);
  await store.keepFlow({ name: 'sign up', hash: 'h', tasks: ids.map((id) => ({ id })) });
  for (const [runId, appends] of Object.entries({ ...runs, ...children })) {
    const journal = new EntryList(runId, ids);
    for (const facts of appends) {
      const expectedSeq = journal.length;
      for (const [fact, task] of facts) journal.push({ ...fact }, task);
      const seq = journal.length;
      await store.append({ runId, expectedSeq, seq, entries: [], journal });
    }
    journals[runId] = journal.slice(0);
  }
  const list = [...(await store.list()), ...(await store.list({ under: 'failed' }))];
  await store.close();
  writeFileSync(`${name}.json`, `${JSON.stringify({ list, journals }, null, 2)}\n`);
  shrink();
}

/** Small pages make a small file. */
function shrink(): void {
  const db = new DatabaseSync(`${name}.sqlite`);
  db.exec('PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM');
  db.close();
  for (const end of ['-wal', '-shm']) rmSync(`${name}.sqlite${end}`, { force: true });
}
