import { existsSync } from 'node:fs';
import { createFlow, type Entry } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { createWorld, program } from './world.ts';

const test = spec('trees of runs on the command line');

const world = createWorld();

/** A flow with a map and two levels of child flows, whose innermost task waits until it is let go. */
function album() {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const upload = createFlow('upload')
    .task('open', { perform: () => 'open' })
    .task('send', {
      dependsOn: ['open'],
      perform: async () => {
        begun.resolve();
        await gate.promise;
        return 'sent';
      },
    });
  const publish = createFlow('publish').flow('a/b', { flow: upload });
  const flow = createFlow('album')
    .task('list', { perform: () => 1 })
    .map('resize', { dependsOn: ['list'], over: () => ['x', 'y'], perform: () => 1 })
    .flow('publish', { dependsOn: ['resize'], flow: publish });
  return { flow, begun: begun.promise, open: gate.resolve };
}

/** Leaves an unsettled tree in a file, as a process does that ends. */
async function leave(file: string, id: string): Promise<void> {
  const { engine, end } = await program(world.path(file));
  const { flow, begun } = album();
  await engine.start(flow, undefined, { id });
  await begun;
  await end();
}

const idsOfR = ['r', 'r/resize#1', 'r/publish#1', 'r/publish#1/a%2Fb#1'];

async function journalsOf(file: string, ids: readonly string[]): Promise<(readonly Entry[])[]> {
  await using store = await createSqliteStore(world.path(file));
  return Promise.all(ids.map((id) => store.read(id)));
}

await leave('runs.sqlite', 'r');
const exported = (await world.topple('export r --store runs.sqlite')).stdout;
const lines = exported.trimEnd().split('\n');

const firstWords = (stdout: string): string[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/)[2] ?? '');

test('list roots, and the runs below one of them', async () => {
  const list = async (args: string) => (await world.topple(`list --store runs.sqlite ${args}`)).stdout;
  assert.equal(firstWords(await list('')), ['r']);
  assert.equal(firstWords(await list('--under r')), idsOfR.slice(1).toReversed());
  assert.equal(firstWords(await list('--under r/publish#1')), ['r/publish#1/a%2Fb#1']);
  assert.equal(firstWords(await list('--under r --settled')), ['r/resize#1']);
  const page = JSON.parse(await list('--under r --limit 2 --json'));
  assert.equal(
    page.runs.map(({ id }: { id: string }) => id),
    ['r/publish#1/a%2Fb#1', 'r/publish#1'],
  );
  assert.equal(firstWords(await list(`--under r --limit 2 --after ${page.next}`)), ['r/resize#1']);
  const unknown = await world.topple('list --store runs.sqlite --under q');
  assert.equal([unknown.code, unknown.stdout], [2, '']);
  assert.match(unknown.stderr, /has no run `q`/);
});

test('show a child run by the id that is printed', async () => {
  const { code, stdout } = await world.topple("show 'r/publish#1/a%2Fb#1' --store runs.sqlite --json");
  assert.is(code, 0);
  const view = JSON.parse(stdout);
  assert.equal(
    [view.id, view.flow, view.tasks.open.status, view.tasks.send.status],
    ['r/publish#1/a%2Fb#1', 'upload', 'done', 'running'],
  );
  const text = await world.topple("show 'r/resize#1' --store runs.sqlite");
  assert.is(text.code, 0, text.stderr);
  const meant = await world.topple("show 'r/publish#2' --store runs.sqlite");
  assert.is(meant.code, 2);
  assert.match(meant.stderr, /has no run `r\/publish#2`\. Did you mean `r\/publish#1`\?/);
});

