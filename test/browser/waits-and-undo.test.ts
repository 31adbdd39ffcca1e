// The page with a run that waits for a value, and with one that is undone.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { createEngine, createFlow, type Engine } from 'topple';
import { createInspector, type Inspector } from 'topple/inspector';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { findColour, Opened, says, texts, until } from './opened.ts';
import { findings } from './places.ts';

const test = spec('waits and undo in a browser');

const approval = createFlow('approvals')
  .task('charge', { perform: () => 'charged' })
  .waitFor('approval', { dependsOn: ['charge'], schema: z.object({ by: z.string() }), timeoutMs: 3_600_000 })
  .sleep('settle', { dependsOn: ['charge'], ms: 3_600_000 })
  .task('ship', { dependsOn: ['approval'], perform: ({ deps }) => `for ${deps.approval.by}` });

const order = createFlow('orders')
  .task('reserve', { perform: () => 'seat 12A', compensate: () => {} })
  .task('charge', {
    dependsOn: ['reserve'],
    perform: () => 'c1',
    compensate: () => {
      throw new Error('the bank is closed');
    },
  })
  .task('pack', { dependsOn: ['charge'], perform: () => 'box 7', compensate: () => {} })
  .task('ship', {
    dependsOn: ['pack'],
    perform: () => {
      throw new Error('no van');
    },
  });

let opened: Opened;
let engine: Engine;
let inspector: Inspector;
const folder = mkdtempSync(join(tmpdir(), 'topple-page-'));

