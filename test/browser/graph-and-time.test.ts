import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { structureOf } from '../inspector/page/recorded.ts';
import { spec } from '../spec.ts';
import { findColour, Opened, says, texts, until } from './opened.ts';
import { build200, fakeRun, layered, runOf, signUp } from './worlds.ts';

const test = spec('graph and time in a browser');
const graph = '.graph canvas';
const time = '.time canvas';
const [failedFill, doneFill, runningFill] = ['#d55e00', '#009e73', '#0072b2'];

let opened: Opened;
test.before(async () => {
  opened = await Opened.start();
  const { server } = opened;
  const live = await fakeRun('live', 'sign-up', signUp, { untilMs: 1_000 });
  server.now = live.now;
  server.runs.push(
    (await fakeRun('small', 'sign-up', signUp)).run,
    (await fakeRun('build', 'build', build200(), { concurrency: 8, pools: { cpu: 4 } })).run,
    (await fakeRun('large', 'batch', layered(10_000), { concurrency: 64 })).run,
    live.run,
    runOf(structureOf(signUp, { id: 'new' }), 'sign-up', []),
  );
});
test.after.each(() => opened.closePages());
test.after(() => opened.close());

async function clickColour(page: Page, selector: string, colour: string): Promise<void> {
  await says(page.locator('.live'), /live|date/);
  const { x, y } = await findColour(page, selector, colour);
  await page.locator(selector).click({ position: { x, y } });
}

async function nodes(page: Page): Promise<number> {
  const label = await page.locator(graph).getAttribute('aria-label');
  return Number(/\d+/.exec(label ?? '')?.[0]);
}

test('the graph is there before the run starts', async () => {
  const page = await opened.look('#/run/here/new');
  await findColour(page, graph, '#e8eaed');
  assert.is(await nodes(page), 6);
  await says(page.locator('.chips'), '6 pending');
  await says(page.locator('.panel .why'), 'It has not started');
});

test('a task that is clicked on is selected everywhere', async () => {
  const page = await opened.look('#/run/here/small');
  await clickColour(page, graph, failedFill);
  await says(page.locator('.panel h2'), 'credit-check');
  await says(page.locator('.rows.narrow tr.selected .name'), 'credit-check');
  await page.getByRole('link', { name: 'Time', exact: true }).click();
  await says(page.locator('.time tr.selected .name'), 'credit-check');
  await page.getByRole('link', { name: 'Events' }).click();
  await until(
    'its events are marked',
    page,
    async () => (await page.locator('.events tr.selected').count()) > 2,
  );
  await until('the address has it', page, async () => page.url().includes('task=credit-check'));
});

test('the graph is moved, zoomed and fitted, by mouse, buttons and keys', async () => {
  const page = await opened.look('#/run/here/small');
  await says(page.locator('.live'), /live|date/);
  // Until it is moved, the graph fits itself to the room that the rest of the page leaves.
  let before = await findColour(page, graph, failedFill);
  await until('all has found its place', page, async () => {
    const last = before;
    for (let frames = 0; frames < 12; frames++) await page.evaluate('new Promise(requestAnimationFrame)');
    before = await findColour(page, graph, failedFill);
    return before.x === last.x && before.y === last.y;
  });
  const box = await page.locator(graph).boundingBox();
  const [x, y] = [(box?.x ?? 0) + 300, (box?.y ?? 0) + 60];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 20, y + 40);
  await page.mouse.up();
  const moved = async (dx: number, dy: number) => {
    const now = await findColour(page, graph, failedFill);
    return Math.abs(now.x - before.x - dx) < 3 && Math.abs(now.y - before.y - dy) < 3;
  };
  await until('it moved with the mouse', page, () => moved(20, 40));
  await page.getByRole('button', { name: 'Fit' }).click();
  await until('it is back', page, () => moved(0, 0));
  await page.locator(graph).press('-');
  await until('it is smaller', page, async () => !(await moved(0, 0)));
  await page.locator(graph).press('0');
  await until('it is back by 0', page, () => moved(0, 0));
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, 300);
  await until('the wheel zooms', page, async () => !(await moved(0, 0)));
});

test('arrow keys walk along edges', async () => {
  const page = await opened.look('#/run/here/small?task=account');
  await page.locator(graph).press('ArrowRight');
  await says(page.locator('.panel h2'), 'credit-check');
  await page.locator(graph).press('ArrowUp');
  await says(page.locator('.panel h2'), 'welcome-mail');
  await page.locator(graph).press('ArrowRight');
  await says(page.locator('.panel h2'), 'contract');
  await page.locator(graph).press('ArrowLeft');
  await page.locator(graph).press('ArrowLeft');
  await says(page.locator('.panel h2'), 'account');
  await says(page.locator('[aria-live=polite].said'), 'account: done');
});