test('export a tree as a whole, and import it, under another id too', async () => {
  const headers = lines.map((line) => JSON.parse(line)).filter(({ type }) => type.startsWith('topple.'));
  assert.equal(
    headers.map(({ type, id, version, children }) => [type, id, version, children]),
    [
      ['topple.run', 'r', 2, 3],
      ['topple.child', 'r/resize#1', undefined, undefined],
      ['topple.child', 'r/publish#1', undefined, undefined],
      ['topple.child', 'r/publish#1/a%2Fb#1', undefined, undefined],
    ],
  );
  const same = await world.topple('import - --store copy.sqlite', { stdin: exported });
  assert.equal([same.code, same.stdout], [0, '']);
  assert.match(same.stderr, /^topple: run `r` is kept in copy\.sqlite, with \d+ entries and 3 child runs\n$/);
  assert.equal(await journalsOf('copy.sqlite', idsOfR), await journalsOf('runs.sqlite', idsOfR));
  assert.is((await world.topple('export r --store copy.sqlite')).stdout, exported);
  const again = await world.topple('import - --store copy.sqlite', { stdin: exported });
  assert.equal([again.code, again.stdout], [2, '']);
  assert.is((await world.topple('import - --store copy.sqlite --id other', { stdin: exported })).code, 0);
  const renamed = idsOfR.map((id) => id.replace(/^r/, 'other'));
  const [, , publish] = await journalsOf('copy.sqlite', renamed);
  assert.equal(publish?.[0]?.type === 'run.started' && publish[0].parent, {
    runId: 'other',
    taskId: 'publish',
    life: 1,
    attempt: 1,
  });
  // It goes on where it was: what was done is not done again.
  const { engine, store, end } = await program(world.path('copy.sqlite'));
  const { flow, open } = album();
  open();
  const runs = await engine.recover([flow]);
  assert.equal(await Promise.all(runs.map(async (run) => (await run.settled()).status)), ['done', 'done']);
  for (const id of ['r', 'other']) {
    const entries = await store.read(`${id}/publish#1/a%2Fb#1`);
    const done = entries.filter(({ type }) => type === 'task.done');
    assert.equal(
      done.map((entry) => 'taskId' in entry && entry.taskId),
      ['open', 'send'],
    );
  }
  await end();
});

test('refuse to export, recover, rerun or fork a part of a tree, and name the root', async () => {
  for (const command of ['export', 'recover', 'rerun', 'fork']) {
    const { code, stdout, stderr } = await world.topple(`${command} 'r/publish#1' --store runs.sqlite`);
    assert.equal([command, code, stdout], [command, 2, '']);
    assert.match(stderr, /run `r\/publish#1` is a child run, .* `r`/);
  }
});

test('cancel a child run by the process that has its root, and name the root if none has it', async () => {
  const nobody = await world.topple("cancel 'r/publish#1' --store runs.sqlite");
  assert.equal([nobody.code, nobody.stdout], [1, '']);
  assert.match(nobody.stderr, /no process has its root: `topple recover r` continues that/);
  const { engine, store, end } = await program(world.path('steered.sqlite'));
  const { flow, begun, open } = album();
  const run = await engine.start(flow, undefined, { id: 'c' });
  await begun;
  const id = 'c/publish#1/a%2Fb#1';
  const cancelling = world.topple(`cancel '${id}' --store steered.sqlite --reason enough`);
  while ((await store.read(id)).every(({ type }) => type !== 'run.cancelling'));
  open();
  assert.is((await cancelling).code, 0);
  assert.is((await run.settled()).status, 'failed');
  assert.is((await store.list({ under: 'c/publish#1' }))[0]?.ending, 'cancelled');
  const settled = await world.topple(`cancel '${id}' --store steered.sqlite`);
  assert.match(settled.stderr, /has settled: it is cancelled/);
  await end();
});

test('prune settled trees as a whole, and count their roots', async () => {
  const { engine, store, end } = await program(world.path('old.sqlite'));
  const { flow, open } = album();
  open();
  for (const id of ['a', 'b']) await (await engine.start(flow, undefined, { id })).settled();
  const { stdout, stderr } = await world.topple('prune --store old.sqlite --keep 1');
  assert.equal([stdout, stderr], ['a\n', 'topple: removed 1 run\n']);
  assert.equal(await store.read('a/publish#1'), []);
  assert.is((await store.read('b/publish#1')).length > 0, true);
  await end();
});

/** The lines, of which one was changed, found by what is in it. */
function withLine(
  pattern: RegExp,
  change: (json: Record<string, never>) => unknown,
): readonly [string, number] {
  const at = lines.findIndex((line) => pattern.test(line));
  assert.ok(at >= 0, String(pattern));
  const changed = change(JSON.parse(lines[at] as string));
  return [`${lines.with(at, JSON.stringify(changed)).join('\n')}\n`, at + 1];
}

const child = (id: string) => new RegExp(`^{"type":"topple.child","id":"${id}"`);
const startOf = (id: string) => new RegExp(`"type":"run.started".*"parent":.*"runId":"${id}"`);
const parent = { runId: 'r', taskId: 'resize', life: 1, attempt: 1 };
const resize = 'r/resize#1';