test.before(async () => {
  opened = await Opened.start();
  engine = createEngine({ logger: silent, keepSettled: 100 });
  inspector = await createInspector({ engine, logger: silent, name: 'orders.ts' });
});
test.after.each(() => opened.closePages());
test.after(async () => {
  await opened.close();
  await inspector.close();
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function lookAt(id: string, options = {}): Promise<Page> {
  const page = await opened.page(options);
  await page.goto(inspector.url);
  await page.locator('.runs tbody tr', { hasText: id }).locator('a').first().click();
  await page.locator('.tabs').waitFor();
  return page;
}

async function select(page: Page, view: string, task: string): Promise<void> {
  await page.getByRole('link', { name: view, exact: true }).click();
  await page.locator('.rows .name', { hasText: task }).click();
  await says(page.locator('.panel h2'), task);
}

test('a value is delivered from the page, with its key, after one that the schema refuses', async () => {
  const run = await engine.start(approval, undefined, { id: 'wait-1' });
  const page = await lookAt('wait-1');
  await says(page.locator('.chips'), '2 waiting');
  await findColour(page, '.graph canvas', '#56b4e9');
  await select(page, 'Tasks', 'approval');
  await says(page.locator('.why'), /waiting: for a value from outside, until .*\d\d:\d\d:\d\d/);
  await page.getByRole('button', { name: 'Deliver…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Deliver a value to approval?' });
  await dialog.getByLabel('The value, as JSON').fill('{"by": 7}');
  await dialog.getByLabel(/^Key/).fill('mail-12');
  await dialog.getByRole('button', { name: 'Deliver', exact: true }).click();
  await says(dialog.getByRole('alert'), /goes on waiting\. #\/by .*string/);
  assert.is(run.view().tasks.approval?.status, 'waiting');
  // What is refused is an answer, which the browser writes to its console too.
  assert.match(opened.problems.splice(0).join(), '422');
  await dialog.getByLabel('The value, as JSON').fill('{"by": "ada"}');
  await dialog.getByRole('button', { name: 'Deliver', exact: true }).click();
  await says(page.locator('.why'), 'done: a value came after');
  await says(page.getByRole('region', { name: 'Wait' }), 'mail-12');
  await says(page.getByRole('region', { name: 'Output' }), 'by: "ada"');
  assert.is(run.view().tasks.approval?.delivery?.key, 'mail-12');
  assert.is(await page.getByRole('button', { name: 'Deliver…' }).count(), 0);
});

test('waits are in Time, in the events, on their machine and behind a filter', async () => {
  await engine.start(approval, undefined, { id: 'wait-2' });
  const page = await lookAt('wait-2');
  await page.getByRole('button', { name: /2 waiting/ }).click();
  await select(page, 'Time', 'settle');
  assert.equal(await texts(page.locator('.rows .name')), ['approval', 'settle']);
  await says(page.locator('.why'), /waiting: sleeps until/);
  await findColour(page, '.time canvas', '#56b4e9');
  const canvas = await page.locator('.time canvas').boundingBox();
  await page.mouse.move((canvas?.x ?? 0) + (canvas?.width ?? 0) - 60, (canvas?.y ?? 0) + 70);
  await says(page.locator('.tip'), 'sleeps: ');
  await page.getByRole('link', { name: 'Machines', exact: true }).click();
  await says(page.getByRole('region', { name: 'Task settle' }).locator('.state.now'), 'waiting');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByLabel('Kind').selectOption('waits');
  await until(
    'both waits',
    page,
    async () => (await page.locator('.events tbody tr[aria-rowindex]').count()) === 2,
  );
  await says(page.locator('.events tbody'), 'for a value, until');
  await says(page.locator('.events tbody'), 'sleeps until');
});

test('what was undone, what could not be and what that held back are told in each view', async () => {
  await (await engine.start(order, undefined, { id: 'undo-1' })).settled();
  const page = await lookAt('undo-1');
  const undo = page.getByRole('region', { name: 'Undo' });
  await says(undo, 'Undo 1 of 3');
  await says(undo, /reserve.*not undone.*charge.*undo failed.*the bank is closed.*pack.*undone \d\d:\d\d/);
  await says(page.locator('.rows.narrow tbody'), 'pack, done↶, undone');
  await select(page, 'Tasks', 'charge');
  await says(page.locator('.why'), 'it could not be undone (Error: the bank is closed)');
  await says(page.getByRole('region', { name: 'Undo' }).locator('.error'), 'Error: the bank is closed');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByLabel('Kind').selectOption('undo');
  await says(page.locator('.events tbody'), 'to be undone: reserve, charge, pack');
  await page.getByRole('link', { name: 'Machines', exact: true }).click();
  await says(
    page.getByRole('region', { name: 'Orchestrator of the run' }).locator('table'),
    'run.compensate',
  );
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Open the run that undoes' }).click();
  await says(page.locator('section.head'), 'undoesundo-1');
  assert.is(await page.getByRole('button', { name: 'Rerun' }).count(), 0);
  await says(page.getByRole('region', { name: 'Root failures' }), 'the bank is closed');
});

test('a run that is being undone says so, takes no command, and its undo is seen to go on', async () => {
  let release: () => void = () => {};
  const slow = createFlow('slow')
    .task('reserve', {
      perform: () => 1,
      compensate: () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    })
    .task('ship', {
      dependsOn: ['reserve'],
      perform: () => {
        throw new Error('no van');
      },
    });
  const run = await engine.start(slow, undefined, { id: 'undo-3' });
  const page = await lookAt('undo-3');
  await says(page.locator('section.head > .status'), 'compensating');
  await says(page.getByRole('region', { name: 'Undo' }), 'Undo 0 of 1reserve … to be undone');
  assert.is(await page.getByRole('button', { name: /Cancel|Pause|Rerun/ }).count(), 0);
  await page.getByRole('link', { name: 'Time', exact: true }).click();
  // The attempt to undo goes on, so its bar grows: all of the run's own have ended.
  await findColour(page, '.time canvas', '#0072b2');
  await page.getByRole('link', { name: 'Machines', exact: true }).click();
  await says(
    page.getByRole('region', { name: 'Orchestrator of the run' }).locator('.state.now'),
    'compensating',
  );
  const list = await opened.page();
  await list.goto(inspector.url);
  await list.getByRole('button', { name: /1 compensating/ }).click();
  await until('it alone is listed', list, async () => {
    return (await texts(list.locator('.runs tbody td.mono'))).join() === 'undo-3';
  });
  release();
  await run.settled();
  await says(page.locator('section.head > .status'), 'failed');
  await says(page.getByRole('region', { name: 'Undo' }), 'Undo 1 of 1');
});

test('an exported file has the run that undoes', async () => {
  await (await engine.start(order, undefined, { id: 'undo-2' })).settled();
  const page = await lookAt('undo-2');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Export' }).click(),
  ]);
  const path = join(folder, 'undo-2.html');
  await download.saveAs(path);
  const file = await opened.page();
  await file.goto(pathToFileURL(path).href);
  await says(file.getByRole('region', { name: 'Undo' }), 'Undo 1 of 3');
  await file.getByRole('link', { name: 'Open the run that undoes' }).click();
  await says(file.getByRole('region', { name: 'Root failures' }), 'the bank is closed');
});

for (const scheme of ['light', 'dark'])
  for (const width of [1_280, 420])
    test(`axe finds nothing serious, and nothing is too wide: ${scheme}, ${width} px`, async () => {
      const wait = `wait-${scheme}-${width}`;
      await engine.start(approval, undefined, { id: wait });
      await (await engine.start(order, undefined, { id: `undo-${scheme}-${width}` })).settled();
      for (const [id, task] of [
        [wait, 'approval'],
        [`undo-${scheme}-${width}`, 'charge'],
      ] as const) {
        const page = await lookAt(id, { scheme, width });
        for (const view of ['Graph', 'Time', 'Tasks', 'Events']) {
          await page.getByRole('link', { name: view, exact: true }).click();
          await page.locator('.rows').first().waitFor();
          if (view === 'Tasks') await page.locator('.rows .name', { hasText: task }).click();
          if (process.env.TOPPLE_PICTURES !== undefined)
            await page.screenshot({ path: join(process.env.TOPPLE_PICTURES, `${id}-${view}.png`) });
          assert.equal(await findings(page), []);
          const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
          assert.ok(wide <= width, `${view} of ${id} is ${wide} px wide in ${width}`);
        }
      }
    });
