import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { type Opened, says, texts, until } from './opened.ts';
import { openedPlaces, places } from './places.ts';

const test = spec('widths and keys in a browser');

let opened: Opened;
test.before(async () => {
  opened = await openedPlaces();
});
test.after.each(() => opened.closePages());
test.after(() => opened.close());

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

test('a key counts from the moment at which its page is there', async () => {
  const page = await opened.page();
  await page.goto(`${opened.base}#/runs`);
  await page.locator('.runs tbody tr').first().waitFor();
  await page.evaluate(`new MutationObserver((_, observer) => {
    if (document.querySelector('.tabs') === null) return;
    observer.disconnect();
    dispatchEvent(new KeyboardEvent('keydown', { key: '3' }));
  }).observe(document.body, { childList: true, subtree: true })`);
  await page.locator('.runs tbody tr:nth-child(3) th a').click();
  await says(page.locator('.tabs [aria-current=page]'), 'Tasks');
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
