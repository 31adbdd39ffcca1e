import * as assert from 'uvu/assert';
import { drawFrame } from '../../../src/cli/show/frame.ts';
import type { RunProgress } from '../../../src/cli/show/progress.ts';
import { colours, noColours } from '../../../src/cli/terminal/paint.ts';
import { widthOf } from '../../../src/cli/terminal/text.ts';
import { spec } from '../../spec.ts';
import { progressAt } from '../../support/progress.ts';

const test = spec('live picture of a run');

const draw = (progress: RunProgress, now: number, columns = 80, rows = 24): string[] =>
  drawFrame(progress, { now, columns, rows, paint: noColours });

const release = [
  { id: 'fetch', durationMs: 900 },
  { id: 'build', dependsOn: ['fetch'], durationMs: 3_000, meta: [0.4, 'compiling'] },
  {
    id: 'mail',
    dependsOn: ['fetch'],
    durationMs: 400,
    fails: 1,
    retry: { maxAttempts: 3, backoff: 1_500 },
    error: '421 try\nlater',
  },
  { id: 'lint', dependsOn: ['fetch'], durationMs: 100, fails: 'always', optional: true },
  { id: 'docs', dependsOn: ['lint'] },
  { id: 'test', dependsOn: ['build'], durationMs: 500 },
] as const;

test('shows how far it is, what runs, what tries again and the critical path', async () => {
  const progress = await progressAt(2_000, release, { name: 'release' });
  assert.equal(draw(progress, 2_000), [
    '',
    'release  ━━━━━━━━━━━━────────────  3 of 6  2.0 s',
    '✔ 1 done   ▶ 1 running   ↻ 1 retrying   ✘ 1 failed   ⊘ 1 upstream_failed',
    '',
    '▶ build    1.1 s  ━━━━──────  40%  compiling',
    '↻ mail    800 ms  until attempt 2 of 3  421 try\\nlater',
    '',
    'critical path  ✔ fetch → ▶ build → · test',
  ]);
});

test('has room for everything on a large terminal, and says what there is to come', async () => {
  const [, head, counts] = draw(await progressAt(2_000, release, { name: 'release' }), 2_000, 120);
  assert.is(head, 'release  ━━━━━━━━━━━━────────────  3 of 6  2.0 s');
  assert.is(counts, '✔ 1 done   ▶ 1 running   ↻ 1 retrying   ✘ 1 failed   ⊘ 1 upstream_failed   · 1 to come');
});

test('fits 20 columns', async () => {
  assert.equal(draw(await progressAt(2_000, release, { name: 'release' }), 2_000, 20), [
    '',
    're…e  3 of 6  2.0 s',
    '✔1 ▶1 ↻1 ✘1 ⊘1 ·1',
    '',
    '▶ build    1.1 s',
    '↻ mail    800 ms',
    '',
    'path … ▶ build → …',
  ]);
});

test('makes do with one line where there are hardly any', async () => {
  const progress = await progressAt(2_000, release, { name: 'release' });
  assert.equal(draw(progress, 2_000, 60, 3), ['3 of 6  ✔1 ▶1 ↻1 ✘1 ⊘1 ·1  2.0 s  release']);
  assert.equal(draw(progress, 2_000, 60, 1), []);
});

test('shows what waits for slots, longest first', async () => {
  const tasks = ['a', 'b', 'c'].map((id) => ({ id, durationMs: 1_000 }));
  assert.equal(draw(await progressAt(1_500, tasks, { concurrency: 1 }), 1_500), [
    '',
    'demo  ━━━━━━━━────────────────  1 of 3  1.5 s',
    '✔ 1 done   ▶ 1 running   ◦ 1 waiting for slots',
    '',
    '▶ b   500 ms',
    '◦ c    1.5 s  waits for a slot',
  ]);
});