test('focus keeps what is up- and downstream, groups join a prefix, done tasks are hidden', async () => {
  const page = await opened.look('#/run/here/build?task=pkg-24%2Ftest');
  await until('all are there', page, async () => (await nodes(page)) === 200);
  await page.getByRole('button', { name: 'Focus' }).click();
  await until('few are left', page, async () => (await nodes(page)) === 6);
  await page.getByRole('button', { name: 'Focus' }).click();
  await page.getByRole('button', { name: 'Group' }).click();
  await until('packages are nodes', page, async () => (await nodes(page)) === 53);
  await page.getByRole('button', { name: 'Open pkg-24' }).click();
  await until('one is open', page, async () => (await nodes(page)) === 56);
  await page.getByRole('button', { name: 'Group' }).click();
  await page.getByRole('button', { name: 'Hide done' }).click();
  await until('only what went wrong', page, async () => (await nodes(page)) === 5);
});

test('search finds tasks in the list, and a critical path is drawn', async () => {
  const page = await opened.look('#/run/here/build');
  await page.locator('body').press('/');
  await page.keyboard.type('PKG-24');
  await until(
    'the list has four',
    page,
    async () => (await page.locator('.rows.narrow .name').count()) === 4,
  );
  await page.getByLabel('Search tasks').fill('');
  await page.getByRole('button', { name: 'Critical path' }).click();
  await findColour(page, graph, '#1b1f24');
});

test('10,000 tasks are drawn, and one of them is found and shown', async () => {
  const page = await opened.look('#/run/here/large');
  await findColour(page, graph, doneFill);
  assert.is(await nodes(page), 10_000);
  await page.getByLabel('Search tasks').fill('item-0397');
  await page.locator('.rows.narrow .name', { hasText: 'stage-1/item-0397' }).click();
  await says(page.locator('.why'), 'failed: Error: stage-1/item-0397 fails');
  assert.ok(
    (await page.locator('.rows.narrow tbody tr').count()) < 100,
    'only the rows that are seen are there',
  );
});

test('attempts are bars, waits are apart from them, and pointing says what they are', async () => {
  const page = await opened.look('#/run/here/small?view=time');
  await findColour(page, time, failedFill);
  const box = (await page.locator(time).boundingBox()) as { x: number; y: number; width: number };
  const rows = await texts(page.locator('.time .name'));
  const middle = (row: number): number => box.y + 26 * (row + 1) + 13;
  const placeOf = (ms: number): number => box.x + 10 + ((box.width - 20) * ms) / 3_070;
  const point = async (task: string, ms: number, words: string): Promise<void> => {
    await page.mouse.move(placeOf(ms), middle(rows.indexOf(task)));
    await says(page.locator('.tip'), words);
  };
  await point('welcome-mail', 500, 'attempt 1, failed: 450 ms');
  await point('welcome-mail', 1_100, 'waits for its next attempt: 700 ms');
  await point('welcome-mail', 2_800, 'attempt 3, done: 450 ms');
});

test('a run that waits for slots shows that before its bars; idle time is folded', async () => {
  const page = await opened.look('#/run/here/build?view=time');
  await findColour(page, time, doneFill);
  await page.getByRole('button', { name: 'Fold idle time' }).click();
  await page.locator('button[aria-pressed=true]', { hasText: 'Fold idle time' }).waitFor();
  const rows = await texts(page.locator('.time .name'));
  const box = (await page.locator(time).boundingBox()) as { x: number; y: number; width: number };
  await page.mouse.move(
    box.x + 10 + ((box.width - 20) * 4_300) / 23_702,
    box.y + 26 * (rows.indexOf('pkg-49/compile') + 1) + 13,
  );
  await says(page.locator('.tip'), 'waits for a slot');
});

test('a live run goes on by itself, and a countdown counts', async () => {
  const { run } = await fakeRun('live', 'sign-up', signUp, { untilMs: 1_000 });
  const whole = await fakeRun('live', 'sign-up', signUp);
  const page = await opened.look('#/run/here/live?task=welcome-mail&view=time');
  await findColour(page, time, runningFill);
  await says(page.locator('.why'), /retrying: attempt 1 failed .* attempt 2 of 3/);
  const shown = opened.server.runs.find(({ structure }) => structure.id === 'live') as typeof run;
  const { feed, structure } = shown;
  Object.assign(shown, whole.run);
  await says(page.locator('.why'), 'done: attempt 3 returned');
  await says(page.locator('.head .status'), 'failed');
  Object.assign(shown, { feed, structure });
});
