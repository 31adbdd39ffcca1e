import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Entry, RunView } from 'topple';
import * as assert from 'uvu/assert';
import { runCli } from '../../../src/cli/cli.ts';
import { spec } from '../../spec.ts';
import { type FakeIoOptions, fakeIo, topple } from '../../support/cli.ts';

const test = spec('topple run');

const folder = mkdtempSync(join(tmpdir(), 'topple-run-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const typed = fileURLToPath(new URL('flows/typed.ts', import.meta.url));
const setsClock = fileURLToPath(new URL('flows/sets-clock.ts', import.meta.url));
const returns = fileURLToPath(new URL('flows/returns.ts', import.meta.url));

/** Runs a graph file with these tasks. */
function run(tasks: object, args: readonly string[] = [], options?: FakeIoOptions) {
  writeFileSync(join(folder, 'flow.json'), JSON.stringify({ name: 'demo', tasks }));
  return topple(['run', 'flow.json', ...args], { cwd: folder, ...options });
}

test('ends with 1 where what is not optional did not run behind what is, and says because of whom', async () => {
  const nightly = {
    fetch: { optional: true, fails: 'always' },
    render: { needs: ['fetch'] },
    send: { needs: ['render'] },
  };
  const { code, stderr } = await run(nightly);
  assert.is(code, 1);
  assert.match(stderr, '  ⊘ `render` and `send` did not run: `fetch` failed');
  const spared = await run({ ...nightly, render: { needs: ['fetch'], triggerRule: 'all_settled' } });
  assert.is(spared.code, 0);
});

/** The events and the view of `--json`. */
function parse(stdout: string): { events: Entry[]; view: RunView } {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const last = lines.pop();
  assert.is(last.type, 'view');
  return { events: lines, view: last.view };
}

const statusesOf = ({ tasks }: RunView) => Object.entries(tasks).map(([id, { status }]) => `${id} ${status}`);

const shop = {
  stock: {},
  pay: { needs: ['stock'], fails: 2, retry: { maxAttempts: 3, backoff: 5 } },
  post: { needs: ['pay'], fails: 'always' },
  thanks: { needs: ['post'] },
  sms: { skips: true },
};

test('shows how long tasks took, though the time of day is set meanwhile', async () => {
  const { code, stdout } = await topple(['run', setsClock, '--json']);
  assert.is(code, 0);
  const { view } = parse(stdout);
  assert.ok(Number(view.endedAt) - Number(view.startedAt) < 60_000);
});

test('gives a line with its instant for each event, and a summary', async () => {
  const { code, stdout, stderr } = await run(shop);
  assert.is(code, 1);
  assert.is(stdout, '');
  const [events = '', ...summary] = stderr.split('\n\n');
  const lines = events.split('\n');
  for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (run|task)\.\w+/);
  const told = lines.map((line) => line.slice(25)).filter((line) => /pay|thanks/.test(line));
  assert.equal(
    told.map((line) => line.replace(/after \d+ ms/, 'after N ms')),
    [
      'task.started pay',
      'task.retrying pay attempt 1 of 3 failed, next in 5 ms: attempt 1 of `pay` is set to fail',
      'task.started pay attempt 2 of 3',
      'task.retrying pay attempt 2 of 3 failed, next in 5 ms: attempt 2 of `pay` is set to fail',
      'task.started pay attempt 3 of 3',
      'task.done pay after N ms',
      'task.upstream_failed thanks because `post` failed: attempt 1 of `post` is set to fail',
    ],
  );
  assert.match(summary.join('\n'), '  ⊘ `thanks` did not run: `post` failed');
  assert.match(stderr, '\n✘ demo failed after ');
  assert.not.match(stderr, /task\.ready|[0-9a-f]{8}-/);
  assert.match((await run(shop, ['--verbose'])).stderr, /^\S+Z task\.ready stock$/m);
});

test('gives one event a line as JSON, numbered without gaps, and the view last', async () => {
  const { code, stdout, stderr } = await run(shop, ['--json']);
  const { events, view } = parse(stdout);
  assert.is(code, 1);
  assert.is(stderr, '');
  assert.equal(
    events.map(({ seq }) => seq),
    events.map((_, i) => i + 1),
  );
  assert.equal([events[0]?.type, events.at(-1)?.type], ['run.started', 'run.failed']);
  assert.is(view.flow, 'demo');
  assert.is(view.status, 'failed');
  assert.equal(statusesOf(view), [
    'stock done',
    'pay done',
    'post failed',
    'thanks upstream_failed',
    'sms skipped',
  ]);
  assert.is(view.tasks.pay?.attempts, 3);
});

test('takes the durations of a graph file in real time', async () => {
  const { view } = parse(
    (await run({ a: { duration: 60 }, b: { needs: ['a'], duration: 40 } }, ['--json'])).stdout,
  );
  const { a, b } = view.tasks;
  assert.ok((a?.endedAt ?? 0) - (a?.startedAt ?? 0) >= 59);
  assert.ok((b?.startedAt ?? 0) >= (a?.endedAt ?? 0));
  assert.ok((b?.endedAt ?? 0) - (b?.startedAt ?? 0) >= 39);
});

test('runs at most as many attempts at a time as it is told', async () => {
  const tasks = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`t${i}`, { duration: 5 }]));
  const { events } = parse((await run(tasks, ['--json', '--concurrency', '2'])).stdout);
  let running = 0;
  let most = 0;
  for (const { type } of events) {
    if (type === 'task.started') most = Math.max(most, ++running);
    if (type === 'task.done') running--;
  }
  assert.is(most, 2);
});

