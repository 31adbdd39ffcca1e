import * as assert from 'uvu/assert';
import type { Grid } from '../../src/inspector/protocol.ts';
import { spec } from '../spec.ts';
import { Opened, says, texts, until } from './opened.ts';
import { fakeRun, signUp } from './worlds.ts';

const test = spec('runs in a browser');

let opened: Opened;
test.before(async () => {
  opened = await Opened.start();
  const { server } = opened;
  const good = { a: { durationMs: 10 }, b: { dependsOn: ['a'], durationMs: 20 } };
  server.runs.push(
    (await fakeRun('one', 'sign-up', signUp)).run,
    (await fakeRun('two', 'build', good)).run,
    (await fakeRun('three', 'build', { ...good, b: { ...good.b, durationMs: 900, fails: 'always' } })).run,
  );
  const cell = (status: 'done' | 'failed', attempts: number, ms: number) => [status, attempts, ms] as const;
  server.grid = {
    flow: 'build',
    tasks: ['a', 'b'],
    runs: [
      { run: server.runs[2]?.structure.run as never, cells: [cell('done', 1, 10), cell('failed', 1, 900)] },
      { run: server.runs[1]?.structure.run as never, cells: [cell('done', 1, 10), cell('done', 1, 20)] },
    ],
  } satisfies Grid;
});
test.after.each(() => opened.closePages());
test.after(() => opened.close());

test('the list counts by status, filters by it, and its address shows the same again', async () => {
  const page = await opened.look('');
  const rows = page.locator('.runs tbody tr');
  await rows.first().waitFor();
  assert.equal(await texts(rows.locator('td:nth-child(4)')), ['three', 'two', 'one']);
  assert.equal(await texts(page.locator('.chips li')), ['✗2 failed', '✓1 done']);
  await page.getByRole('button', { name: 'failed' }).click();
  await until('two runs are left', page, async () => (await rows.count()) === 2);
  await page.getByLabel('Flow', { exact: true }).selectOption('build');
  await until('one run is left', page, async () => (await rows.count()) === 1);
  await until('the address says so', page, async () => page.url().includes('status=failed&flow=build'));
  const again = await opened.look(new URL(page.url()).hash);
  await again.locator('.runs tbody tr').first().waitFor();
  assert.equal(await texts(again.locator('.runs tbody td:nth-child(4)')), ['three']);
  assert.is(await again.getByRole('button', { name: 'failed' }).getAttribute('aria-pressed'), 'true');
});

test('a new run appears by itself', async () => {
  const page = await opened.look('');
  await page.locator('.runs tbody tr').first().waitFor();
  opened.server.runs.push((await fakeRun('four', 'build', { a: {} })).run);
  await until('the run is there', page, async () => (await page.getByText('four').count()) > 0);
  opened.server.runs.pop();
});

test('two runs are chosen in the list and compared', async () => {
  const page = await opened.look('');
  await page.getByLabel('Compare two').check();
  await page.getByLabel('Compare three').check();
  await page.getByRole('link', { name: 'Compare the two' }).click();
  await says(page.locator('.first'), /first went apart at b/);
  await says(page.locator('.first'), 'failed: Error: b fails');
  const row = page.locator('.compare tbody tr', { hasText: 'status' });
  assert.equal(await texts(row), ['bstatus✓done20 ms✗failed900 ms+880 ms']);
  await page.getByLabel(/only what differs/).check();
  await until('one row is left', page, async () => (await page.locator('.compare tbody tr').count()) === 1);
});

test('the grid shows the flaky and the slow, and leads to the task of a run', async () => {
  const page = await opened.look('#/runs?flow=build');
  await page.getByRole('link', { name: 'Grid of tasks' }).click();
  await says(page.locator('.grid tbody tr').nth(1), 'b50 %20 ms');
  await page.getByLabel('Order', { exact: true }).selectOption('flaky');
  await says(page.locator('.grid tbody tr').first(), 'b50 %');
  assert.is(await page.locator('.grid td.slow').count(), 1);
  await page.getByRole('link', { name: 'failed, 900 ms, slow' }).click();
  await says(page.locator('.panel h2'), 'b');
  await says(page.locator('.why'), 'failed');
});
