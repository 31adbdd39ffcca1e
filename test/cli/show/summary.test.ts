import type { TriggerRule } from 'topple';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../../src/cli/show/reasons.ts';
import { drawSummary } from '../../../src/cli/show/summary.ts';
import { noColours } from '../../../src/cli/terminal/paint.ts';
import { spec } from '../../spec.ts';
import { progressAt } from '../../support/progress.ts';

const test = spec('summary of a run');

const end = Number.POSITIVE_INFINITY;
const sheet = { paint: noColours, maxLines: 20 };

const shop = [
  { id: 'stock', durationMs: 200 },
  {
    id: 'pay',
    dependsOn: ['stock'],
    durationMs: 300,
    fails: 'always',
    retry: { maxAttempts: 3, backoff: 100 },
    error: 'no network',
  },
  { id: 'receipt', dependsOn: ['pay'] },
  { id: 'post', dependsOn: ['receipt'] },
  { id: 'sms', skips: true },
  { id: 'log-sms', dependsOn: ['sms'] },
  { id: 'ad', fails: 'always', optional: true, error: 'busy' },
  { id: 'pack', dependsOn: ['stock'], durationMs: 2_500 },
] as const;

test('says what failed, what that brought down, where the time went and how it ended', async () => {
  const progress = await progressAt(end, shop, { name: 'shop', concurrency: 1 });
  assert.equal(drawSummary(progress, { ...sheet, columns: 80 }), [
    '',
    'Failed, or did not run',
    '  ✘ pay      failed after 3 attempts: no network',
    '  ⊘ `receipt` and `post` did not run: `pay` failed',
    '  ✘ ad       failed: busy (optional)',
    '  – sms      skipped: nothing to do',
    '  – log-sms  skipped because `sms` was skipped: nothing to do',
    '',
    'Slowest tasks   running   waiting for slots   between attempts',
    '  ✔ pack          2.5 s              300 ms                  –',
    '  ✘ pay          900 ms               2.4 s             200 ms',
    '  ✔ stock        200 ms                   –                  –',
    '',
    'Critical path  stock 200 ms → pay 3.5 s',
    'All tasks      ran 3.6 s, waited 3.1 s for slots, waited 200 ms between',
    '               attempts',
    '',
    '✔ 2 done   ✘ 2 failed   ⊘ 2 upstream_failed   – 2 skipped',
    '✘ shop failed after 3.7 s: pay: no network',
  ]);
});

test('is short where all went well and at once', async () => {
  const progress = await progressAt(end, [{ id: 'a' }, { id: 'b', dependsOn: ['a'] }]);
  assert.equal(drawSummary(progress, sheet), ['', '✔ 2 done', '✔ demo is done after 0 ms']);
});

test('knows a flow without tasks', async () => {
  const progress = await progressAt(end, []);
  assert.equal(drawSummary(progress, sheet), ['', 'no tasks', '✔ demo is done after 0 ms']);
});

test('names some of many tasks that did not run because of one, and counts the rest', async () => {
  const tasks = [
    ...Array.from({ length: 1_007 }, (_, i) => ({ id: `t${i}`, dependsOn: ['root'] })),
    { id: 'root', fails: 'always' as const },
  ];
  const lines = drawSummary(await progressAt(end, tasks), sheet);
  assert.equal(lines.slice(1, 4), [
    'Failed, or did not run',
    '  ✘ root  failed: root broke',
    '  ⊘ `t0`, `t1`, `t2`, `t3`, `t4` and 1,002 more did not run: `root` failed',
  ]);
});

test('counts what would be too long a list, each failure before what it brought down', async () => {
  const tasks = [
    { id: 'late', dependsOn: ['lost'] },
    { id: 'ad', fails: 'always' as const, optional: true },
    ...Array.from({ length: 7 }, (_, i) => ({ id: `t${i}`, fails: 'always' as const })),
    { id: 'lost', dependsOn: ['t1'] },
  ];
  const lines = drawSummary(await progressAt(end, tasks), { ...sheet, maxLines: 3 });
  assert.equal(lines.slice(1, 6), [
    'Failed, or did not run',
    '  ✘ t0  failed: t0 broke',
    '  ✘ t1  failed: t1 broke',
    '  ⊘ `late` and `lost` did not run: `t1` failed',
    '  … and 6 more',
  ]);
});