const chain = {
  a: {},
  b: { needs: ['a'] },
  c: { needs: ['b'] },
  'd/1': {},
  'd/2': { needs: ['d/1', 'a'], triggerRule: 'all_settled' },
};

test('runs only what it is told, and what that depends on', async () => {
  const { code, stdout } = await run(chain, ['--json', '--only', 'b']);
  assert.is(code, 0);
  assert.equal(statusesOf(parse(stdout).view), [
    'a done',
    'b done',
    'c skipped',
    'd/1 skipped',
    'd/2 skipped',
  ]);
});

test('skips what it is told, and lets the trigger rules decide of the rest', async () => {
  const statuses = async (...args: string[]) =>
    statusesOf(parse((await run(chain, ['--json', ...args])).stdout).view);
  assert.equal(await statuses('--skip', 'a'), [
    'a skipped',
    'b skipped',
    'c skipped',
    'd/1 done',
    'd/2 done',
  ]);
  assert.equal(await statuses('--skip', 'd/*'), ['a done', 'b done', 'c done', 'd/1 skipped', 'd/2 skipped']);
  assert.equal(await statuses('--skip', 'b', '--skip', 'd/?'), [
    'a done',
    'b skipped',
    'c skipped',
    'd/1 skipped',
    'd/2 skipped',
  ]);
  assert.equal(await statuses('--only', 'c,d/1', '--skip', 'b'), [
    'a done',
    'b skipped',
    'c skipped',
    'd/1 done',
    'd/2 skipped',
  ]);
});

test('ends what is left out as skipped also behind a failure, and at its turn', async () => {
  const tasks = {
    bad: { duration: 10, fails: 'always' },
    out: { needs: ['bad'] },
    after: { needs: ['out'], triggerRule: 'none_failed' },
  };
  const { events, view } = parse((await run(tasks, ['--json', '--skip', 'out'])).stdout);
  assert.equal(statusesOf(view), ['bad failed', 'out skipped', 'after done']);
  const order = events.filter(({ type }) => /failed|skipped|done/.test(type)).map(({ type }) => type);
  assert.equal(order, ['task.failed', 'task.skipped', 'task.done', 'run.failed']);
});

test('takes an id as it is before it takes it as a glob or a list', async () => {
  const tasks = { 'a*': {}, ab: {}, 'x,y': {}, x: {} };
  const { stdout } = await run(tasks, ['--json', '--skip', 'a*', '--skip', 'x,y']);
  assert.equal(statusesOf(parse(stdout).view), ['a* skipped', 'ab done', 'x,y skipped', 'x done']);
});

test('says which task was probably meant', async () => {
  const { code, stdout, stderr } = await run({ build: {}, test: {} }, ['--only', 'biuld']);
  assert.equal([code, stdout], [2, '']);
  assert.is(stderr, 'topple: `--only biuld` is no task. Did you mean `build`?\n');
  assert.is(
    (await run({ build: {}, test: {} }, ['--skip', 'x*'])).stderr,
    'topple: `--skip x*` matches no task. The tasks are `build`, `test`.\n',
  );
});