const hostile: readonly (readonly [what: string, content: readonly [string, number], says: RegExp])[] = [
  [
    'a child of another root',
    withLine(child(resize), (json) => ({ ...json, id: 's/resize#1' })),
    /`id` must be/,
  ],
  [
    'a child of a child of another',
    withLine(child(resize), (json) => ({ ...json, id: 's/r/resize#1' })),
    /`id` must be/,
  ],
  [
    'a child without a life',
    withLine(child(resize), (json) => ({ ...json, id: 'r/resize' })),
    /`PARENT\/TASK#LIFE`/,
  ],
  ['life 0', withLine(child(resize), (json) => ({ ...json, id: 'r/resize#0' })), /`PARENT\/TASK#LIFE`/],
  [
    'a huge life',
    withLine(child(resize), (json) => ({ ...json, id: `r/resize#1${'0'.repeat(20)}` })),
    /`PARENT\/TASK#LIFE`/,
  ],
  [
    'an id that escapes what needs none',
    withLine(child(resize), (json) => ({ ...json, id: 'r/r%65size#1' })),
    /`PARENT\/TASK#LIFE`/,
  ],
  [
    'an id that is the root',
    withLine(child(resize), (json) => ({ ...json, id: 'r' })),
    /`PARENT\/TASK#LIFE`/,
  ],
  [
    'a child twice',
    withLine(child('r/publish#1'), (json) => ({ ...json, id: resize })),
    /`id` must be another, since a run before has it/,
  ],
  [
    'a child before its parent',
    withLine(child(resize), (json) => ({ ...json, id: 'r/publish#1/a%2Fb#1' })),
    /`id` must be behind its parent, "r\/publish#1"/,
  ],
  [
    'a child of a task that its parent never had',
    withLine(child(resize), (json) => ({ ...json, id: 'r/none#1' })),
    /`id` must be of a task with entries in its parent, which has none of "none"/,
  ],
  [
    'a child that is a root',
    withLine(child(resize), (json) => ({ ...json, type: 'topple.run' })),
    /is not the header of a child run/,
  ],
  [
    'a start of another run',
    withLine(startOf(resize), (json) => ({ ...json, runId: 'r' })),
    /`runId` must be the id of the run/,
  ],
  [
    'a start without a parent',
    withLine(startOf(resize), (json) => ({ ...json, parent: undefined })),
    /`parent` must be life 1 of task "resize" of run "r", but is undefined/,
  ],
  [
    'a parent that is the run itself',
    withLine(startOf(resize), (json) => ({ ...json, parent: { ...parent, runId: resize } })),
    /`parent` must be life 1/,
  ],
  [
    'another life',
    withLine(startOf(resize), (json) => ({ ...json, parent: { ...parent, life: 2 } })),
    /`parent` must be life 1/,
  ],
  [
    'attempt 0',
    withLine(startOf(resize), (json) => ({ ...json, parent: { ...parent, attempt: 0 } })),
    /`parent` must be a task of a run/,
  ],
  [
    'a run that continues one of another tree',
    withLine(startOf(resize), (json) => ({ ...json, continues: 's/resize#1' })),
    /`continues` must be a run before this one/,
  ],
  [
    'a run that continues itself',
    withLine(startOf(resize), (json) => ({ ...json, continues: resize })),
    /`continues` must be a run before this one/,
  ],
  [
    'a root with a parent',
    withLine(/"type":"run.started"/, (json) => ({ ...json, parent })),
    /`parent` must be left out/,
  ],
  [
    'a root that continues another',
    withLine(/"type":"run.started"/, (json) => ({ ...json, continues: 's' })),
    /`continues` must be left out/,
  ],
  [
    'children of a file of version 1',
    withLine(/"type":"topple.run"/, (json) => ({ ...json, version: 1 })),
    /^/,
  ],
  [
    'no number of children',
    withLine(/"type":"topple.run"/, (json) => ({ ...json, children: undefined })),
    /`children` must be an integer/,
  ],
];

