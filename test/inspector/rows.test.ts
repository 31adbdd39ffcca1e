import { deepStrictEqual as same } from 'node:assert';
import type { Entry } from 'topple';
import { isPacked } from '../../src/inspector/packed-steps.ts';
import { countRows, type EntryRows, readRows, rowsAfter } from '../../src/inspector/rows.ts';
import { RowWriter, type ShowEntry, writeRows } from '../../src/inspector/values/row-writer.ts';
import { sentEntry } from '../../src/inspector/values/sent-entry.ts';
import { spec } from '../spec.ts';

const test = spec('rows of entries');
const ids = ['a', 'b'];
const placeOf = (id: string): number => ids.indexOf(id);
const asIs: ShowEntry = (entry) => ({ ...entry });

test('entries come back as they were written', () => {
  const runId = 'r';
  const error = { name: 'Error', message: 'no </script>', stack: 'at b' };
  const entries: Entry[] = [
    {
      seq: 7,
      runId,
      type: 'run.started',
      at: 1_000.5,
      version: 1,
      flow: 'f',
      flowHash: 'h',
      input: { a: [1] },
    },
    { seq: 8, runId, type: 'task.ready', at: 1_001, taskId: 'a' },
    { seq: 9, runId, type: 'task.started', at: 1_001, taskId: 'a', attempt: 1 },
    {
      seq: 10,
      runId,
      type: 'task.progress',
      at: 1_002,
      taskId: 'a',
      attempt: 1,
      fraction: 0.5,
      note: 'half',
    },
    { seq: 11, runId, type: 'task.retrying', at: 1_003, taskId: 'a', attempt: 1, retryAt: 2_000, error },
    { seq: 12, runId, type: 'task.done', at: 1_003, taskId: 'a', attempt: 2, output: { deep: ['x'] } },
    { seq: 13, runId, type: 'task.done', at: 1_004, taskId: 'b', attempt: 1, output: undefined },
    { seq: 14, runId, type: 'task.failed', at: 1_004, taskId: 'gone', attempt: 1, error, cause: 'fatal' },
    { seq: 15, runId, type: 'task.rerun', at: 1_004, taskId: '2' },
    { seq: 16, runId, type: 'run.paused', at: 1_005 },
    { seq: 17, runId, type: 'run.done', at: 1_006, output: null },
  ];
  const rows = JSON.parse(writeRows(entries, placeOf, asIs));
  same(readRows(rows, runId, ids), entries);
  same([rows.from, rows.rows.length], [7, entries.length]);
});

test('a type of entry that these rows do not know travels by its name', () => {
  const entry = { seq: 1, runId: 'r', type: 'task.dreamt', at: 5, taskId: 'a', of: 'sheep' };
  const rows = JSON.parse(writeRows([entry as never], placeOf, asIs));
  same(readRows(rows, 'r', ids), [entry]);
});

test('a field that a user has named as the prototype stays a field', () => {
  const output = JSON.parse('{"__proto__":{"admin":true}}');
  const entry: Entry = {
    seq: 1,
    runId: 'r',
    type: 'task.done',
    at: 5,
    taskId: '__proto__',
    attempt: 1,
    output,
  };
  const [read] = readRows(JSON.parse(writeRows([entry], placeOf, asIs)), 'r', ids);
  same(read, entry);
  same(({} as { admin?: boolean }).admin, undefined);
});

/** Entries of a task at these instants: ready, started and done in turn, with these attempts. */
function steps(...given: readonly (readonly [at: number, taskId: string, attempt?: number])[]): Entry[] {
  const types = ['task.ready', 'task.started', 'task.done'] as const;
  return given.map(([at, taskId, attempt = 1], index) => {
    const type = types[index % 3] as (typeof types)[number];
    const own = type === 'task.ready' ? {} : { attempt, ...(type === 'task.done' && { output: undefined }) };
    return { seq: index + 1, runId: 'r', type, at, taskId, ...own } as Entry;
  });
}

/** What a journal shows to a visitor: columns, without an object for each step. */
function visited(entries: readonly Entry[], names: readonly string[]): EntryRows {
  const writer = new RowWriter(1, names, (id) => names.indexOf(id), asIs);
  for (const entry of entries) {
    const {
      type,
      at,
      taskId,
      attempt = 0,
      output,
    } = entry as Entry & { taskId: string; attempt?: number } & {
      output?: unknown;
    };
    if (type === 'task.ready' || type === 'task.started' || type === 'task.done')
      writer.step(type, at, names.indexOf(taskId), attempt, output);
    else writer.entry(entry);
  }
  return JSON.parse(Buffer.concat(writer.finish()).toString());
}

const many = Array.from({ length: 300_000 }, (_, place) => `t${place}`);
const far = [0, 1, 63, 64, 4_095, 4_096, 262_143, 262_144, 299_999];