test('shows the plan by layers, and runs nothing', async () => {
  const { code, stdout } = await run(
    { ...shop, late: { needs: ['pay', 'sms'], duration: 1_500, triggerRule: 'all_settled', optional: true } },
    ['--dry-run', '--skip', 'post', '--concurrency', '3'],
  );
  assert.is(code, 0);
  assert.equal(stdout.split('\n'), [
    'demo: 6 tasks in 4 layers, at most 3 at a time',
    '',
    '  1  stock',
    '     sms',
    '  2  pay     after stock, up to 3 attempts',
    '  3  post    left out by --skip',
    '     late    after pay, sms, all_settled, takes 1.5 s, optional',
    '  4  thanks  after post',
    '',
  ]);
});

test('gives the plan as JSON', async () => {
  const { stdout } = await run({ a: {}, b: { needs: ['a'] } }, ['--dry-run', '--json', '--only', 'a']);
  assert.equal(JSON.parse(stdout), {
    type: 'plan',
    flow: 'demo',
    concurrency: null,
    layers: [['a'], ['b']],
    skipped: ['b'],
  });
});

test('ends with 124 where a time limit passed', async () => {
  const { code, stdout } = await run({ a: { duration: 60_000 }, b: { needs: ['a'] } }, [
    '--json',
    '--timeout',
    '20ms',
  ]);
  const { view } = parse(stdout);
  assert.equal([code, view.status, view.cause], [124, 'failed', 'timeout']);
  assert.equal(statusesOf(view), ['a cancelled', 'b cancelled']);
});

test('takes times with their units, and says what it expects', async () => {
  for (const time of ['60000', '60s', '1m', '1min', '0.5h'])
    assert.is((await run({ a: {} }, ['--timeout', time])).code, 0);
  for (const time of ['0', '-1', '10 s', 'soon', '1w']) {
    const { code, stderr } = await run({ a: {} }, ['--timeout', time]);
    assert.is(code, 2);
    assert.match(
      stderr,
      'topple: `--timeout` must be a time of at least 1 ms, such as `30s` or `500` (milliseconds), but is',
    );
  }
});

test('takes input as JSON, of a file and from standard input', async () => {
  writeFileSync(join(folder, 'input.json'), '\ufeff{ "n": 21 }');
  const outputs = async (input: string, stdin?: string) => {
    const { stdout } = await topple(['run', typed, '--json', '--input', input], { cwd: folder, stdin });
    return parse(stdout).view.tasks.double?.output;
  };
  assert.is(await outputs('{ "n": 4 }'), 8);
  assert.is(await outputs('@input.json'), 42);
  assert.is(await outputs('-', '{ "n": 1 }'), 2);
});

test('refuses input that is none', async () => {
  const told = async (...args: string[]) => {
    const { code, stdout, stderr } = await topple(['run', typed, ...args], { cwd: folder, stdin: ' ' });
    assert.equal([code, stdout], [2, '']);
    return stderr.replace(typed, 'typed.ts');
  };
  assert.match(
    await told('--input', '{ n: 1 }'),
    /^topple: --input: expected JSON, but .*a string needs its quotes: '"…"'\.\n$/,
  );
  assert.match(
    await told('--input', '@missing.json'),
    'topple: --input @missing.json: cannot be read: there is no such file.\n',
  );
  assert.match(await told('--input', '-'), 'topple: --input -: expected JSON, but it is empty.');
  assert.match(
    await told('--input', '{ "n": "one" }'),
    /^topple: typed\.ts: Input of flow `typed` is not valid: .*n.* Give it with `--input`\.\n$/,
  );
  assert.match(await told(), /^topple: typed\.ts: Input of flow `typed` is not valid: /);
});

test('shows outputs that JSON has no word for as far as it can', async () => {
  const { code, stdout } = await topple(['run', typed, '--json', '--input', '{ "n": 4 }']);
  assert.is(code, 0);
  assert.is(parse(stdout).view.tasks.big?.output, '8n');
});

test('prints what the flow returns, and nothing else, to standard output', async () => {
  const { code, stdout, stderr } = await topple(['run', typed, '--input', '{ "n": 4 }']);
  assert.equal([code, stdout], [0, '8\n']);
  assert.match(stderr, /task\.done double/);
  assert.match(stderr, 'typed is done after');
  assert.is((await run({ a: {} })).stdout, '');
});

