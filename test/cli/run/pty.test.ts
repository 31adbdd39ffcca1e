import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { frameMs } from '../../../src/cli/run/report-live.ts';
import { spec } from '../../spec.ts';
import { hasPty, Pty, type PtyOptions } from '../../support/pty.ts';

const test = spec('topple run on a terminal');

const folder = mkdtempSync(join(tmpdir(), 'topple-terminal-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const [gated, typed, stray, deaf, spin] = [
  new URL('flows/gated.ts', import.meta.url),
  new URL('flows/typed.ts', import.meta.url),
  new URL('flows/stray.ts', import.meta.url),
  new URL('flows/deaf.ts', import.meta.url),
  new URL('flows/spin.ts', import.meta.url),
].map((url) => fileURLToPath(url)) as [string, string, string, string, string];
const gate = join(folder, 'gate');
const cursorShown = '\u001b[?25h';
const ctrlC = '\u0003';

// Elsewhere there is nothing that opens a pseudo-terminal without being compiled first.
const onTerminal = hasPty() ? test : test.skip;

function runGraph(tasks: object, options?: PtyOptions): Pty {
  const file = join(mkdtempSync(join(folder, 'graph-')), 'flow.json');
  writeFileSync(file, JSON.stringify({ name: 'demo', tasks }));
  return new Pty(['run', file], options);
}

function runGated(options: PtyOptions = {}): Pty {
  rmSync(gate, { force: true });
  return new Pty(['run', gated], { ...options, env: { GATE: gate, ...options.env } });
}

/** Two signals that come at once may be heard as one. */
async function pressTwice(pty: Pty): Promise<void> {
  pty.press(ctrlC);
  await pty.until('finishing');
  pty.press(ctrlC);
}

/** The cursor is there again, and lines are wrapped again, after all else that was done to the terminal. */
function isRestored({ raw }: Pty): boolean {
  return (
    raw.lastIndexOf(cursorShown) > raw.lastIndexOf('\u001b[?25l') &&
    raw.lastIndexOf('\u001b[?7h') > raw.lastIndexOf('\u001b[?7l')
  );
}

onTerminal(
  'draws what is under way, keeps failures and retries above it, and leaves the summary',
  async () => {
    using pty = runGraph(
      {
        a: { duration: 400 },
        flaky: { duration: 30, fails: 1, retry: { maxAttempts: 2, backoff: 200 } },
        bad: { fails: 'always' },
        b: { needs: ['bad'] },
      },
      { columns: 120 },
    );
    await pty.until(/▶ a +\d+ ms/);
    await pty.until('↻ flaky  attempt 1 of 2 failed, next in 200 ms: attempt 1 of `flaky` is set to fail');
    assert.is(await pty.ended(), 1);
    const { lines } = pty.screen;
    assert.match(lines[0] ?? '', /^ +\d+ ms {2}✘ bad {2}failed: attempt 1 of `bad` is set to fail$/);
    assert.equal(
      lines.filter((line) => /^▶|critical path|━/.test(line)),
      [],
    );
    assert.is(lines.at(-2), '✔ 2 done   ✘ 1 failed   ⊘ 1 upstream_failed');
    assert.match(lines.at(-1) ?? '', /^✘ demo failed after \d+ ms: bad: attempt 1 of `bad` is set to fail$/);
    assert.ok(isRestored(pty));
  },
);

onTerminal('keeps what bodies write above the picture', async () => {
  using pty = new Pty(['run', typed, '--input', '{ "n": 4 }']);
  assert.is(await pty.ended(), 0);
  assert.match(pty.text, /^a body writes$/m);
  assert.match(pty.text, /^.*said$/m);
});

onTerminal('fits 20 columns, whatever the ids', async () => {
  const ids = [
    'x'.repeat(300),
    '日本語のタスク'.repeat(5),
    '👨‍👩‍👧'.repeat(30),
    `e\u0301`.repeat(40),
    'line\nfeed \u001b[31mred',
  ];
  using pty = runGraph(Object.fromEntries(ids.map((id) => [id, { duration: 60_000 }])), {
    columns: 20,
    rows: 12,
  });
  await pty.until(/line/);
  const { lines } = pty.screen;
  assert.is(lines.length, 7);
  assert.equal(
    lines.slice(2).map((line) => line.replace(/ *[\d.]+ m?s$/, '')),
    [
      '▶ xxxx…xxx',
      '▶ 日本…ク',
      `▶ ${'👨‍👩‍👧'.repeat(2)}…${'👨‍👩‍👧'}`,
      `▶ ${'e\u0301'.repeat(4)}…${'e\u0301'.repeat(3)}`,
      '▶ line…red',
    ],
  );
  await pressTwice(pty);
  assert.is(await pty.ended(), 130);
});

onTerminal('draws itself anew, and once, on a terminal that is resized', async () => {
  using pty = runGraph(
    { short: { duration: 60_000 }, [`long-${'x'.repeat(60)}`]: { duration: 60_000 } },
    { columns: 100, rows: 20 },
  );
  await pty.until(/x{15}/);
  pty.resize(30, 10);
  await pty.until(/▶ long-x{4}…x{8} +\d/);
  assert.is(pty.text.match(/▶ short/g)?.length, 1);
  pty.resize(120, 30);
  await pty.until(/long-x{15}/);
  assert.is(pty.text.match(/▶ short/g)?.length, 1);
  pty.resize(30, 3);
  await pty.until(/^0 of 2/m);
  await pressTwice(pty);
  assert.is(await pty.ended(), 130);
  assert.ok(isRestored(pty));
});

onTerminal('sends no colours where NO_COLOR says so, and colours where it does not', async () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const colour = /\u001b\[\d+m/;
  using plain = runGraph({ a: {}, b: { fails: 'always' } }, { env: { NO_COLOR: '1' } });
  assert.is(await plain.ended(), 1);
  assert.not.match(plain.raw, colour);
  assert.match(plain.raw, '\u001b[?25l');
  using colourful = runGraph({ a: {}, b: { fails: 'always' } });
  assert.is(await colourful.ended(), 1);
  assert.match(colourful.raw, colour);
});

onTerminal('prints lines under CI and on a dumb terminal, and touches nothing', async () => {
  for (const env of [{ CI: 'true' }, { TERM: 'dumb' }]) {
    using pty = runGraph({ a: {} }, { env, columns: 120 });
    assert.is(await pty.ended(), 0);
    assert.match(pty.text, /^\d{4}-\d\d-\d\dT\S+Z task\.done a after \d+ ms$/m);
    assert.not.match(pty.raw, '\u001b[?');
  }
});

onTerminal('finishes what runs at Ctrl-C, and starts nothing more', async () => {
  using pty = runGated();
  await pty.until('▶ open');
  pty.press(ctrlC);
  await pty.until('finishing running tasks; Ctrl-C again aborts them');
  writeFileSync(gate, '');
  assert.is(await pty.ended(), 130);
  assert.match(pty.text, '■ next  cancelled: interrupted');
  assert.match(pty.text, '✔ 1 done   ■ 1 cancelled');
  assert.ok(isRestored(pty));
});

onTerminal('aborts what runs at the second Ctrl-C', async () => {
  using pty = runGated();
  await pty.until('▶ open');
  await pressTwice(pty);
  assert.is(await pty.ended(), 130);
  assert.match(pty.text, '■ open  cancelled in attempt 1: interrupted');
  assert.ok(isRestored(pty));
});

onTerminal('gives the cursor back where something is thrown that nobody catches', async () => {
  using pty = new Pty(['run', stray]);
  assert.is(await pty.ended(), 1);
  assert.match(pty.text, 'topple: task `a`: unexpected Error: out of nowhere at all.');
  assert.not.match(pty.text, 'stray.ts:');
  assert.match(pty.text, "the process ended before the run had settled: a task's code ended it");
  assert.ok(isRestored(pty));
});

onTerminal('gives the cursor back where the third Ctrl-C ends it', async () => {
  using pty = new Pty(['run', deaf]);
  await pty.until('▶ deaf');
  for (const sign of ['finishing', 'aborting']) {
    pty.press(ctrlC);
    await pty.until(sign);
  }
  pty.press(ctrlC);
  assert.is(await pty.ended(), 130);
  assert.ok(isRestored(pty));
});

onTerminal('gives the cursor back while it is stopped, and draws again when it goes on', async () => {
  using pty = runGated();
  await pty.until('▶ open');
  pty.press('\u001a');
  await pty.stopped();
  pty.resume();
  // `script` may only now pass on what was written before.
  await pty.until(() => /\?25h.*\?25l.*▶/s.test(Buffer.from(pty.raw, 'latin1').toString()));
  writeFileSync(gate, '');
  assert.is(await pty.ended(), 0);
  assert.ok(isRestored(pty));
});

onTerminal('is stopped, goes on and ends though a body holds its thread', async () => {
  using pty = new Pty(['run', spin]);
  await pty.until('spinning');
  pty.press('\u001a');
  await pty.stopped();
  pty.resume();
  pty.press(ctrlC);
  await pty.until('the signal is not handled');
  pty.press(ctrlC);
  assert.is(await pty.ended(), 130);
  assert.ok(isRestored(pty));
});

onTerminal('ends watching at Ctrl-C, with what runs finished first', async () => {
  rmSync(gate, { force: true });
  using pty = new Pty(['run', gated, '--watch'], { env: { GATE: gate } });
  await pty.until('▶ open');
  pty.press(ctrlC);
  await pty.until('finishing running tasks');
  writeFileSync(gate, '');
  assert.is(await pty.ended(), 130);
  assert.match(pty.text, 'gated was cancelled');
  assert.not.match(pty.text, 'for changes');
  assert.ok(isRestored(pty));
  using idle = new Pty(['run', gated, '--watch'], { env: { GATE: gate } });
  await idle.until('watching 1 file for changes; Ctrl-C ends');
  idle.press(ctrlC);
  assert.is(await idle.ended(), 130);
});

onTerminal('draws at most twelve pictures a second', async () => {
  const tasks = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`t${i}`, { duration: i * 3 }]));
  using pty = runGraph(tasks);
  assert.is(await pty.ended(), 0);
  const pictures = pty.raw.split('\u001b[?2026h').length - 1;
  const seconds = /demo is done after ([\d.]+) s/.exec(pty.text)?.[1] ?? '1';
  assert.ok(
    pictures > 2 && pictures <= (Number(seconds) * 1_000 + 100) / frameMs + 1,
    `${pictures} in ${seconds} s`,
  );
});