test('says that a run failed since what is not optional could not run behind what is', async () => {
  const progress = await progressAt(end, [
    { id: 'ad', fails: 'always', optional: true },
    { id: 'fetch', fails: 'always', optional: true, error: 'no network', durationMs: 5 },
    { id: 'chart', dependsOn: ['fetch'], optional: true },
    { id: 'render', dependsOn: ['chart'] },
    { id: 'send', dependsOn: ['render'] },
    { id: 'tidy', dependsOn: ['send'], triggerRule: 'all_settled' },
  ]);
  assert.equal(drawSummary(progress, sheet), [
    '',
    'Failed, or did not run',
    '  ✘ fetch  failed: no network (optional)',
    '  ⊘ `render`, `send` and `chart` did not run: `fetch` failed',
    '  ✘ ad     failed: ad broke (optional)',
    '',
    '✔ 1 done   ✘ 2 failed   ⊘ 3 upstream_failed',
    '✘ demo failed after 5 ms: fetch: no network, so render did not run',
  ]);
});

test('puts an optional failure before others if it alone would have kept a required task from running', async () => {
  const progress = await progressAt(end, [
    { id: 'log', fails: 'always', optional: true, durationMs: 1 },
    { id: 'ad', fails: 'always', optional: true },
    { id: 'fetch', fails: 'always', optional: true, durationMs: 5 },
    { id: 'render', dependsOn: ['fetch', 'ad'] },
  ]);
  assert.equal(drawSummary(progress, sheet).slice(1, 6), [
    'Failed, or did not run',
    '  ✘ ad     failed: ad broke (optional)',
    '  ⊘ `render` did not run: `ad` failed',
    '  ✘ fetch  failed: fetch broke (optional)',
    '  ✘ log    failed: log broke (optional)',
  ]);
});

test('finds the root of each task of a long chain in no time to speak of', async () => {
  const tasks = Array.from({ length: 20_000 }, (_, i) => ({
    id: `t${i}`,
    dependsOn: i === 0 ? [] : [`t${i - 1}`],
    ...(i === 0 ? { fails: 'always' as const } : {}),
  }));
  const progress = await progressAt(end, tasks);
  let asked = 0;
  const { task } = progress;
  progress.task = (id) => {
    asked++;
    return task.call(progress, id);
  };
  const lines = drawSummary(progress, sheet);
  assert.is(lines[3], '  ⊘ `t1`, `t2`, `t3`, `t4`, `t5` and 19,994 more did not run: `t0` failed');
  assert.ok(asked < 100_000, `${asked} look-ups`);
});

test('goes on in the next line, under itself, on a narrow terminal', async () => {
  const progress = await progressAt(end, shop.slice(0, 4), { name: 'shop' });
  assert.equal(drawSummary(progress, { ...sheet, columns: 40 }).slice(1, 6), [
    'Failed, or did not run',
    '  ✘ pay  failed after 3 attempts: no',
    '         network',
    '  ⊘ `receipt` and `post` did not run:',
    '    `pay` failed',
  ]);
});

/** What is said of `x`, which has this rule, and depends on tasks that end so. */
async function reasonWith(
  triggerRule: TriggerRule,
  ...endings: ('done' | 'failed' | 'skipped')[]
): Promise<string> {
  const dependencies = endings.map((ending, i) => ({
    id: `d${i}`,
    durationMs: i + 1,
    ...(ending === 'failed' ? { fails: 'always' as const } : {}),
    ...(ending === 'skipped' ? { skips: true } : {}),
  }));
  const progress = await progressAt(end, [
    ...dependencies,
    { id: 'x', triggerRule, dependsOn: dependencies.map(({ id }) => id) },
  ]);
  return reasonOf(progress, progress.task('x'));
}

