import type { Entry } from 'topple';
import * as assert from 'uvu/assert';
import { keptLines, logLine } from '../../../src/cli/show/happening.ts';
import { noColours } from '../../../src/cli/terminal/paint.ts';
import { widthOf } from '../../../src/cli/terminal/text.ts';
import { spec } from '../../spec.ts';
import { progressAt } from '../../support/progress.ts';

const test = spec('events in lines');

const stamp = { seq: 1, runId: 'r' };
const error = { name: 'Error', message: 'greylisted,\ntry again later' };
const retrying: Entry = {
  ...stamp,
  type: 'task.retrying',
  taskId: 'mail',
  at: 1_500,
  attempt: 1,
  retryAt: 3_500,
  error,
};

const mail = () => progressAt(0, [{ id: 'mail', durationMs: 9_000, retry: { maxAttempts: 3 } }]);

test('keep failures and retries, each in a line', async () => {
  const progress = await mail();
  assert.equal(keptLines(progress, retrying, noColours, 100), [
    '     1.5 s  ↻ mail  attempt 1 of 3 failed, next in 2.0 s: greylisted,\\ntry again later',
  ]);
  const failed: Entry = {
    ...stamp,
    type: 'task.failed',
    taskId: 'mail',
    at: 4_000,
    attempt: 2,
    error,
    cause: 'fatal',
  };
  progress.apply({ ...stamp, type: 'task.started', taskId: 'mail', at: 3_500, attempt: 2 });
  progress.apply(failed);
  assert.equal(keptLines(progress, failed, noColours, 100), [
    '     4.0 s  ✘ mail  failed after 2 attempts: greylisted,\\ntry again later',
  ]);
});

test('go below the instant on a narrow terminal, where few letters would be left beside it', async () => {
  assert.equal(keptLines(await mail(), retrying, noColours, 20), [
    '     1.5 s  ↻ mail',
    '  attempt 1 of 3',
    '  failed, next in',
    '  2.0 s:',
    '  greylisted,\\ntry',
    '  again later',
  ]);
});

test('keep nothing of all else', async () => {
  const progress = await mail();
  const others: Entry[] = [
    { ...stamp, type: 'task.ready', taskId: 'mail', at: 0 },
    { ...stamp, type: 'task.done', taskId: 'mail', at: 0, attempt: 1, output: 1 },
    { ...stamp, type: 'run.cancelling', at: 0, cause: 'cancelled' },
    { ...stamp, type: 'run.done', at: 0, output: 1 },
  ];
  assert.equal(
    others.flatMap((entry) => keptLines(progress, entry, noColours, 80)),
    [],
  );
});

test('say that the run timed out', async () => {
  const entry: Entry = { ...stamp, type: 'run.cancelling', at: 2_000, cause: 'timeout' };
  assert.equal(keptLines(await mail(), entry, noColours, 80), ['     2.0 s  ✘ demo  timed out']);
});

test('go on under themselves on a narrow terminal', async () => {
  assert.equal(keptLines(await mail(), retrying, noColours, 43), [
    '     1.5 s  ↻ mail  attempt 1 of 3 failed,',
    '              next in 2.0 s:',
    '              greylisted,\\ntry again later',
  ]);
  const id = '日本語'.repeat(100);
  const progress = await progressAt(0, [{ id, retry: { maxAttempts: 2 }, durationMs: 9_000 }]);
  const lines = keptLines(progress, { ...retrying, taskId: id }, noColours, 40);
  assert.is(lines[0], '     1.5 s  ↻ 日本語日本語…日本語日本語');
  for (const line of lines) assert.ok(widthOf(line) < 40, line);
});

test('of a log begin with the instant and the type', async () => {
  const progress = await mail();
  const line = (entry: object) => logLine(progress, { ...stamp, at: 0, ...entry } as Entry);
  assert.equal(
    [
      line({ type: 'run.started', flow: 'demo' }),
      line({ type: 'task.started', taskId: 'mail', attempt: 1 }),
      line({ type: 'task.started', taskId: 'mail', attempt: 2 }),
      line({ type: 'task.progress', taskId: 'mail', attempt: 1, fraction: 0.999, note: 'so\nfar' }),
      line({ type: 'run.cancelling', cause: 'cancelled', reason: { by: 'ada' } }),
      line({ type: 'run.failed' }),
    ],
    [
      '1970-01-01T00:00:00.000Z run.started demo',
      '1970-01-01T00:00:00.000Z task.started mail',
      '1970-01-01T00:00:00.000Z task.started mail attempt 2 of 3',
      '1970-01-01T00:00:00.000Z task.progress mail 99% so\\nfar',
      '1970-01-01T00:00:00.000Z run.cancelling {"by":"ada"}',
      '1970-01-01T00:00:00.000Z run.failed',
    ],
  );
});
