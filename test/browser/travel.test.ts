import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { findColour, Opened, says, texts, until } from './opened.ts';
import { fakeRun, signUp } from './worlds.ts';

const test = spec('machines, events and time travel in a browser');

let opened: Opened;
test.before(async () => {
  opened = await Opened.start();
  opened.server.runs.push((await fakeRun('small', 'sign-up', signUp)).run);
});
test.after.each(() => opened.closePages());
test.after(() => opened.close());

test('both statecharts light the state and the transitions taken', async () => {
  const page = await opened.look('#/run/here/small?task=welcome-mail&view=machines');
  const charts = page.locator('.chart');
  await says(charts.first().locator('.state.now'), 'done');
  assert.equal((await texts(charts.first().locator('.event.taken'))).toSorted(), [
    'attempt.done',
    'attempt.due',
    'attempt.failed [attemptsLeft]',
    'attempt.start',
    'attempt.start',
    'task.ready [else]',
  ]);
  assert.ok((await charts.first().locator('path.taken').count()) >= 12);
  await says(charts.nth(1).locator('.state.now'), 'failed');
  await page.locator('body').press(',');
  await says(charts.nth(1).locator('.state.now'), 'running');
});

test('events are filtered, and each leads to its task and instant', async () => {
  const page = await opened.look('#/run/here/small?view=events');
  const rows = page.locator('.events tbody tr:not([aria-hidden])');
  await rows.first().waitFor();
  await page.getByLabel('Kind', { exact: true }).selectOption('failures');
  await until('five are left', page, async () => (await rows.count()) === 6);
  assert.equal(await texts(rows.locator('th')), [
    '↻task.retrying',
    '↻task.retrying',
    '↻task.retrying',
    '✗task.failed',
    '⊘task.upstream_failed',
    '✗run.failed',
  ]);
  await rows.nth(0).locator('button').click();
  await says(page.locator('.panel h2'), 'welcome-mail');
  await says(page.locator('.why'), 'retrying: attempt 1 failed');
  await says(page.locator('.where'), '+770 ms');
  await says(page.locator('.head .status'), 'running');
  await says(page.locator('.live'), 'in the past');
});

test('the slider takes everything to its instant, and a step goes one event on', async () => {
  const page = await opened.look('#/run/here/small');
  const slider = page.getByRole('slider', { name: 'Event' });
  await slider.fill('0');
  await says(page.locator('.chips'), '6 pending');
  await findColour(page, '.graph canvas', '#e8eaed');
  await page.getByRole('button', { name: 'One event on' }).click();
  await says(page.locator('.where'), 'run.started');
  await slider.fill('3');
  await says(page.locator('.where'), 'task.started account');
  await says(page.locator('.chips'), /5 pending.*1 running/);
  await findColour(page, '.graph canvas', '#0072b2');
  await page.getByRole('link', { name: 'Tasks' }).click();
  await says(page.locator('.rows.wide tbody'), 'accountrunning1');
  await until('the address has it', page, async () => page.url().includes('seq=3'));
  const again = await opened.look(new URL(page.url()).hash);
  await says(again.locator('.where'), 'task.started account');
  await again.getByRole('button', { name: 'End', exact: true }).click();
  await says(again.locator('.head .status'), 'failed');
});

test('play goes from the first event to the last', async () => {
  const page = await opened.look('#/run/here/small');
  await says(page.locator('.head .status'), 'failed');
  await page.locator('body').press(' ');
  await says(page.locator('.head .status'), 'running');
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await until('it goes on', page, async () => Number(await page.getByRole('slider').inputValue()) > 3);
  await page.locator('body').press(' ');
  await page.getByRole('button', { name: 'Play' }).waitFor();
  await page.locator('body').press('l');
  await says(page.locator('.head .status'), 'failed');
});

test('a click on the time axis goes to that instant', async () => {
  const page = await opened.look('#/run/here/small?view=time');
  await findColour(page, '.time canvas', '#d55e00');
  const width = (await page.locator('.time canvas').boundingBox())?.width ?? 0;
  await page.locator('.time canvas').click({ position: { x: 10 + ((width - 20) * 200) / 3_070, y: 10 } });
  await says(page.locator('.where'), 'task.started account');
});