test('prints the outputs of tasks by id, those of a failed run too', async () => {
  const input = ['--input', '{ "n": 4 }'];
  const done = await topple(['run', typed, ...input, '--outputs']);
  assert.equal([done.code, done.stdout], [0, '{"double":8,"big":"8n"}\n']);
  const odd = await topple(['run', returns, '--flow', 'fails', '--outputs']);
  assert.equal([odd.code, odd.stdout], [1, '{"__proto__":"own","cycle":{"self":"[circular]"}}\n']);
  assert.equal((await topple(['run', returns, '--flow', 'fails'])).stdout, '');
  assert.equal((await run({ a: {} }, ['--outputs'])).stdout, '{}\n');
  const events = await topple(['run', typed, ...input, '--outputs', '--json']);
  assert.is(parse(events.stdout).view.status, 'done');
});

test('prints what is no JSON as far as it can, and null for nothing', async () => {
  const { stdout } = await topple(['run', returns, '--flow', 'odd']);
  assert.is(
    stdout,
    '{"big":"1n","self":"[circular]","at":"1970-01-01T00:00:00.000Z","list":[null,null],"text":"\\u202e"}\n',
  );
  assert.is((await topple(['run', returns, '--flow', 'nothing'])).stdout, 'null\n');
});

test('prints nothing of a flow whose output throws, and says so', async () => {
  const { code, stdout, stderr } = await topple(['run', returns, '--flow', 'throws']);
  assert.equal([code, stdout], [1, '']);
  assert.match(stderr, 'throws failed after');
});

test('indents what it returns on a terminal, which obeys none of it', async () => {
  const terminal = { columns: 80, rows: 24 };
  const { stdout } = await topple(['run', returns, '--flow', 'odd'], { terminal });
  assert.is(
    stdout,
    `{
  "big": "1n",
  "self": "[circular]",
  "at": "1970-01-01T00:00:00.000Z",
  "list": [
    null,
    null
  ],
  "text": "\\u202e"
}
`,
  );
});

test('ends with what is asked for: what a run returned, or why it failed', async () => {
  const lastOf = async (name: string) => {
    const io = fakeIo();
    let all = '';
    for (const stream of [io.stdout, io.stderr]) {
      stream.write = (text) => {
        all += text;
      };
    }
    await runCli(['run', returns, '--flow', name, '--outputs'], io);
    return all
      .split('\n')
      .at(-2)
      ?.replace(/\d+ ms/, 'N ms');
  };
  assert.is(await lastOf('nothing'), '{"a":1}');
  assert.is(await lastOf('fails'), '✘ fails failed after N ms: bad: no network');
  assert.is(
    await lastOf('throws'),
    '✘ throws failed after N ms: its output could not be made: made\\nnothing',
  );
});

test('runs a flow without its own output where a task is left out', async () => {
  const { code, stdout } = await topple([
    'run',
    typed,
    '--json',
    '--input',
    '{ "n": 4 }',
    '--skip',
    'double',
  ]);
  assert.is(code, 0);
  assert.equal(statusesOf(parse(stdout).view), ['double skipped', 'odd done', 'big skipped']);
});

test('shows what bodies log among the events', async () => {
  const { stderr } = await topple(['run', typed, '--input', '{ "n": 4 }']);
  assert.match(stderr, /^\S+Z log odd: said\\nso \{"n":1\}$/m);
});

test('shows where errors come from if that is asked for', async () => {
  const { stderr } = await run({ a: { fails: 'always' } }, ['--verbose']);
  assert.match(stderr, /^Error: attempt 1 of `a` is set to fail\n {4}at /m);
  assert.not.match((await run({ a: { fails: 'always' } })).stderr, '    at ');
});

test('reads standard input once', async () => {
  const { code, stderr } = await topple(['run', '-', '--input', '-'], { stdin: '{ "tasks": {} }' });
  assert.is(code, 2);
  assert.is(
    stderr,
    'topple: Flow and `--input` cannot both be read from standard input: put one into a file.\n',
  );
});

