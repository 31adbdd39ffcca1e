import { deepStrictEqual as same } from 'node:assert';
import type { Entry } from 'topple';
import { readRows, type ShowEntry, writeRows } from '../../src/inspector/rows.ts';
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
