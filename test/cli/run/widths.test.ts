import { createFlowFromGraph, type Entry } from 'topple';
import * as assert from 'uvu/assert';
import { planLines } from '../../../src/cli/run/plan.ts';
import { drawFrame } from '../../../src/cli/show/frame.ts';
import { keptLines } from '../../../src/cli/show/happening.ts';
import { drawSummary } from '../../../src/cli/show/summary.ts';
import { layOut } from '../../../src/cli/terminal/line.ts';
import { noColours as paint } from '../../../src/cli/terminal/paint.ts';
import { widthOf } from '../../../src/cli/terminal/text.ts';
import { spec } from '../../spec.ts';
import { progressAt } from '../../support/progress.ts';

const test = spec('what topple run shows, at all widths');

const end = Number.POSITIVE_INFINITY;
const region = (n: number) => `download-production-customers-eu-west-${n}`;
const message = 'the database took no connection';

const tasks = [
  { id: region(1), durationMs: 200 },
  { id: region(2), durationMs: 9_000 },
  {
    id: 'transform-customers-one',
    dependsOn: [region(1)],
    durationMs: 300,
    fails: 'always',
    retry: { maxAttempts: 3, backoff: 100 },
    error: message,
  },
  { id: 'transform-customers-two', dependsOn: [region(1)], fails: 'always', error: message },
  { id: 'upload', dependsOn: ['transform-customers-one'] },
  { id: 'sms', skips: true },
  { id: 'log-sms', dependsOn: ['sms'] },
  { id: '日本語のタスク日本語のタスク日本語のタスク一', durationMs: 2_500, dependsOn: [region(1)] },
  { id: '日本語のタスク日本語のタスク日本語のタスク二', durationMs: 2_500, dependsOn: [region(1)] },
] as const;

const views: Readonly<Record<string, (columns: number) => Promise<readonly string[]>>> = {
  summary: async (columns) => {
    const progress = await progressAt(end, tasks, { name: 'nightly' });
    return drawSummary(progress, { columns, paint, maxLines: 20 });
  },
  picture: async (columns) =>
    drawFrame(await progressAt(450, tasks, { name: 'nightly' }), { now: 450, columns, rows: 24, paint }),
  kept: async (columns) => {
    const progress = await progressAt(0, tasks);
    const entry = {
      type: 'task.retrying',
      at: 1_500,
      attempt: 1,
      retryAt: 2_000,
      seq: 1,
      runId: 'r',
    } as const;
    const error = { name: 'Error', message };
    return [region(1), region(2)].flatMap((taskId) =>
      keptLines(progress, { ...entry, taskId, error } satisfies Entry, paint, columns),
    );
  },
  plan: async (columns) => {
    const plain = tasks.map((task) => ({
      id: task.id,
      dependsOn: 'dependsOn' in task ? task.dependsOn : [],
    }));
    const { definition } = createFlowFromGraph({ name: 'nightly', tasks: plain }, () => {});
    return planLines(definition, new Map([['sms', 'left out by --skip']]), 4, columns - 1).map((pieces) =>
      layOut(pieces, columns - 1, paint),
    );
  },
};

/** How ids end that a view has. */
const endings: Readonly<Record<string, readonly string[]>> = {
  summary: ['-1', '-2', '一', '二'],
  picture: ['-2', 'one', '一', '二'],
  kept: ['-1', '-2'],
  plan: ['-1', '-2', 'one', 'two', '一', '二'],
};

const wordsOf = (lines: readonly string[]) => lines.flatMap((line) => line.split(/[\s:,`]+/));

for (const [name, show] of Object.entries(views)) {
  for (const columns of [20, 40, 80, 200]) {
    test(`the ${name} keeps within ${columns} columns, and the ends of ids`, async () => {
      const lines = await show(columns);
      for (const line of lines) assert.ok(widthOf(line) < columns, line);
      const words = wordsOf(lines);
      const missing = endings[name]?.filter((ending) => !words.some((word) => word.endsWith(ending)));
      assert.equal(missing, [], lines.join('\n'));
    });
  }

  test(`the ${name} breaks no word on a narrow terminal`, async () => {
    const known = new Set([...wordsOf(await show(10_000)), 'path', 'Not', 'Slowest']);
    for (const columns of [20, 40, 80]) {
      const unknown = wordsOf(await show(columns)).filter((word) => !known.has(word) && !word.includes('…'));
      assert.equal(
        unknown.filter((word) => /\p{L}{2}/u.test(word)),
        [],
        `at ${columns} columns`,
      );
    }
  });
}

test('the last line has the reason of a failure, in the columns that there are', async () => {
  const last = async (columns?: number) => {
    const progress = await progressAt(end, tasks, { name: 'nightly-import-of-customers' });
    return drawSummary(progress, { columns, paint, maxLines: 20 }).at(-1);
  };
  assert.is(
    await last(),
    '✘ nightly-import-of-customers failed after 9.0 s: transform-customers-two: the database took no connection',
  );
  assert.is(await last(80), '✘ failed after 9.0 s: transform…omers-two: the database took no connection');
  assert.is(await last(40), '✘ failed: tran…-two: the database took…');
  assert.is(await last(20), '✘ tran…-two: the d…');
});

test('the last line says by whom a run was cancelled, and what was not finished in time', async () => {
  const last = async (...args: Parameters<typeof progressAt>) =>
    drawSummary(await progressAt(...args), { paint, maxLines: 20 }).at(-1);
  const slow = ['a', 'b\u001b[2J', 'c', 'd'].map((id) => ({ id, durationMs: 9_000 }));
  const limit = { totalTimeoutMs: 1_000 };
  assert.is(
    await last(end, slow.slice(0, 2), limit),
    '✘ demo failed after 1.0 s: timed out while a and b\\u001b[2J were running',
  );
  assert.is(
    await last(end, slow, limit),
    '✘ demo failed after 1.0 s: timed out while a, b\\u001b[2J and 2 more were running',
  );
  const progress = await progressAt(500, slow);
  progress.apply({
    type: 'run.cancelling',
    cause: 'cancelled',
    reason: 'not\nneeded',
    at: 600,
    seq: 90,
    runId: 'r',
  });
  progress.apply({ type: 'run.cancelled', at: 700, seq: 91, runId: 'r' });
  assert.is(
    drawSummary(progress, { paint, maxLines: 20 }).at(-1),
    '■ demo was cancelled after 700 ms: not\\nneeded',
  );
});
