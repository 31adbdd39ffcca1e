import * as assert from 'uvu/assert';
import type { LogLine } from '../../src/inspector/protocol.ts';
import { type EntryRow, unpackedRows } from '../../src/inspector/rows.ts';
import { spec } from '../spec.ts';
import { Opened, says, texts, until } from './opened.ts';
import { fakeRun, signUp, startAt } from './worlds.ts';

const test = spec('why, attempts and values in a browser');

const megabytes = 10;
const longList = Array.from({ length: 40_000 }, (_, index) => ({
  index,
  name: `item ${index}`,
  text: 'x'.repeat(200),
}));
const longText = 'abcdefghij'.repeat(megabytes * 100_000);

let opened: Opened;
test.before(async () => {
  opened = await Opened.start();
  const { server } = opened;
  const small = (await fakeRun('small', 'sign-up', signUp)).run;
  const logs: LogLine[] = [
    { n: 1, at: startAt + 400, taskId: 'welcome-mail', attempt: 1, message: 'connecting to the mail server' },
    { n: 2, at: startAt + 1_600, taskId: 'welcome-mail', attempt: 2, message: 'second try' },
  ];
  const live = await fakeRun('live', 'sign-up', signUp, { untilMs: 800 });
  const pooled = await fakeRun(
    'pooled',
    'pooled',
    {
      a: { durationMs: 500, pool: 'db' },
      b: { pool: 'db' },
      c: { dependsOn: ['a', 'b'], triggerRule: 'one_success' },
    },
    { pools: { db: 1 }, untilMs: 100 },
  );
  const big = (await fakeRun('big', 'big', { list: {}, text: {}, kinds: {} })).run;
  const seqOf = (task: number): number => {
    const [line] = big.feed;
    if (line === undefined || !('entries' in line)) return 0;
    const { rows, from } = line.entries;
    return from + unpackedRows(rows).findIndex((row) => row[0] === 2 && row[2] === task);
  };
  const [line] = big.feed;
  const outputs = [
    { $value: { kind: 'array', size: 40_000, bytes: megabytes * 1_000_000 } },
    { $value: { kind: 'string', text: 'abcdefghij', size: longText.length, bytes: longText.length } },
    {
      when: { $value: { kind: 'date', text: '2026-11-24T09:30:00.000Z' } },
      big: { $value: { kind: 'bigint', text: '12n' } },
      none: { $value: { kind: 'undefined' } },
      map: { $value: { kind: 'map', size: 1, fields: [['a', 1]] } },
      html: '<img src=x onerror=alert(1)>',
    },
  ];
  if (line !== undefined && 'entries' in line) {
    const rows = unpackedRows(line.entries.rows).map((row): EntryRow => {
      return row[0] === 2 ? [2, row[1], row[2], row[3], outputs[row[2] as number]] : row;
    });
    big.feed = [{ entries: { ...line.entries, rows } }, ...big.feed.slice(1)];
  }
  big.values = { [`${seqOf(0)}:/output`]: longList, [`${seqOf(1)}:/output`]: longText };
  for (const [index, value] of longList.slice(0, 300).entries())
    big.values[`${seqOf(0)}:/output/${index}`] = value;
  server.now = live.now;
  server.runs.push({ ...small, feed: [...small.feed, { logs, dropped: 3 }] }, live.run, pooled.run, big);
});
test.after.each(() => opened.closePages());
test.after(() => opened.close());

test('root failures come first, with what they brought down folded under them', async () => {
  const page = await opened.look('#/run/here/small');
  const failures = page.getByRole('region', { name: 'Root failures' });
  await says(failures, 'Failed by themselves 1');
  await says(failures, 'Error: credit-check fails');
  assert.not.ok(await failures.getByRole('button', { name: 'contract' }).isVisible());
  await failures.getByText('brought down 1 task').click();
  await failures.getByRole('button', { name: 'contract' }).click();
  await says(
    page.locator('.why'),
    'upstream failed: because of credit-check, which failed (credit-check fails)',
  );
  await page.locator('.why').getByRole('button', { name: 'credit-check' }).click();
  await says(page.locator('.panel h2'), 'credit-check');
});

test('one sentence says why a task waits, and the rule is shown with its inputs', async () => {
  const page = await opened.look('#/run/here/live?task=contract');
  await says(
    page.locator('.why'),
    /^○ pending: waits for welcome-mail, which retries in .* and credit-check, which runs attempt 1 of 2$/,
  );
  const rule = page.getByRole('region', { name: 'Rule' });
  await says(rule, 'Rule all_success waits');
  assert.equal(await texts(rule.locator('li')), ['▶credit-checkrunning', '↻welcome-mailretrying']);
  const other = await opened.look('#/run/here/pooled?task=b');
  await says(other.locator('.why'), 'pool `db` has 1 slot, held by a');
  await other.getByRole('button', { name: 'c', exact: true }).first().click();
  await says(other.getByRole('region', { name: 'Rule' }), 'one done dependency is enough.');
});

test('every attempt has its error, stack, progress and logs', async () => {
  const page = await opened.look('#/run/here/small?task=welcome-mail');
  const attempts = page.locator('.attempts > li');
  await until('three attempts', page, async () => (await attempts.count()) === 3);
  const first = attempts.first();
  await first.locator('summary').first().click();
  await says(first.locator('.error'), 'Error: welcome-mail fails');
  await first.getByText('Stack').click();
  await says(first.locator('pre'), /Error: welcome-mail fails at /);
  await says(first.locator('.progress'), '50 % at 0.5');
  await says(first.locator('.logs'), 'connecting to the mail server');
  assert.not.match((await first.textContent()) ?? '', 'second try');
  await says(page.locator('.banner'), '3 lines of logs were dropped');
});

test('a list of 10 MB is fetched and shown level by level', async () => {
  const page = await opened.look('#/run/here/big?task=list');
  const output = page.getByRole('region', { name: 'Output' });
  await says(output, '10.0 MB as JSON');
  await output.getByRole('button', { name: '[40000]' }).click();
  await until('a hundred are there', page, async () => (await output.locator('li li').count()) === 101);
  await output.getByRole('button', { name: /Show more/ }).click();
  await until('two hundred', page, async () => (await output.locator('li li').count()) === 201);
  await output.getByRole('button', { name: '150:' }).click();
  await says(output, 'name: "item 150"');
});

test('a text of 10 MB is shown part by part', async () => {
  const page = await opened.look('#/run/here/big?task=text');
  const output = page.getByRole('region', { name: 'Output' });
  await output.getByRole('button', { name: /abcdefghij/ }).click();
  await says(output.locator('pre'), /^(abcdefghij){2000}$/);
  await output.getByRole('button', { name: /Show more/ }).click();
  await says(output.locator('pre'), /^(abcdefghij){4000}$/);
});

test('what JSON lacks is shown as what it is, and markup as text', async () => {
  const page = await opened.look('#/run/here/big?task=kinds');
  const output = page.getByRole('region', { name: 'Output' });
  await says(output, 'when: 2026-11-24T09:30:00.000Z');
  await says(output, 'big: 12n');
  await says(output, 'html: "<img src=x onerror=alert(1)>"');
  await output.getByRole('button', { name: 'map' }).click();
  await says(output, 'a: 1');
  assert.is(await page.locator('img').count(), 0);
});
