// node scripts/run.mjs scripts/sqlite-fixture.ts: writes a small file of the SQLite store as it is, and its journals as
// JSON, into test/fixtures/sqlite/. Every version of the file and of the journal has one, which is read for ever: an
// existing one is not written again.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import {
  createEngine,
  createFlow,
  createMemoryStore,
  type Entry,
  type Flow,
  type Run,
  type Store,
} from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
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

/** Runs of this flow wait, and are undone three levels deep. */
function orders(clock: VirtualClock): Flow {
  const fail = (): never => {
    throw Object.assign(new Error(error.message), { stack: error.stack });
  };
  const undo = ({ signal }: { signal: AbortSignal }) => clock.sleep(10, signal);
  const parcel = createFlow('parcel')
    .task('label', { perform: () => 'label 7', compensate: undo })
    .sleep('dry', { dependsOn: ['label'], ms: 1_000 })
    .task('hand over', {
      dependsOn: ['dry'],
      perform: () => ({ at: new Date(7) }),
      compensate: { perform: undo, retry: { maxAttempts: 2 }, after: 'started' },
    });
  const parcels = createFlow('parcels')
    .task('pack', { perform: () => [1, 2], compensate: undo })
    .flow('first', { dependsOn: ['pack'], flow: parcel })
    .map('others', {
      dependsOn: ['pack'],
      over: () => ['a', 'b'],
      perform: ({ item }) => item,
      compensate: undo,
    });
  const gift = createFlow('gift')
    .task('wrap', { perform: () => 'paper', compensate: undo })
    .task('bow', { dependsOn: ['wrap'], perform: fail, compensate: { perform: undo, after: 'started' } });
  return createFlow('order')
    .task('reserve', { perform: () => 'seat 7', compensate: undo })
    .task('charge', {
      dependsOn: ['reserve'],
      perform: () => ({ id: 'c1' }),
      compensate: ({ input }) =>
        input === 'refused' ? fail() : undo({ signal: new AbortController().signal }),
    })
    .waitFor('approval', { dependsOn: ['reserve'], timeoutMs: 86_400_000 })
    .waitFor('comment', { dependsOn: ['approval'], timeoutMs: 10, onTimeout: 'skip' })
    .waitFor('rating', { dependsOn: ['approval'], timeoutMs: 20, onTimeout: { value: { stars: 3 } } })
    .sleep('settle', { dependsOn: ['approval'], ms: 3_600_000 })
    .task('insure', { dependsOn: ['settle'], when: ({ input }) => input === 'dear', perform: () => 'i1' })
    .task('audit', { dependsOn: ['settle'], when: fail, perform: () => 'a1', optional: true })
    .flow('gift', { dependsOn: ['approval'], flow: gift, optional: true })
    .flow('send', { dependsOn: ['charge', 'settle'], flow: parcels })
    .waitFor('receipt', { dependsOn: ['send'], timeoutMs: 60_000, optional: true })
    .task('close', {
      dependsOn: ['send'],
      perform: ({ input }) => (input === 'plain' ? 'closed' : fail()),
    }) as never;
}

/** Has an engine keep runs that wait, and that are undone: each ended in its way, or left under way. */
async function keepOrders(store: Store): Promise<void> {
  const clock = createVirtualClock(1_800_000_100_000);
  const silent = { error: () => {}, warn: () => {}, info: () => {} };
  const engine = createEngine({ clock, store, random: () => 0.5, logger: silent });
  const flow = orders(clock);
  const start = (id: string, input: string): Promise<Run> => engine.start(flow, input, { id });
  const approved = async (id: string, input: string): Promise<Run> => {
    const run = await start(id, input);
    await run.deliver('approval', { by: 'Ada' }, { key: 'mail 1' });
    return run;
  };
  await clock.run((await approved('waited', 'plain')).settled());
  await clock.run((await approved('undone', 'dear')).settled());
  await clock.run((await approved('undone in part', 'refused')).settled());
  await clock.run((await start('too late', 'plain')).settled());
  const again = (await engine.run('undone')) as Run;
  await again.rerun();
  await again.deliver('approval', { by: 'Bob' }, { key: 'mail 2' });
  await clock.run(again.settled());
  const revoked = await approved('revoked', 'plain');
  await clock.advance(3_600_000 + 1_500);
  revoked.cancel({ by: 'Ada' });
  await clock.run(revoked.settled());
  const undoing = await approved('being undone', 'dear');
  while (undoing.view().status !== 'compensating') await clock.advance(500);
  await clock.advance(15);
  const waiting = await start('waiting', 'plain');
  await waiting.deliver('receipt', 'r1', { key: 'early' });
  await clock.advance(10);
  await engine.stop();
}

/** The runs of an order, and those below them, parents first. */
async function recordOrders(): Promise<Record<string, readonly Entry[]>> {
  // Stack traces name this machine's folders.
  Error.stackTraceLimit = 0;
  const store = createMemoryStore();
  await keepOrders(store);
  const found: Record<string, readonly Entry[]> = {};
  const read = async (under?: string): Promise<void> => {
    for (const { id } of await store.list({ ...(under !== undefined && { under }), limit: 1_000 })) {
      found[id] = await store.read(id);
    }
  };
  await read();
  for (const id of Object.keys(found)) await read(id);
  return found;
}

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
  for (const [runId, entries] of Object.entries(await recordOrders())) {
    const tasks = [...new Set(entries.flatMap((entry) => ('taskId' in entry ? [entry.taskId] : [])))];
    const journal = new EntryList(runId, tasks);
    for (const { seq: _, runId: __, ...fact } of entries)
      journal.push({ ...fact } as Fact, 'taskId' in fact ? tasks.indexOf(fact.taskId) : -1);
    const seq = journal.length;
    await store.append({ runId, expectedSeq: 0, seq, entries: [], journal });
    journals[runId] = journal.slice(0);
  }
  const roots = await store.list();
  const list = [...roots];
  for (const { id } of roots) list.push(...(await store.list({ under: id, limit: 1_000 })));
  await store.close();
  writeFileSync(`${name}.json`, `${JSON.stringify({ list, journals }, null, 1)}\n`);
  shrink();
}

/** Small pages make a small file. */
function shrink(): void {
  const db = new DatabaseSync(`${name}.sqlite`);
  db.exec('PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM');
  db.close();
  for (const end of ['-wal', '-shm']) rmSync(`${name}.sqlite${end}`, { force: true });
}
