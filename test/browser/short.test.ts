import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { chromiumPath } from './chromium.ts';
import { Opened, says, texts } from './opened.ts';
import { fakeRun, signUp } from './worlds.ts';

const test = spec('the page in a browser, in short');

if (chromiumPath === undefined) {
  test.skip();
  console.log('No Chromium is found: the tests of the page in a browser were skipped.');
} else {
  let opened: Opened;
  test.before(async () => {
    opened = await Opened.start();
    const { run, now } = await fakeRun('sign-up-7', 'sign-up', signUp);
    opened.server.runs.push(run);
    opened.server.now = now;
  });
  test.after.each(() => opened.closePages());
  test.after(() => opened.close());

  test('leads from the list to a run, to its failure, and to every view of it', async () => {
    const page = await opened.look('');
    await page.getByRole('link', { name: 'sign-up' }).click();
    await says(page.locator('h1'), 'sign-up');
    await says(page.getByRole('region', { name: 'Root failures' }), 'brought down 1 task');
    await page
      .getByRole('region', { name: 'Root failures' })
      .getByRole('button', { name: 'credit-check' })
      .click();
    await says(page.locator('.why'), 'failed: attempt 2 of 2: Error: credit-check fails');
    for (const view of ['Time', 'Tasks', 'Events', 'Machines', 'Graph']) {
      await page.getByRole('link', { name: view, exact: true }).click();
      await page.locator(`.tabs [aria-current=page]`, { hasText: view }).waitFor();
      await says(page.locator('.panel h2'), 'credit-check');
    }
    assert.equal(await texts(page.locator('.rows.narrow .name')), Object.keys(signUp));
  });
}
