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
  await says(page.locator('.events'), 'attempt 1 of resize in a1');
});

test('the list of runs has no child runs', async () => {
  release();
  const page = await opened.page();
  await page.goto(inspector.url);
  await page.locator('.runs tbody tr').first().waitFor();
  await until('one run is listed', page, async () => (await page.locator('.runs tbody tr').count()) === 1);
});
