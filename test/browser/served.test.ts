// The page with its real server: live, commands, and the file that it exports.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { createEngine, createFlow, type Engine } from 'topple';
import { createInspector, type Inspector } from 'topple/inspector';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { findColour, Opened, says, until } from './opened.ts';

const test = spec('the page and its server in a browser');

let opened: Opened;
let engine: Engine;
let inspector: Inspector;
const folder = mkdtempSync(join(tmpdir(), 'topple-page-'));
let release: (() => void)[] = [];

/** A body that waits until the test lets it go. */
const held = ({ signal }: { readonly signal: AbortSignal }): Promise<string> => {
  return new Promise((resolve, reject) => {
    release.push(() => resolve('let go'));
    signal.addEventListener('abort', () => reject(signal.reason));
  });
};

/** Lets the bodies go that wait, once there is one. */
async function letGo(): Promise<void> {
  while (release.length === 0) await new Promise(setImmediate);
  for (const go of release.splice(0)) go();
}

let failures = 0;
const flow = createFlow('orders')
  .task('pack', { perform: held })
  .task('weigh', {
    perform: ({ log }) => {
      log('on the scale');
      return { grams: 120, label: '<b>120 g</b>', text: 'x'.repeat(20_000) };
    },
  })
  .task('pay', {
    perform: () => {
      if (failures-- > 0) throw new Error('card refused');
      return 'paid';
    },
  })
  .task('send', { dependsOn: ['pack', 'weigh', 'pay'], perform: () => 'sent' });

test.before(async () => {
  opened = await Opened.start();
  engine = createEngine({ logger: silent, keepSettled: 100 });
  inspector = await createInspector({ engine, logger: silent, name: 'orders.ts' });
});
test.before.each(() => {
  release = [];
  failures = 0;
});
test.after.each(async () => {
  for (const go of release) go();
  await opened.closePages();
});
test.after(async () => {
  await opened.close();
  await inspector.close();
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function lookAt(id: string): Promise<Page> {
  const page = await opened.page();
  await page.goto(inspector.url);
  await page.locator('.runs tbody tr', { hasText: id }).locator('a').first().click();
  await says(page.locator('h1'), 'orders');
  return page;
}

test('the token leaves the address, and a run of the engine is shown as it goes on', async () => {
  const run = await engine.start(flow, undefined, { id: 'live-1' });
  const page = await lookAt('live-1');
  assert.not.match(page.url(), 'token');
  await says(page.locator('.head .status'), 'running');
  await findColour(page, '.graph canvas', '#0072b2');
  await page.getByLabel('Search tasks').fill('weigh');
  await page.locator('.rows .name', { hasText: 'weigh' }).click();
  await says(page.locator('.logs'), 'on the scale');
  await page.getByRole('region', { name: 'Output' }).getByRole('button', { name: /text:/ }).click();
  await says(page.getByRole('region', { name: 'Output' }).locator('pre'), /^x{20000}$/);
  await letGo();
  await run.settled();
  await says(page.locator('.head .status'), 'done');
  await says(page.locator('[aria-live=polite].said'), 'The run is done.');
});

test('pause, resume and cancel are asked for, then carried out', async () => {
  const run = await engine.start(flow, undefined, { id: 'commands-1' });
  const page = await lookAt('commands-1');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('dialog', { name: 'Pause the run?' }).getByRole('button', { name: 'Back' }).click();
  assert.is(run.view().status, 'running');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await says(page.locator('.head .status'), 'paused');
  await says(page.locator('.panel .why'), 'It is paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await says(page.locator('.head .status'), 'running');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByLabel('Reason, for its journal').fill('wrong address');
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await says(page.locator('.head .status'), 'cancelled');
  await says(page.locator('.panel .why'), 'It was cancelled (wrong address).');
  assert.is((await run.settled()).reason, 'wrong address');
});

test('a run is run again, and from a task', async () => {
  failures = 1;
  const run = await engine.start(flow, undefined, { id: 'again-1' });
  await letGo();
  await run.settled();
  const page = await lookAt('again-1');
  await says(page.locator('.head .status'), 'failed');
  await page.getByRole('button', { name: 'Rerun' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rerun' }).click();
  await says(page.locator('.head .status'), 'done');
  await page.locator('.rows .name', { hasText: 'weigh' }).click();
  await page.getByRole('button', { name: 'Rerun from here' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rerun from here' }).click();
  await until('it ran twice', page, async () => (await page.locator('.attempts > li').count()) === 2);
  await says(page.locator('.attempts'), 'run again');
});

test('a refused command says why', async () => {
  const run = await engine.start(flow, undefined, { id: 'refused-1' });
  const page = await lookAt('refused-1');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('dialog').waitFor();
  await letGo();
  await run.settled();
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await until('it is said, or the run had settled', page, async () => {
    return (await page.getByRole('alert').count()) === 1 || (await page.getByRole('dialog').count()) === 0;
  });
  opened.problems.splice(0);
});

test('an exported file opens from disk, shows all but commands, and asks nobody', async () => {
  failures = 1;
  const run = await engine.start(flow, undefined, { id: 'file-1' });
  await letGo();
  await run.settled();
  const page = await lookAt('file-1');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Export' }).click(),
  ]);
  const path = join(folder, 'file-1.html');
  await download.saveAs(path);
  const file = await opened.page();
  const asked: string[] = [];
  file.on('request', (request) => asked.push(request.url()));
  await file.goto(pathToFileURL(path).href);
  await says(file.locator('h1'), 'orders');
  await says(file.locator('.head .status'), 'failed');
  await findColour(file, '.graph canvas', '#d55e00');
  await says(file.getByRole('region', { name: 'Root failures' }), 'Error: card refused');
  for (const view of ['Time', 'Tasks', 'Events', 'Machines']) {
    await file.getByRole('link', { name: view, exact: true }).click();
    await says(file.locator('.tabs [aria-current=page]'), view);
  }
  await says(file.getByRole('region', { name: 'Orchestrator of the run' }).locator('.state.now'), 'failed');
  await file.getByRole('link', { name: 'Tasks' }).click();
  await file.locator('.rows .name', { hasText: 'weigh' }).click();
  await file.getByRole('region', { name: 'Output' }).getByRole('button', { name: /text:/ }).click();
  await says(file.getByRole('region', { name: 'Output' }).locator('pre'), /^x{20000}$/);
  await says(file.getByRole('region', { name: 'Output' }), '<b>120 g</b>');
  assert.is(await file.getByRole('button', { name: /Rerun|Cancel|Pause/ }).count(), 0);
  await file.getByRole('slider').fill('0');
  await says(file.locator('.chips'), '4 pending');
  assert.equal(
    asked.filter((url) => !url.endsWith('/file-1.html') && !url.startsWith('data:')),
    [],
  );
});
