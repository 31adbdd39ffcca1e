import { existsSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { createEngine, createFlow, type Entry } from 'topple';
import { type Codec, createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { maxLineBytes } from '../../../src/cli/stored/run-file.ts';
import { spec } from '../../spec.ts';
import { plans, reference } from '../../support/random-runs.ts';
import { silent } from '../../support/virtual.ts';
import { createWorld, gatedChain, graph, leaveRun, program } from './world.ts';

const test = spec('topple export and topple import');

const world = createWorld();
world.write('fails.json', graph('always'));
await world.topple('run fails.json --store runs.sqlite --id r1');
await leaveRun(world.path('runs.sqlite'), 'l1');
const exportOf = async (id: string, store = 'runs.sqlite') =>
  (await world.topple(`export ${id} --store ${store}`)).stdout;
const good = await exportOf('r1');
const goodLines = good.trimEnd().split('\n');

async function entriesOf(file: string, id: string): Promise<readonly Entry[]> {
  await using store = await createSqliteStore(world.path(file));
  return store.read(id);
}

test('give a header and a line for each entry', async () => {
  const [header = '', ...entries] = goodLines;
  const { flowHash, outline, ...rest } = JSON.parse(header);
  assert.equal([outline.hash, outline.tasks.length], [flowHash, 3]);
  assert.equal(rest, {
    type: 'topple.run',
    version: 1,
    id: 'r1',
    flow: 'chain',
    journal: 1,
    entries: entries.length,
    module: 'fails.json',
  });
  assert.equal(
    entries.map((line) => JSON.parse(line)),
    await entriesOf('runs.sqlite', 'r1').then((kept) => JSON.parse(JSON.stringify(kept))),
  );
});

test('keep every entry of random runs, in whichever way they ended', async () => {
  const endings = new Set<string>();
  const ids: string[] = [];
  {
    await using store = await createSqliteStore(world.path('random.sqlite'));
    for (const [index, plan] of fc.sample(plans, { numRuns: 12, seed: 16 }).entries()) {
      const id = `x${index}`;
      const [run] = await reference(plan);
      const all = (run?.entries ?? []).map((entry): Entry => ({ ...entry, runId: id }));
      endings.add(all.at(-1)?.type ?? '');
      // Also runs that have not ended.
      const entries = index % 4 === 0 ? all.slice(0, Math.ceil(all.length / 2)) : all;
      const get = (seq: number) => entries[seq - 1] as Entry;
      await store.append({ runId: id, expectedSeq: 0, seq: entries.length, entries, journal: { get } });
      ids.push(id);
    }
  }
  for (const id of ids) {
    const stdin = await exportOf(id, 'random.sqlite');
    const { code, stderr } = await world.topple('import - --store copies.sqlite', { stdin });
    assert.is(code, 0, stderr);
  }
  await using from = await createSqliteStore(world.path('random.sqlite'));
  await using to = await createSqliteStore(world.path('copies.sqlite'));
  for (const id of ids) assert.equal(await to.read(id), await from.read(id));
  assert.is(await exportOf('x1', 'copies.sqlite'), await exportOf('x1', 'random.sqlite'));
  assert.equal([...endings].sort(), ['run.cancelled', 'run.done', 'run.failed']);
});

test('keep values that JSON lacks, and those of a codec without it', async () => {
  const codec: Codec = {
    encode: (text) => Buffer.from(text).toString('base64'),
    decode: (text) => Buffer.from(text, 'base64').toString(),
  };
  const shared = { n: 1n };
  const output = { at: new Date(0), ids: new Set([1]), shared, again: shared, bytes: Buffer.from('ab') };
  const flow = createFlow('rich').task('a', { perform: () => output });
  for (const [id, options] of [
    ['plain', {}],
    ['coded', { codec }],
  ] as const) {
    const store = await createSqliteStore(world.path(`${id}.sqlite`), options);
    const run = await createEngine({ store, logger: silent }).start(flow, new Map([[1, undefined]]), { id });
    await run.settled();
    const before = await store.read(id);
    await store.close();
    world.write(`${id}.ndjson`, await exportOf(id, `${id}.sqlite`));
    assert.is((await world.topple(`import ${id}.ndjson --store to-${id}.sqlite`)).code, 0);
    await using copy = await createSqliteStore(world.path(`to-${id}.sqlite`), options);
    assert.equal(await copy.read(id), before);
  }
  const shown = await world.topple('show coded --store to-coded.sqlite --json');
  assert.is(JSON.parse(shown.stdout).tasks.a.output, '[encoded]');
});

test('let an unsettled run go on, with a module that is named', async () => {
  world.write('left.ndjson', await exportOf('l1'));
  world.write('chain.json', graph());
  assert.is((await world.topple('import left.ndjson --store on.sqlite --module chain.json')).code, 0);
  assert.is((await world.topple('recover l1 --store on.sqlite')).code, 0);
  // A program finds it too.
  assert.is((await world.topple('import left.ndjson --store on.sqlite --id l2')).code, 0);
  const { engine, end } = await program(world.path('on.sqlite'));
  const { flow, open } = gatedChain();
  open();
  const [run] = await engine.recover([flow]);
  assert.equal([run?.id, (await run?.settled())?.status], ['l2', 'done']);
  await end();
});

test('refuse an id that is taken, and keep the run under another', async () => {
  world.write('good.ndjson', good);
  assert.equal(await world.topple('import good.ndjson --store runs.sqlite'), {
    code: 2,
    stdout: '',
    stderr:
      'topple: runs.sqlite: has a run `r1` already, so nothing was imported: give this one another id with `--id`.\n',
  });
  const again = await world.topple('import good.ndjson --store runs.sqlite --id r2');
  assert.equal([again.code, again.stderr], [0, 'topple: run `r2` is kept in runs.sqlite, with 11 entries\n']);
  const { code, stderr } = await world.topple('import good.ndjson --store runs.sqlite --id a/b');
  assert.is(code, 2);
  assert.match(stderr, /^topple: .*--id.* a string without `\/`/);
});

/** The good lines, of which one was changed: a field replaced, or the text itself. */
function withLine(line: number, change: object | ((text: string) => string)): string {
  const text = goodLines[line - 1] as string;
  const changed =
    typeof change === 'function' ? change(text) : JSON.stringify({ ...JSON.parse(text), ...change });
  return `${goodLines.with(line - 1, changed).join('\n')}\n`;
}

const damaged: readonly (readonly [what: string, content: string | Uint8Array, says: string])[] = [
  ['an empty file', '', ':1: is missing: the file is empty.'],
  [
    'another file',
    '{"tasks":{}}\n',
    ':1: is not the header of an exported run: `type` must be "topple.run", but is undefined.',
  ],
  ['text', 'order 7\n', ':1:1: is not JSON: expected a value, but there is `order`.'],
  ['a list as header', '[]\n', ':1: must be an object, but is '],
  [
    'a later version',
    withLine(1, { version: 3 }),
    ':1: `version` must be 1 or 2, which this topple reads, but is 3.',
  ],
  [
    'later entries',
    withLine(1, { journal: 9 }),
    ':1: `journal` must be 1 or 2 or 3, which this topple reads, but is 9.',
  ],
  [
    'an id with a slash',
    withLine(1, { id: 'a/b' }),
    ':1: `id` must be a string that is not empty and has no `/`, but is "a/b".',
  ],
  ['an id that is a number', withLine(1, { id: 7 }), ':1: `id` must be a string, but is 7.'],
  [
    'a count that is none',
    withLine(1, { entries: 1.5 }),
    ':1: `entries` must be an integer of at least 1, but is 1.5.',
  ],
  ['a module that is no text', withLine(1, { module: {} }), ':1: `module` must be a string or null, but is '],
  [
    'another flow in its header',
    withLine(1, { flow: 'other' }),
    ':1: `flow` must be "chain", as the entries have it, but is "other".',
  ],
  ['another hash in its header', withLine(1, { flowHash: 'x' }), ':1: `flowHash` must be "'],
  [
    'an outline that is none',
    withLine(1, { outline: [] }),
    ':1: `outline` must be null, or a flow as data, but is ',
  ],
  [
    'the outline of another flow',
    withLine(1, (text) => text.replace('"id":"b"', '"id":"bb"')),
    ':1: `outline` must be null, or that of the flow with this `flowHash`, which it is not.',
  ],
  ['half a line', `${good.slice(0, -10)}`, ':12:'],
  [
    'a lost end',
    `${goodLines.slice(0, 5).join('\n')}\n`,
    ':6: is missing: the file ends after 4 entries, and its header says 11.',
  ],
  [
    'a header alone',
    `${goodLines[0]}\n`,
    ':2: is missing: the file ends after 0 entries, and its header says 11.',
  ],
  ['a line too many', `${good}${goodLines[11]}\n`, ':13: is one line too many: the header says 11 entries.'],
  ['an empty line', withLine(4, () => ''), ':4:1: is not JSON: expected a value, but the file ends.'],
  ['broken JSON', withLine(4, (text) => text.replace('"seq":', '"seq" ')), ':4:'],
  [
    'a gap',
    withLine(4, { seq: 4 }),
    ':4: `seq` must be 3, since entries count from 1 without gaps, but is 4.',
  ],
  [
    'an entry of another run',
    withLine(4, { runId: 'r9' }),
    ':4: `runId` must be the id of the run, "r1", but is "r9".',
  ],
  [
    'an unknown type',
    withLine(4, { type: 'task.begun' }),
    ':4: `type` must be a type of entry, but is "task.begun".',
  ],
  ['an instant as text', withLine(4, { at: 'now' }), ':4: `at` must be a finite number, but is "now".'],
  [
    'an instant beyond dates',
    withLine(4, { at: 1e300 }),
    ':4: `at` must be an instant in milliseconds, but is 1e+300.',
  ],
  ['attempt 0', withLine(4, { attempt: 0 }), ':4: `attempt` must be an integer of at least 1, but is 0.'],
  ['no task', withLine(4, { taskId: 5 }), ':4: `taskId` must be a task of the flow, but is 5.'],
  [
    'an end before its end',
    withLine(4, { type: 'run.done', taskId: undefined }),
    ':4: `type` must be another type, since ',
  ],
  [
    'a task that settles twice',
    withLine(6, { type: 'task.done', attempt: 1, taskId: 'a' }),
    ':6: `type` must be `task.rerun`, since the task has settled',
  ],
  ['an entry that is a list', withLine(4, () => '[]'), ':4: must be an object, but is '],
  ['an entry that is null', withLine(4, () => 'null'), ':4: must be an object, but is null.'],
  [
    '__proto__ as a field',
    withLine(4, (text) => text.replace('{', '{"__proto__":{"x":1},')),
    ':4: has the key `__proto__` at `__proto__`: no run has it.',
  ],
  [
    '__proto__ in a value',
    withLine(5, (text) => text.replace('{', '{"output":{"a":[{"__proto__":{}}]},')),
    ':5: has the key `__proto__` at `output.a[0].__proto__`: no run has it.',
  ],
  [
    '__proto__ with escapes',
    withLine(5, (text) => text.replace('{', '{"output":{"\\u005f_proto__":1},')),
    ':5: has the key `__proto__` at `output.__proto__`: no run has it.',
  ],
  [
    '__proto__ in devalue',
    withLine(5, { output: { '~devalue': [['null', '__proto__', 1], 5] } }),
    ':5: `output` is no value that a store wrote: ',
  ],
  [
    'a value that is no devalue',
    withLine(5, { output: { '~devalue': 'x' } }),
    ':5: `output` is no value that a store wrote: ',
  ],
  [
    'an unknown type in devalue',
    withLine(5, { output: { '~devalue': [['Evil', 1], 5] } }),
    ':5: `output` is no value that a store wrote: ',
  ],
  [
    'an error that is none',
    withLine(10, { type: 'task.failed', error: 'x', cause: 'exhausted', attempt: 1 }),
    ':10: `error` must be an error as data',
  ],
  [
    'a note that is no text',
    withLine(4, { type: 'task.progress', attempt: 1, fraction: 0, note: {} }),
    ':4: `note` must be a string, or left out, but is object.',
  ],
  [
    'bytes that are no text',
    Buffer.from([...Buffer.from(`${goodLines[0]}\n`), 0xff, 0xfe, 10]),
    ':2: is not UTF-8 text.',
  ],
  [
    'a deep value',
    withLine(5, (text) => text.replace('{', `{"output":${'['.repeat(100_000)}${']'.repeat(99_999)},`)),
    ':5',
  ],
];

for (const [what, content, says] of damaged) {
  test(`refuse ${what} with its place, and keep nothing`, async () => {
    const file = world.path('none.sqlite');
    const io = typeof content === 'string' ? { stdin: content } : {};
    if (typeof content !== 'string') writeFileSync(world.path('bytes'), content);
    const given = typeof content === 'string' ? '-' : 'bytes';
    const name = given === '-' ? 'standard input' : given;
    const { code, stdout, stderr } = await world.topple(`import ${given} --store none.sqlite`, io);
    assert.ok(stderr.startsWith(`topple: ${name}${says}`), stderr);
    assert.equal([code, stdout, stderr.split('\n').length], [3, '', 2]);
    assert.not.ok(existsSync(file));
  });
}

test('refuse a line that is longer than any entry', async () => {
  const { code, stderr } = await world.topple('import - --store none.sqlite', {
    stdin: `${goodLines[0]}\n${' '.repeat(maxLineBytes + 1)}`,
  });
  assert.equal(
    [code, stderr],
    [3, `topple: standard input:2: is longer than ${maxLineBytes} bytes, the most of a line.\n`],
  );
});

test('say of a file that cannot be read why', async () => {
  const { code, stderr } = await world.topple('import nothing.ndjson --store none.sqlite');
  assert.equal([code, stderr], [2, 'topple: nothing.ndjson: cannot be read: there is no such file.\n']);
});
