import { type Append, type Entry, ValueError, type ValueFormat } from 'topple';
import { createSqliteStore, createValueFormat } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { EntryList, type Fact } from '../../../src/model/entry-list.ts';
import { RowReader } from '../../../src/store/sqlite/row-reader.ts';
import { RowWriter } from '../../../src/store/sqlite/row-writer.ts';
import { spec } from '../../spec.ts';
import { given } from '../../support/sqlite.ts';
import { appendOf } from '../../support/stores.ts';

const test = spec('rows of the SQLite store');

const error = { name: 'Error', message: 'no' };
const started: Fact = {
  type: 'run.started',
  at: 1_000,
  version: 1,
  flow: 'f',
  flowHash: 'h',
  input: { n: 1 },
};

/** Facts of a run with tasks `a` and `__proto__`, in appends. */
const appends: [Fact, number][][] = [
  [
    [started, -1],
    [{ type: 'task.ready', at: 1_000 }, 0],
    [{ type: 'task.ready', at: 1_001.5 }, 1],
  ],
  [
    [{ type: 'task.started', at: 1_001, attempt: 1 }, 0],
    [{ type: 'task.progress', at: 1_002, attempt: 1, fraction: 0.5, note: 'half' }, 0],
    [{ type: 'task.retrying', at: 1_003, attempt: 1, retryAt: 1_010, error }, 0],
  ],
  [[{ type: 'task.started', at: 1_010, attempt: 2 ** 28 }, 0]],
  [
    [{ type: 'task.done', at: 1_011, attempt: 2 ** 28, output: ['x', null] }, 0],
    [{ type: 'task.skipped', at: 1_012, attempt: 0, cause: 'rule', because: 'a' }, 1],
  ],
  [[{ type: 'run.cancelling', at: 1_013, cause: 'cancelled', reason: 'enough' }, -1]],
  [[{ type: 'run.done', at: 1_014, output: undefined }, -1]],
];

/** Appends as an engine makes them. */
function fill(ids: readonly string[], facts: readonly (readonly [Fact, number][])[]) {
  const list = new EntryList('r', ids);
  const made = facts.map((part): Append => {
    const expectedSeq = list.length;
    for (const [fact, task] of part) list.push({ ...fact }, task);
    const seq = list.length;
    return { runId: 'r', expectedSeq, seq, journal: list, entries: list.slice(expectedSeq, seq) };
  });
  return { list, made };
}

function read(
  rows: readonly { seq: number; at: number; text: string }[],
  format: ValueFormat = createValueFormat(),
): Entry[] {
  const reader = new RowReader('r', format);
  const entries: Entry[] = [];
  for (const row of rows) reader.read(row, entries);
  return entries;
}

function write(made: readonly Append[], format: ValueFormat = createValueFormat()) {
  const writer = new RowWriter(format);
  return made.flatMap((append) => {
    const { rows, news } = writer.write(append);
    return rows.map((row) => ({ ...row, ...news }));
  });
}

test('give entries back as they were, of a list or as objects', () => {
  const { list, made } = fill(['a', '__proto__'], appends);
  const entries = list.slice(0);
  assert.equal(read(write(made)), entries);
  const plain = made.map((append) => appendOf('r', append.entries, append.expectedSeq, entries));
  assert.equal(read(write(plain)), entries);
  assert.equal(Object.keys(read(write(made)).at(-1) as Entry), ['type', 'at', 'output', 'seq', 'runId']);
});

test('are JSON that a person can read', () => {
  const { made } = fill(['a', '__proto__'], appends);
  assert.equal(
    write(made).map(({ at, text }) => [at, text]),
    [
      [
        1_000,
        '[{"type":"run.started","at":1000,"version":1,"flow":"f","flowHash":"h","input":{"n":1}},["ready","a",0],{"type":"task.ready","at":1001.5,"taskId":"__proto__"}]',
      ],
      [
        1_001,
        '[["started","a",0,1],{"type":"task.progress","at":1002,"attempt":1,"fraction":0.5,"note":"half","taskId":"a"},{"type":"task.retrying","at":1003,"attempt":1,"retryAt":1010,"error":{"name":"Error","message":"no"},"taskId":"a"}]',
      ],
      [1_010, '[["started","a",0,268435456]]'],
      [
        1_011,
        '[["done","a",0,268435456,["x",null]],{"type":"task.skipped","at":1012,"attempt":0,"cause":"rule","because":"a","taskId":"__proto__"}]',
      ],
      [1_013, '[{"type":"run.cancelling","at":1013,"cause":"cancelled","reason":"enough"}]'],
      [1_014, '[{"type":"run.done","at":1014}]'],
    ],
  );
});

test('say what becomes of the run', () => {
  const { made } = fill(['a', '__proto__'], appends);
  assert.equal(
    write(made).map(({ settles, start, end }) => [settles, start, end]),
    [
      [false, { flow: 'f', at: 1_000 }, undefined],
      [false, undefined, undefined],
      [false, undefined, undefined],
      [true, undefined, undefined],
      [false, undefined, undefined],
      [false, undefined, { ending: 'done', at: 1_014 }],
    ],
  );
  const again: [Fact, number][] = [
    [{ type: 'run.failed', at: 5 }, -1],
    [{ type: 'task.rerun', at: 6 }, 0],
    [{ type: 'task.ready', at: 6 }, 0],
  ];
  const [row] = write(fill(['a'], [again]).made);
  assert.equal([row?.settles, row?.end], [false, undefined]);
});

