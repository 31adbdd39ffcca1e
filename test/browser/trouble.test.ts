import * as assert from 'uvu/assert';
import { rowsAfter, unpackedRows } from '../../src/inspector/rows.ts';
import { structureOf } from '../inspector/page/recorded.ts';
import { spec } from '../spec.ts';
import { Opened, says, texts, until } from './opened.ts';
import { fakeRun, runOf, signUp, startAt } from './worlds.ts';

const test = spec('trouble in a browser');

let opened: Opened;
test.before(async () => {
  opened = await Opened.start();
  opened.server.now = startAt + 500;
});
test.before.each(() => {
  opened.server.runs.length = 0;
});
test.after.each(() => opened.closePages());
test.after(() => opened.close());

test('missing entries are shown as missing, and the rest is shown', async () => {
  const { run } = await fakeRun('gap', 'sign-up', signUp);
  const [line] = run.feed;
  if (line === undefined || !('entries' in line)) return assert.unreachable();
  const { from, at, rows } = line.entries;
  const end = rowsAfter(line.entries, 12);
  assert.ok(end !== undefined);
  run.feed = [
    { entries: { from, at, rows: unpackedRows(rows).slice(0, 6), to: from + 5 } },
    { gap: { from: 7, to: 12 } },
    { entries: end },
  ];
  opened.server.runs.push(run);
  const page = await opened.look('#/run/here/gap');
  await says(page.locator('.banner'), '6 entries are missing (seq 7–12)');
  await says(page.locator('.head .status'), 'failed');
});

test('a lost connection is said, and what came meanwhile is caught up with', async () => {
  const { run } = await fakeRun('live', 'sign-up', signUp, { untilMs: 600 });
  opened.server.runs.push(run);
  const page = await opened.look('#/run/here/live');
  await says(page.locator('.live'), 'live');
  opened.server.isDown = true;
  await says(page.locator('.banner'), 'The connection is lost');
  Object.assign(run, (await fakeRun('live', 'sign-up', signUp)).run);
  opened.server.isDown = false;
  await says(page.locator('.head .status'), 'failed');
  await until('nothing is said any more', page, async () => (await page.locator('.banner').count()) === 0);
  // The browser itself tells of requests that failed.
  opened.problems.splice(0);
});

test('a run that is not there is said, and nothing is made up', async () => {
  const page = await opened.look('#/run/here/none');
  await says(page.locator('main'), 'There is no run none.');
  opened.problems.splice(0);
});

test('ids, errors and outputs full of markup stay text in every view', async () => {
  const evil = '<img src=x onerror="document.title=`taken`"><script>document.title="taken"</script>';
  const tasks = { [evil]: { durationMs: 5, fails: 'always' as const }, [`${evil}2`]: { dependsOn: [evil] } };
  const { run } = await fakeRun('evil', evil, tasks);
  opened.server.runs.push(run);
  for (const view of ['graph', 'time', 'tasks', 'events', 'machines']) {
    const page = await opened.look(`#/run/here/evil?view=${view}&task=${encodeURIComponent(evil)}`);
    await says(page.locator('.panel h2'), evil);
    await says(page.locator('h1'), evil);
    assert.equal(await page.locator('img, #app script').count(), 0, view);
    assert.not.match(await page.title(), /^taken/);
  }
  const list = await opened.look('');
  await says(list.locator('.runs tbody'), evil);
  assert.is(await list.locator('img').count(), 0);
});

test('500 entries a second come in, and the page keeps up', async () => {
  const count = 2_000;
  const tasks = Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, {}]));
  const structure = structureOf(tasks, { id: 'fast' });
  const entry = (index: number) => {
    const task = Math.floor(index / 3);
    const stamp = { seq: index + 2, at: startAt + index * 2, runId: 'fast', taskId: `t${task}` };
    const step = index % 3;
    if (step === 0) return { type: 'task.ready' as const, ...stamp };
    if (step === 1) return { type: 'task.started' as const, attempt: 1, ...stamp };
    return { type: 'task.done' as const, attempt: 1, output: index, ...stamp };
  };
  const start = {
    type: 'run.started' as const,
    at: startAt,
    seq: 1,
    runId: 'fast',
    version: 1,
    flow: 'fast',
    flowHash: '',
    input: null,
  };
  const entries = [start, ...Array.from({ length: 3 * count }, (_, index) => entry(index))];
  const run = runOf(structure, 'fast', entries.slice(0, 1));
  opened.server.runs.push(run);
  const page = await opened.look('#/run/here/fast');
  await says(page.locator('.live'), 'live');
  let shown = 1;
  const timer = setInterval(() => {
    shown += 50;
    Object.assign(run, runOf(structure, 'fast', entries.slice(0, shown)));
  }, 100);
  await says(page.locator('.chips'), /done/);
  await until(
    'a thousand have come',
    page,
    async () =>
      Number((await texts(page.locator('.where .figure')))[0]?.split(' ')[0]?.replace(',', '')) > 1_000,
  );
  clearInterval(timer);
});