test('writes what XState tells an inspector, a line each', async () => {
  const { code } = await run(shop, ['--json', '--inspect-log', 'inspect.ndjson']);
  assert.is(code, 1);
  const lines = readFileSync(join(folder, 'inspect.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const types = new Set(lines.map(({ type }) => type));
  for (const type of [
    '@xstate.actor',
    '@xstate.event',
    '@xstate.snapshot',
    '@xstate.microstep',
    '@xstate.action',
  ])
    assert.ok(types.has(type), type);
  const steps = lines.filter(
    ({ type, actor }) => type === '@xstate.microstep' && actor.systemId?.endsWith('/pay'),
  );
  assert.equal(
    steps.flatMap(({ transitions }) =>
      transitions.map(({ from, event, to }: Record<string, string>) => `${from} ${event} ${to}`),
    ),
    [
      'undecided task.ready ready',
      'ready attempt.start running',
      'running attempt.failed backing_off',
      'backing_off attempt.due due',
      'due attempt.start running',
      'running attempt.failed backing_off',
      'backing_off attempt.due due',
      'due attempt.start running',
      'running attempt.done done',
    ],
  );
});

test('says that an inspection log cannot be written, before anything runs', async () => {
  const { code, stdout, stderr } = await run({ a: {} }, ['--inspect-log', 'missing/x.ndjson']);
  assert.equal([code, stdout], [2, '']);
  assert.is(stderr, 'topple: missing/x.ndjson: `--inspect-log` cannot be written: its folder is missing.\n');
});

test('refuses a pool that nobody knows as no valid flow', async () => {
  const { code, stderr } = await run({ a: { pool: 'printers' } });
  assert.is(code, 3);
  assert.match(stderr, /^topple: flow\.json:.*printers.*\n$/);
});

/** Sends a signal when an event of this type of that task has been printed, and gives how it ended. */
async function interrupted(
  tasks: object,
  sends: readonly [at: string, ...signals: ('SIGINT' | 'SIGTERM' | 'SIGPIPE')[]][],
) {
  writeFileSync(join(folder, 'flow.json'), JSON.stringify({ tasks }));
  const io = fakeIo({ cwd: folder });
  const { stderr } = io;
  const due = [...sends];
  const write = stderr.write.bind(stderr);
  stderr.write = (text: string) => {
    write(text);
    const [at, ...signals] = due[0] ?? [''];
    if (at === '' || !stderr.text.includes(at)) return;
    due.shift();
    for (const signal of signals) assert.ok(io.send(signal) > 0, `nobody hears ${signal}`);
  };
  const code = await runCli(['run', 'flow.json'], io);
  assert.equal(due, []);
  return { code, stderr: stderr.text };
}

const slow = {
  a: { duration: 30 },
  b: { needs: ['a'] },
  c: { fails: 'always', retry: { maxAttempts: 2, backoff: 60_000 } },
};

test('lets run what runs at the first interrupt, and starts nothing more', async () => {
  const { code, stderr } = await interrupted(slow, [['task.retrying c', 'SIGINT']]);
  assert.is(code, 130);
  assert.match(stderr, /^topple: finishing 1 task; interrupt again to abort$/m);
  assert.match(stderr, /task\.done a/);
  assert.match(stderr, /task\.cancelled b interrupted\n/);
  assert.match(stderr, /task\.cancelled c in attempt 1: interrupted\n/);
  assert.not.match(stderr, 'task.started b');
});

test('ends at once where nothing runs', async () => {
  const { code, stderr } = await interrupted({ c: slow.c }, [['task.retrying c', 'SIGINT']]);
  assert.is(code, 130);
  assert.match(stderr, 'cancelled after');
});

test('aborts what runs at the second interrupt', async () => {
  const { code, stderr } = await interrupted({ a: { duration: 60_000 } }, [
    ['task.started a', 'SIGINT', 'SIGINT'],
  ]);
  assert.is(code, 130);
  assert.match(stderr, /task\.cancelled a in attempt 1: interrupted\n/);
});

test('leaves a third interrupt to the process', async () => {
  const io = fakeIo({ cwd: folder });
  writeFileSync(join(folder, 'flow.json'), JSON.stringify({ tasks: { a: { duration: 60_000 } } }));
  const ended = runCli(['run', 'flow.json', '--json'], io);
  while (!io.stdout.text.includes('task.started')) await new Promise(setImmediate);
  assert.equal([io.send('SIGINT'), io.send('SIGINT'), io.send('SIGINT')], [1, 1, 0]);
  assert.is(await ended, 130);
});

test('aborts when it is terminated, and when nobody reads what it writes', async () => {
  const terminated = await interrupted({ a: { duration: 60_000 } }, [['task.started a', 'SIGTERM']]);
  assert.is(terminated.code, 143);
  assert.match(terminated.stderr, 'terminated');
  const unread = await interrupted({ a: { duration: 60_000 } }, [['task.started a', 'SIGPIPE']]);
  assert.is(unread.code, 0);
});
