// Child runs in the page, with its real server.

import { createEngine, createFlow, type Engine, type Run } from 'topple';
import { createInspector, type Inspector } from 'topple/inspector';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { Opened, says, until } from './opened.ts';

const test = spec('child runs in a browser');

let opened: Opened;
let engine: Engine;
let inspector: Inspector;
let release: () => void = () => {};

const publish = createFlow('publish').task('upload', { perform: () => 3 });
const count = 40;

function album() {
  const { promise, resolve } = Promise.withResolvers<void>();
  release = resolve;
  return createFlow('album')
    .task('list', { perform: () => Array.from({ length: count }, (_, index) => index) })
    .map('resize', {
      dependsOn: ['list'],
      over: ({ deps }) => deps.list,
      tolerate: 2,
      perform: async ({ item }) => {
        if (item === 7) throw new Error('no picture');
        if (item > 30) await promise;
        return item;
      },
    })
    .flow('publish', { flow: publish, dependsOn: ['resize'] });
}

test.before(async () => {
  opened = await Opened.start();
  engine = createEngine({ logger: silent, keepSettled: 100 });
  inspector = await createInspector({ engine, logger: silent, name: 'album.ts' });
});
test.after.each(() => opened.closePages());
test.after(async () => {
  await engine.stop();
  await inspector.close();
  await opened.close();
});

test('a node shows how far its child run is, and leads to it; its page leads back', async () => {
  const run: Run = await engine.start(album(), undefined, { id: 'a1' });
  const page = await opened.page();
  await page.goto(inspector.url);
  await page.locator('.runs tbody th a').first().click();
  await says(page.locator('h1'), 'album');
  await page.locator('.rows .task', { hasText: 'resize' }).click();
  const panel = page.getByRole('region', { name: 'Items' });
  await says(panel, 'a1/resize#1 31/40, 1 failed');
  release();
  await run.settled();
  await says(panel, 'a1/resize#1 40/40, 1 failed');
  await page.locator('.graph canvas').focus();
  await page.keyboard.press('Enter');
  await says(page.locator('.facts'), 'body ofresize');
  await until('the items are listed', page, async () => (await page.locator('.rows .task').count()) > 10);
  await says(page.getByRole('navigation', { name: 'Where you are' }), 'Runs/a1/resize#1');
  await page.locator('.facts a').click();
  await says(page.locator('.panel h2'), 'resize');
  await page.getByRole('button', { name: 'Open its run' }).click();
  await says(page.locator('.facts'), 'body ofresize');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  // The list begins at its end.
  await says(page.locator('.events'), 'run.done');
  await page.getByLabel('Kind').selectOption({ label: 'Of the run' });
  await says(page.locator('.events'), 'attempt 1 of resize in a1');
});

test('a child run opens in place and folds again, live and in the past', async () => {
  const run: Run = await engine.start(album(), undefined, { id: 'a2' });
  const page = await opened.page();
  await page.goto(inspector.url);
  await page.goto(`${inspector.url.replace(/\?.*/, '')}#/run/here/a2?task=resize`);
  const canvas = page.locator('.graph canvas');
  await says(page.getByRole('region', { name: 'Items' }), 'a2/resize#1 31/40, 1 failed');
  const label = () => canvas.getAttribute('aria-label');
  await until('three nodes are drawn', page, async () => (await label())?.includes('of 3 nodes') === true);
  await page.getByRole('button', { name: 'Show it here' }).click();
  await until('the items are drawn', page, async () => (await label())?.includes('of 43 nodes') === true);
  release();
  await run.settled();
  await says(page.locator('.head .status'), 'done');
  // Entries of the parent alone do not tell how far the child was: its own journal does.
  const place = `${inspector.url.replace(/\?.*/, '')}#/run/here/a2?task=resize&unfolded=resize`;
  await page.goto(`${place}&seq=6`);
  await says(page.getByRole('region', { name: 'Items' }), 'a2/resize#1 0/40');
  await page.getByRole('button', { name: 'Fold it' }).click();
  await until('it is folded', page, async () => (await label())?.includes('of 3 nodes') === true);
  await canvas.focus();
  await page.keyboard.press('x');
  await until('the items are drawn', page, async () => (await label())?.includes('of 43 nodes') === true);
});

test('the list of runs has no child runs', async () => {
  release();
  const page = await opened.page();
  await page.goto(inspector.url);
  await page.locator('.runs tbody tr').first().waitFor();
  await until('two runs are listed', page, async () => (await page.locator('.runs tbody tr').count()) === 2);
});
