import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import type { Grid } from '../../src/inspector/protocol.ts';
import { spec } from '../spec.ts';
import { Opened, says, texts, until } from './opened.ts';
import { build200, fakeRun, signUp } from './worlds.ts';

const test = spec('looks and keys in a browser');
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

let opened: Opened;
test.before(async () => {
  opened = await Opened.start();
  const { server } = opened;
  const live = await fakeRun('live', 'sign-up', signUp, { untilMs: 1_000, commands: ['pause', 'cancel'] });
  server.now = live.now;
  server.runs.push(
    (await fakeRun('small', 'sign-up', signUp)).run,
    (await fakeRun('build', 'build', build200(), { concurrency: 8, pools: { cpu: 4 } })).run,
    live.run,
  );
  server.grid = {
    flow: 'sign-up',
    tasks: ['account'],
    runs: [{ run: server.runs[0]?.structure.run as never, cells: [['done', 2, 10]] }],
  } satisfies Grid;
});
test.after.each(() => opened.closePages());
test.after(() => opened.close());

const places = [
  '#/runs',
  '#/grid/sign-up',
  '#/compare/here/small/here/live',
  '#/run/here/live',
  '#/run/here/small?task=welcome-mail',
  '#/run/here/small?task=contract&view=time',
  '#/run/here/build?view=tasks&status=failed',
  '#/run/here/small?view=events&seq=12',
  '#/run/here/small?view=machines&task=welcome-mail',
];

/** What axe finds that is serious. */
async function findings(page: Page): Promise<string[]> {
  // The page's policy lets no script in: the debugger's evaluation is no part of the page.
  await page.evaluate(axe);
  return page.evaluate<string[]>(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 4).map(({ html, any }) => html.slice(0, 160) + ' – ' + (any[0]?.message ?? '')).join(' | ')))`);
}

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1_280, 420]) {
    test(`axe finds nothing serious, ${scheme} and ${width} px wide`, async () => {
      const found: string[] = [];
      const page = await opened.page({ scheme, width });
      for (const place of places) {
        await page.goto('about:blank');
        await page.goto(`${opened.base}${place}`);
        await page.locator('.rows, .chart').first().waitFor();
        found.push(...(await findings(page)).map((text) => `${place} ${text}`));
      }
      assert.equal(found, []);
    });
  }
}

test('nothing is wider than a phone, and nothing is wider at 200 %', async () => {
  for (const width of [420, 640]) {
    const page = await opened.page({ width });
    for (const place of places) {
      await page.goto('about:blank');
      await page.goto(`${opened.base}${place}`);
      await page.locator('.rows, .chart').first().waitFor();
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(wide <= width, `${place} is ${wide} px wide in ${width}`);
    }
  }
});

test('a run is looked through by keys alone', async () => {
  const page = await opened.look('#/runs');
  await page.locator('.runs tbody tr').first().waitFor();
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate<boolean>(`document.activeElement.matches('.runs tbody tr:nth-child(3) th a')`))
      break;
  }
  await page.keyboard.press('Enter');
  await says(page.locator('h1'), 'sign-up');
  const shown = async (view: string) => says(page.locator('.tabs [aria-current=page]'), view);
  for (const [index, view] of ['Graph', 'Time', 'Tasks', 'Events', 'Machines'].entries()) {
    await page.keyboard.press(String(index + 1));
    await shown(view);
  }
  await page.keyboard.press('3');
  await page.locator('.rows .task').first().focus();
  await page.keyboard.press('ArrowDown');
  await says(page.locator('.panel h2'), 'welcome-mail');
  await until('focus goes along', page, () =>
    page.evaluate<boolean>(`document.activeElement.textContent.includes('welcome-mail')`),
  );
  await page.keyboard.press('Escape');
  await says(page.locator('.panel h2'), 'The run');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press(',');
  await says(page.locator('.live'), 'in the past');
});

test('a real table stands beside each canvas, with all tasks and their statuses', async () => {
  const page = await opened.look('#/run/here/small');
  for (const view of ['Graph', 'Time']) {
    await page.getByRole('link', { name: view, exact: true }).click();
    const table = page.getByRole('table', { name: 'Tasks' });
    assert.equal(await texts(table.getByRole('rowheader')), [
      '✓account, done',
      ...(view === 'Graph'
        ? ['✓welcome-mail, done×3', '↷newsletter, skipped', '✗credit-check, failed×2']
        : ['✓welcome-mail, done×3', '↷newsletter, skipped', '✗credit-check, failed×2']),
      '⊘contract, upstream failed',
      '✓audit, done',
    ]);
  }
});