test('steps are packed four characters each, whatever task and wait they have', () => {
  let at = 1_000;
  const given = far.flatMap((place) =>
    [0, 1, 15, 16, 5_000, 262_143, 262_144].map((ms) => {
      at += ms;
      return [at, `t${place}`] as const;
    }),
  );
  const entries = steps([at, 'a'], ...given).with(0, {
    seq: 1,
    runId: 'r',
    type: 'run.started',
    at: 1_000,
    version: 1,
    flow: 'f',
    flowHash: 'h',
    input: null,
  });
  for (const rows of [
    visited(entries, many),
    JSON.parse(writeRows(entries, (id) => many.indexOf(id), asIs)),
  ]) {
    same(readRows(rows, 'r', many), entries);
    same([rows.to, countRows(rows.rows)], [entries.length, entries.length]);
    same(rows.rows.filter((row: unknown) => typeof row === 'string').every(isPacked), true);
  }
  const small = visited(steps([5, 'a'], [5, 'a'], [6, 'a'], [6, 'b'], [6, 'b'], [7, 'b']), ids);
  same(small.rows, [[0, 0, 0], ['1000', '6000', '0001', '1001', '6001'].join('')]);
});

test('a step that does not fit is written in full: fractions, clocks that go back, later attempts, outputs', () => {
  const entries = steps([5, 'a'], [5.5, 'a'], [4, 'a'], [4, 'b'], [4, 'b', 2], [4, 'b', 2]);
  const done = { ...(entries[5] as Entry), output: { of: 'b' } } as Entry;
  const all = entries.with(5, done);
  const rows = visited(all, ids);
  same(readRows(rows, 'r', ids), all);
  same(
    rows.rows.map((row) => typeof row),
    ['object', 'object', 'object', 'string', 'object', 'object'],
  );
});

test('rows after an entry begin anew, in the middle of packed steps too', () => {
  const entries = steps([5, 'a'], [6, 'a'], [40, 'a'], [41, 'b'], [41, 'b'], [60, 'b']);
  const rows = visited(entries, ids);
  for (let seq = 0; seq < 6; seq++)
    same(readRows(rowsAfter(rows, seq) as EntryRows, 'r', ids), entries.slice(seq), `after ${seq}`);
  same(rowsAfter(rows, 6), undefined);
});

test('every entry of waits and undo is read as it was written', () => {
  const error = { name: 'Error', message: 'closed' };
  const child = { total: 1, done: 1, failed: 0, skipped: 0, upstream_failed: 0, cancelled: 0 };
  const stamped = [
    { type: 'run.started', version: 3, flow: 'f', flowHash: 'h', input: 1, undone: { a: 1 } },
    { type: 'task.waiting', taskId: 'a', until: 9_000 },
    { type: 'task.waiting', taskId: 'b', timeoutAt: 9_000 },
    { type: 'task.delivered', taskId: 'b', value: { by: 'ada' }, key: 'k' },
    { type: 'task.done', taskId: 'a', attempt: 0, output: 9_000 },
    { type: 'task.done', taskId: 'b', attempt: 1, output: 1, child, undo: 'open' },
    { type: 'task.done', taskId: 'b', attempt: 1, output: 1, child, undo: 'open', childRunId: 'q/b#1' },
    { type: 'task.failed', taskId: 'b', attempt: 1, error, cause: 'fatal', child, undo: 'failed' },
    {
      type: 'run.compensating',
      ending: 'failed',
      cause: 'timeout',
      reason: 'late',
      error,
      tasks: ['a', 'b'],
    },
    { type: 'task.undone', taskId: 'a' },
    { type: 'task.undo_failed', taskId: 'b', error, cause: 'exhausted' },
    { type: 'run.compensated', ending: 'done' },
    { type: 'run.failed' },
  ];
  const entries = stamped.map((entry, index) => {
    return { ...entry, seq: index + 1, runId: 'r', at: 1_000 + index };
  }) as unknown as Entry[];
  const rows: EntryRows = JSON.parse(writeRows(entries, placeOf, (entry) => sentEntry(entry, undefined)));
  same(readRows(rows, 'r', ids), entries);
  same(
    rows.rows.map((row) => typeof row[0]),
    entries.map(() => 'number'),
  );
});

test('who hides the output of a task hides the value that is delivered to it', () => {
  const seen: string[] = [];
  const entry = {
    type: 'task.delivered',
    taskId: 'a',
    value: { code: 7 },
    seq: 1,
    runId: 'r',
    at: 1,
  } as Entry;
  const sent = sentEntry(entry, (path, value) => {
    seen.push(path.join('/'));
    return path.at(-1) === 'code' ? '***' : value;
  });
  same(sent.value, { code: '***' });
  same(seen, ['tasks/a/output', 'tasks/a/output/code']);
});