const done = (output: unknown): Fact => ({ type: 'task.done', at: 1, attempt: 1, output });
const runDone = (output: unknown): Fact => ({ type: 'run.done', at: 2, output });

test('have the return value of a run', () => {
  for (const output of [{ a: 1, b: 2 }, { a: 2 }, {}, [1], 'a', null, new Map([['a', 1]])]) {
    const { made } = fill(['a'], [[[done(1), 0]], [[runDone(output), -1]]]);
    assert.is(
      write(made)[1]?.text,
      `[{"type":"run.done","at":2,"output":${createValueFormat().write(output)}}]`,
    );
  }
});

test('hold values in the form of their format', () => {
  const format: ValueFormat = {
    write: (value) => (typeof value === 'bigint' ? `{"big":"${value}"}` : JSON.stringify(value)),
    read: (json) =>
      typeof json === 'object' && json !== null && 'big' in json ? BigInt(json.big as string) : json,
  };
  const facts: [Fact, number][] = [
    [{ ...started, input: 5n } as Fact, -1],
    [done(7n), 0],
    [done({ n: 1 }), 1],
    [{ type: 'run.cancelling', at: 1, cause: 'cancelled', reason: true }, -1],
  ];
  const { list, made } = fill(['a', 'b'], [facts]);
  const [row] = write(made, format);
  assert.match(row?.text as string, '"input":{"big":"5"}');
  assert.match(row?.text as string, '["done","a",-999,1,{"big":"7"}],["done","b",-999,1,{"n":1}]');
  assert.equal(read([row as never], format), list.slice(0));
});

test('use the text that was made when the value was given', () => {
  const { made } = fill(['a'], [[[started, -1]], [[done({ n: 1 }), 0]]]);
  const texts = ['{"n":"then"}', '"now"'];
  const rows = write(made.map((append) => ({ ...append, textAt: (seq) => texts[seq - 1] })));
  assert.match(rows[0]?.text as string, '"input":{"n":"then"}');
  assert.is(rows[1]?.text, '[["done","a",0,1,"now"]]');
});

test('are more than one for a very long append', async () => {
  const ids = Array.from({ length: 5_000 }, (_, index) => `t${index}`);
  const { list, made } = fill(ids, [ids.map((_, task) => [{ type: 'task.ready', at: 1 }, task])]);
  const rows = write(made);
  assert.equal(
    rows.map(({ seq }) => seq),
    [2_000, 4_000, 5_000],
  );
  assert.equal(read(rows), list.slice(0));
  await using store = await createSqliteStore(':memory:');
  await store.append(made[0] as Append);
  await store.append(given('r', 5_000, { type: 'task.ready' }));
  const entries = await store.read('r');
  assert.equal(entries.slice(0, -1), list.slice(0));
  const plain = appendOf('s', entries.slice(0, -1), 0, []);
  await store.append(plain);
  assert.is((await store.read('s')).length, 5_000);
  assert.is(await store.lastSeq('s'), 5_000);
});

test('refuse a value that their format refuses', () => {
  for (const output of [() => 1, Symbol('s')])
    assert.throws(
      () => write(fill(['a'], [[[done(output), 0]]]).made),
      (thrown: unknown) => thrown instanceof ValueError,
    );
});

test('hold ids, values and numbers of all kinds', () => {
  const ids = ['a', 'é', '日本', '😀', 'quo"te', 'back\\slash', '\ud800', 'x'.repeat(70_000)];
  const numbers = [
    0,
    -0,
    7,
    10,
    99,
    100,
    -1,
    -1_000,
    2 ** 30 - 1,
    2 ** 30,
    -(2 ** 30),
    1_700_000_000_000,
    1.5,
  ];
  const texts = [
    'é',
    '日本'.repeat(100),
    '😀',
    'x'.repeat(63),
    'y'.repeat(64),
    'z'.repeat(200_000),
    '"\n\u0000',
  ];
  const facts = ids.flatMap((_, task): [Fact, number][] => [
    ...numbers.map((at): [Fact, number] => [{ type: 'task.ready', at }, task]),
    ...texts.map((output): [Fact, number] => [{ type: 'task.done', at: 5, attempt: 3, output }, task]),
    [{ type: 'task.progress', at: 6, attempt: 1, fraction: 0.25, note: 'ñ' }, task],
  ]);
  const { list, made } = fill(ids, [facts, facts.slice(5)]);
  assert.equal(read(write(made)), list.slice(0));
});

test('are not touched by a value that was refused before', () => {
  const writer = new RowWriter(createValueFormat());
  const { made } = fill(
    ['a'],
    [
      [
        [{ type: 'task.ready', at: 1 }, 0],
        [done(() => 1), 0],
      ],
      [[done(1), 0]],
    ],
  );
  assert.throws(() => writer.write(made[0] as Append));
  assert.is(writer.write(made[1] as Append).rows[0]?.text, '[["done","a",0,1,1]]');
});