for (const [what, [stdin, line], says] of hostile) {
  test(`refuse to import ${what}, with its place, and keep nothing`, async () => {
    const { code, stdout, stderr } = await world.topple('import - --store none.sqlite', { stdin });
    assert.equal([code, stdout], [3, ''], stderr);
    const [, place, message = ''] = /^topple: standard input:(\d+): (.*)\n$/.exec(stderr) ?? [];
    assert.match(message, says);
    const isCount = what.includes('version 1');
    assert.is(Number(place), isCount ? lines.findIndex((text) => text.includes('topple.child')) + 1 : line);
    assert.not.ok(existsSync(world.path('none.sqlite')));
  });
}

test('refuse a file that ends too soon, or goes on too long', async () => {
  const at = lines.findIndex((line) => child('r/publish#1').test(line));
  for (const [kept, says] of [
    [lines.slice(0, at), 'the file ends after 1 child run, and its header says 3'],
    [lines.slice(0, at + 1), 'the file ends after 0 entries'],
    [[...lines, lines[at]], 'is one line too many: the header says 3 child runs'],
  ] as const) {
    const { code, stderr } = await world.topple('import - --store none.sqlite', {
      stdin: `${kept.join('\n')}\n`,
    });
    assert.is(code, 3);
    assert.ok(stderr.includes(says), stderr);
  }
  assert.not.ok(existsSync(world.path('none.sqlite')));
});

test('are cancelled by their outline, without a module', async () => {
  await leave('cancel.sqlite', 'c');
  const { code, stderr } = await world.topple('cancel c --store cancel.sqlite --reason enough');
  assert.equal([code, stderr], [0, 'topple: run `c` is cancelled\n']);
  const ids = ['c', 'c/publish#1', 'c/publish#1/a%2Fb#1'];
  const last = (await journalsOf('cancel.sqlite', ids)).map((entries) => entries.at(-1)?.type);
  assert.equal(last, ['run.cancelled', 'run.cancelled', 'run.cancelled']);
  const { stdout } = await world.topple('show c --store cancel.sqlite --json');
  const { child } = JSON.parse(stdout).tasks.resize;
  assert.equal([child.runId, child.counts.done], ['c/resize#1', 2]);
});

test('are refused in words where a flow inside has changed', async () => {
  await leave('changed.sqlite', 'r');
  world.write(
    'changed.ts',
    `import { createFlow } from 'topple';
const perform = () => 1;
const upload = createFlow('upload').task('open', { perform }).task('send', { dependsOn: ['open'], perform }).task('tell', { perform });
const publish = createFlow('publish').flow('a/b', { flow: upload });
export default createFlow('album')
  .task('list', { perform })
  .map('resize', { dependsOn: ['list'], over: () => [1], perform })
  .flow('publish', { dependsOn: ['resize'], flow: publish });
`,
  );
  const check = await world.topple('check changed.ts --store changed.sqlite');
  assert.match(check.stdout, /refuses\s+r of album: in `publish\/a%2Fb`: `tell` was added\n/);
  const recover = await world.topple('recover r --module changed.ts --store changed.sqlite');
  assert.match(recover.stderr, /in `publish\/a%2Fb`: `tell` was added/);
});

test('print as JSON only what happens from then on, of each run of the tree', async () => {
  world.write(
    'album.ts',
    `import { createFlow } from 'topple';
const upload = createFlow('upload')
  .task('open', { perform: () => 'open' })
  .task('send', { dependsOn: ['open'], perform: () => 'sent' });
const publish = createFlow('publish').flow('a/b', { flow: upload });
export const album = createFlow('album')
  .task('list', { perform: () => 1 })
  .map('resize', { dependsOn: ['list'], over: () => ['x', 'y'], perform: () => 1 })
  .flow('publish', { dependsOn: ['resize'], flow: publish });
`,
  );
  await leave('again.sqlite', 'r');
  const left = await journalsOf('again.sqlite', idsOfR);
  const { code, stdout } = await world.topple('recover r --store again.sqlite --module album.ts --json');
  assert.is(code, 0);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { view } = events.pop();
  assert.is(view.status, 'done');
  const all = await journalsOf('again.sqlite', idsOfR);
  for (const [index, id] of idsOfR.entries()) {
    const printed = events.filter(({ runId }) => runId === id).map(({ seq }) => seq);
    const known = left[index]?.length ?? 0;
    assert.equal(
      printed,
      all[index]?.slice(known).map(({ seq }) => seq),
      id,
    );
  }
  assert.equal(
    [...new Set(events.map(({ path }) => path?.join(' ')))],
    ['publish a/b', 'publish', undefined],
  );
});