test('says of a retry that is due that it waits for a slot', async () => {
  const tasks = [
    { id: 'again', durationMs: 100, fails: 1, retry: { maxAttempts: 2, backoff: 100 } },
    { id: 'long', durationMs: 5_000 },
  ];
  const lines = draw(await progressAt(1_000, tasks, { concurrency: 1 }), 1_000);
  assert.is(lines[5], '↻ again      due  waits for a slot for attempt 2 of 2  again broke');
});

test('counts what does not fit, and crowds out no kind of task', async () => {
  const many = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}${i}`);
  const tasks = [
    ...many('retry', 30).map((id) => ({ id, fails: 1, retry: { maxAttempts: 2, backoff: 9_000 } })),
    ...many('run', 30).map((id) => ({ id, durationMs: 9_000 })),
    ...many('wait', 30).map((id) => ({ id, durationMs: 9_000 })),
  ];
  const lines = draw(await progressAt(1_000, tasks, { concurrency: 30 }), 1_000, 80, 16);
  assert.is(lines.length, 15);
  assert.equal(
    lines.slice(4).map((line) => line.split(' ').slice(0, 2).join(' ')),
    [...many('▶ run', 6), ...many('↻ retry', 2), ...many('◦ wait', 2), '… and'],
  );
});

test('is never wider or higher than the terminal, whatever the ids', async () => {
  const ids = [
    'x'.repeat(300),
    '日本語'.repeat(100),
    '👨‍👩‍👧'.repeat(100),
    'e\u0301'.repeat(300),
    'a\nb\u001b[2J',
    '',
    ' ',
  ].filter((id) => id !== '');
  const tasks = ids.flatMap((id) => [
    { id, durationMs: 9_000 },
    {
      id: `${id} fails`,
      durationMs: 1,
      fails: 1,
      retry: { maxAttempts: 2, backoff: 9_000 },
      error: `${id}\n${id}`,
    },
    { id: `${id} last`, dependsOn: [id] },
  ]);
  const progress = await progressAt(1_000, tasks, { name: '流れ'.repeat(50) });
  for (let columns = 1; columns < 130; columns += 3) {
    for (let rows = 1; rows < 30; rows += 2) {
      const lines = draw(progress, 1_000, columns, rows);
      assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows`);
      for (const line of lines) {
        assert.ok(
          widthOf(line) <= Math.max(columns - 1, 1),
          `${widthOf(line)} in ${columns} columns: ${line}`,
        );
        assert.not.match(line, /\p{Cc}/u);
      }
    }
  }
});

test('goes along the critical path as it is done', async () => {
  const ids = Array.from({ length: 40 }, (_, i) => `step-${i}`);
  const tasks = ids.map((id, i) => ({ id, durationMs: 100, dependsOn: ids.slice(Math.max(i - 1, 0), i) }));
  const lines = draw(await progressAt(2_050, tasks), 2_050);
  assert.is(lines.at(-1), 'critical path  … ✔ step-19 → ▶ step-20 → · step-21 → · step-22 → · step-23 → …');
});

test('tells states apart without colours, and has the same text with them', async () => {
  const progress = await progressAt(2_000, release, { name: 'release' });
  const view = { now: 2_000, columns: 80, rows: 24 };
  const painted = drawFrame(progress, { ...view, paint: colours });
  assert.match(painted[4] ?? '', '\u001b[36m▶ \u001b[39m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const bare = painted.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
  assert.equal(bare, drawFrame(progress, { ...view, paint: noColours }));
});

test('says that it is being ended', async () => {
  const progress = await progressAt(2_000, release, { name: 'release' });
  progress.apply({ type: 'run.paused', at: 2_000, seq: 99, runId: 'r' });
  assert.match(draw(progress, 2_000)[1] ?? '', 'finishing running tasks; Ctrl-C again aborts them');
  assert.equal(draw(progress, 2_000, 20)[1], 'finishing  3 of 6 …');
  progress.apply({ type: 'run.cancelling', at: 2_000, seq: 100, runId: 'r', cause: 'cancelled' });
  assert.match(draw(progress, 2_000)[1] ?? '', 'aborting');
});