test('says under each trigger rule why a task did not run', async () => {
  assert.equal(
    await Promise.all([
      reasonWith('all_success', 'done', 'failed'),
      reasonWith('all_success', 'skipped', 'done'),
      reasonWith('all_failed', 'failed', 'done'),
      reasonWith('all_settled_min_one_success', 'failed', 'failed'),
      reasonWith('all_skipped', 'skipped', 'failed'),
      reasonWith('one_failed', 'done', 'skipped'),
      reasonWith('one_success', 'failed', 'skipped'),
      reasonWith('one_success', 'skipped', 'skipped'),
      reasonWith('one_settled', 'skipped', 'skipped'),
      reasonWith('none_failed', 'failed', 'done'),
      reasonWith('none_skipped', 'skipped', 'done'),
    ]),
    [
      'upstream_failed because `d1` failed: d1 broke',
      'skipped because `d0` was skipped: nothing to do',
      'skipped because `d1` is done (all_failed)',
      'upstream_failed because `d1` failed: d1 broke',
      'skipped because `d1` failed: d1 broke (all_skipped)',
      'skipped because no dependency failed (one_failed)',
      'upstream_failed because `d0` failed: d0 broke',
      'skipped because `d1` was skipped: nothing to do (one_success)',
      'skipped because no dependency is done or failed itself (one_settled)',
      'upstream_failed because `d0` failed: d0 broke',
      'skipped because `d0` was skipped: nothing to do (none_skipped)',
    ],
  );
});

test('shows errors and ids that would play with the terminal as they are', async () => {
  const progress = await progressAt(end, [
    { id: 'a\u001b[2J', fails: 'always', error: 'line one\nline two\u0007' },
  ]);
  assert.is(drawSummary(progress, sheet)[2], '  ✘ a\\u001b[2J  failed: line one\\nline two\\u0007');
});

test('says that a run timed out, and which of its tasks that met', async () => {
  const progress = await progressAt(
    end,
    [
      { id: 'slow', durationMs: 9_000 },
      { id: 'next', dependsOn: ['slow'] },
    ],
    { totalTimeoutMs: 1_000 },
  );
  const lines = drawSummary(progress, sheet);
  assert.equal(lines.slice(1, 4), [
    'Failed, or did not run',
    '  ■ slow  cancelled in attempt 1: the run timed out after 1.0 s',
    '  ■ next  cancelled: the run timed out after 1.0 s',
  ]);
  assert.is(lines.at(-1), '✘ demo failed after 1.0 s: timed out while slow was running');
});

test('follows the path that took the time through tasks that only passed a failure on', async () => {
  const lines = drawSummary(
    await progressAt(end, [
      { id: 'early', durationMs: 50 },
      { id: 'sign', dependsOn: ['early'], durationMs: 400, fails: 'always' },
      { id: 'slow', durationMs: 480 },
      { id: 'ship', dependsOn: ['sign', 'slow'] },
      { id: 'tidy', dependsOn: ['ship'], triggerRule: 'all_settled', durationMs: 100 },
    ]),
    sheet,
  );
  assert.is(
    lines.find((line) => line.startsWith('Critical')),
    'Critical path  early 50 ms → sign 400 ms → tidy 100 ms',
  );
});

test('shortens a long path in its middle', async () => {
  const ids = Array.from({ length: 30 }, (_, i) => `t${i}`);
  const tasks = ids.map((id, i) => ({ id, durationMs: 10, dependsOn: ids.slice(Math.max(i - 1, 0), i) }));
  const lines = drawSummary(await progressAt(end, tasks), sheet);
  assert.is(
    lines.find((line) => line.startsWith('Critical')),
    'Critical path  t0 10 ms → t1 10 ms → t2 10 ms → t3 10 ms → … 22 more → t26 10 ms → t27 10 ms → t28 10 ms → t29 10 ms',
  );
});
