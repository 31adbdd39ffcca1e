import * as assert from 'uvu/assert';
import { EntryList, type EntryVisitor, type Fact } from '../../src/model/entry-list.ts';
import { spec } from '../spec.ts';

const test = spec('entry list');

const error = { name: 'Error', message: 'no' };

const facts: [Fact, number][] = [
  [{ type: 'run.started', at: 1_000, version: 1, flow: 'f', flowHash: 'h', input: { n: 1 } }, -1],
  [{ type: 'task.ready', at: 1_000 }, 0],
  [{ type: 'task.started', at: 1_001, attempt: 1 }, 0],
  [{ type: 'task.progress', at: 1_002, attempt: 1, fraction: 0.5 }, 0],
  [{ type: 'task.retrying', at: 1_003, attempt: 1, retryAt: 1_010, error }, 0],
  [{ type: 'task.started', at: 1_010, attempt: 2 }, 0],
  [{ type: 'task.done', at: 1_011, attempt: 2, output: { id: 7 } }, 0],
  [{ type: 'task.ready', at: 1_011.5 }, 1],
  [{ type: 'task.started', at: 999, attempt: 1 }, 1],
  [{ type: 'task.started', at: 1_012, attempt: 2 ** 28 }, 1],
  [{ type: 'task.done', at: 1_000 + 2 ** 31, attempt: 3, output: undefined }, 1],
  [{ type: 'run.done', at: 2_000, output: undefined }, -1],
];

test('gives each fact back as an entry, whatever its kind, attempt and instant', () => {
  const list = new EntryList('r', ['a', '__proto__']);
  for (const [fact, task] of facts) list.push({ ...fact }, task);
  const expected = facts.map(([fact, task], index) => ({
    ...fact,
    seq: index + 1,
    runId: 'r',
    ...(task < 0 ? {} : { taskId: ['a', '__proto__'][task] }),
  }));
  assert.is(list.length, facts.length);
  assert.equal(list.slice(0), expected);
  assert.equal(list.slice(3, 5), expected.slice(3, 5));
  assert.equal(list.get(7), expected[6]);
});

test('goes on over many pieces', () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
  const list = new EntryList('r', ids);
  for (const task of ids.keys())
    list.push({ type: 'task.done', at: 5 + task, attempt: 1, output: task }, task);
  assert.equal(
    [255, 256, 257, 512, 513, 1_000].map((seq) => list.get(seq)),
    [255, 256, 257, 512, 513, 1_000].map((seq) => ({
      type: 'task.done',
      at: 4 + seq,
      attempt: 1,
      output: seq - 1,
      seq,
      runId: 'r',
      taskId: `t${seq - 1}`,
    })),
  );
});

test('shows a visitor steps without objects, and all other entries', () => {
  const list = new EntryList('r', ['a', 'b']);
  for (const [fact, task] of facts) list.push({ ...fact }, task);
  const shown: unknown[] = [];
  const visitor: EntryVisitor = {
    step: (...parts) => void shown.push(parts),
    entry: (entry) => void shown.push(entry),
  };
  list.visit(0, list.length, visitor);
  const expected = list.slice(0) as unknown[];
  expected[1] = ['task.ready', 1_000, 0, 0, undefined];
  expected[2] = ['task.started', 1_001, 0, 1, undefined];
  expected[5] = ['task.started', 1_010, 0, 2, undefined];
  expected[6] = ['task.done', 1_011, 0, 2, { id: 7 }];
  assert.equal(shown, expected);
  shown.length = 0;
  list.visit(6, 8, visitor);
  assert.equal(shown, expected.slice(6, 8));
  assert.equal(list.ids, ['a', 'b']);
});
