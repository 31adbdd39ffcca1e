import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { commands } from '../../src/cli/registry.ts';
import { spec } from '../spec.ts';
import { topple } from '../support/cli.ts';
import { elementsOf } from '../support/xml.ts';

const test = spec('the command line');

const cwd = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(cwd, { recursive: true }));
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const node = [...process.execArgv, '--disable-warning=ExperimentalWarning', main];

writeFileSync(
  join(cwd, 'build.yaml'),
  `# a comment
tasks:
  compile: {duration: 3000}
  2: {duration: 1000, needs: [compile], retry: {maxAttempts: 3, backoff: 500}, fails: 1}
  1: {needs: [compile], skips: true, duration: 5000}
  __proto__: {needs: [1, 2], triggerRule: all_done, duration: 10, if: "always()"}
meta: {source: here}
`,
);

test('reads numbers of workers as any other number', async () => {
  const { stdout } = await topple(['simulate', 'build.yaml', '--workers', '1,1e9,1_000'], { cwd });
  const counts = stdout
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim().split(/\s+/)[0]);
  assert.equal(counts, ['1', '1,000,000,000', '1,000']);
});

test('sends nothing unseen of an id to the terminal, whatever the command', async () => {
  const [wild, next] = ['a\u001b[2J\u202e\u009b', 'b\nb\u200b\u2066'];
  const tasks = { [wild]: { retry: { maxAttempts: 2 }, fails: 2 }, [next]: { needs: [wild] } };
  const name = 'flow\u202e\u001b[2J';
  writeFileSync(join(cwd, 'hostile.json'), JSON.stringify({ name, tasks }));
  writeFileSync(join(cwd, 'unknown.json'), JSON.stringify({ tasks: { [wild]: { needs: [next] } } }));
  for (const args of [
    ['run', 'hostile.json'],
    ['run', 'hostile.json', '--json'],
    ['run', 'hostile.json', '--dry-run'],
    ['run', 'hostile.json', '--dry-run', '--json'],
    ['simulate', 'hostile.json'],
    ['simulate', 'hostile.json', '--json'],
    ['test', 'hostile.json'],
    ['test', 'hostile.json', '--json'],
    ['test', 'hostile.json', '--path', ''],
    ['test', 'hostile.json', '--path', '', '--json'],
    ['graph', 'hostile.json'],
    ['graph', 'hostile.json', '--format', 'dot'],
    ['graph', 'hostile.json', '--format', 'svg'],
    ['graph', 'hostile.json', '--format', 'json'],
    ['graph', 'unknown.json'],
    ['graph', 'unknown.json', '--verbose'],
    ['graph', 'no\u202efile\u001b.json'],
    ['graph', 'hostile.json', '--focus', '\u202e\u001b'],
    ['graph', 'hostile.json', '--\u202e\u001b'],
  ]) {
    const { stdout, stderr } = await topple(args, { cwd });
    assert.match(stdout + stderr, 'u202e', args.join(' '));
    assert.not.match(stdout + stderr, /(?!\n)[\p{Cc}\p{DI}]/u, args.join(' '));
  }
});

test('prints no id that nobody reads to its end', async () => {
  const id = `${'long '.repeat(200_000)}end`;
  writeFileSync(join(cwd, 'long-id.json'), JSON.stringify({ tasks: { [id]: {}, b: { needs: [id] } } }));
  writeFileSync(join(cwd, 'long-bad.json'), JSON.stringify({ tasks: { [id]: { needs: [`${id}.`] } } }));
  for (const args of [
    ['run', 'long-id.json'],
    ['run', 'long-id.json', '--dry-run'],
    ['simulate', 'long-id.json'],
    ['test', 'long-id.json', '--commands', 'none'],
    ['graph', 'long-id.json'],
    ['graph', 'long-bad.json'],
  ]) {
    const { stdout, stderr } = await topple(args, { cwd });
    const longest = Math.max(...(stdout + stderr).split('\n').map((line) => line.length));
    assert.ok(longest < 5_000, `${args.join(' ')}: ${longest} characters`);
  }
  const { stderr } = await topple(['graph', 'long-bad.json'], { cwd });
  assert.ok(stderr.length < 600, stderr);
});

test('says of a file that no text can hold that it is too long', async () => {
  writeFileSync(join(cwd, 'long.json'), '');
  truncateSync(join(cwd, 'long.json'), 2 ** 30);
  const { code, stderr } = await topple(['graph', 'long.json'], { cwd });
  assert.is(code, 3);
  assert.match(
    stderr,
    /^topple: long\.json: is longer than a string can be, \d+ bytes: give a smaller flow\.\n$/,
  );
});

test('asks what is meant where a command or an option is mistyped', async () => {
  const errors = [
    [['simulat', 'x'], 'Unknown command `simulat`. Did you mean `simulate`? See `topple --help`.'],
    [
      ['simulate', 'x', '--wrokers', '4'],
      'Unknown option `--wrokers`. Did you mean `--workers`? See `topple simulate --help`.',
    ],
    [
      ['simulate', 'x', '--order', 'critical-paht'],
      '`--order` must be one of fifo, critical-path, but is `critical-paht`. Did you mean `critical-path`?',
    ],
    [['graph', 'x', '--format', 'pdf'], '`--format` must be one of mermaid, dot, svg, json, but is `pdf`.'],
    [
      ['simulate', 'x', '--workers', '0'],
      '`--workers` must be a whole number of at least 1, or several separated by commas, but is `0`.',
    ],
    [
      ['simulate', 'x', '--workers', '4,'],
      '`--workers` must be a whole number of at least 1, or several separated by commas, but is `4,`.',
    ],
    [['simulate', 'x', '--duration', '-1'], '`--duration` must be a number of at least 0, but is `-1`.'],
    [
      ['simulate', 'x', '--workers', '1,2', '--gantt', 'g.svg'],
      '`--gantt` draws one run: give one number for `--workers`.',
    ],
    [
      ['simulate', 'x', '--workers'],
      'Option `--workers <N>` argument missing. See `topple simulate --help`.',
    ],
    [['simulate'], 'Missing required argument `FILE`. See `topple simulate --help`.'],
    [
      ['simulate', 'x', 'y'],
      'Too many arguments for `simulate`. Expected 1 argument but got 2. See `topple simulate --help`.',
    ],
    [['graph', 'x', '--depth', '1'], '`--depth` is a distance from a task: it needs `--focus ID`.'],
    [
      ['graph', 'build.yaml', '--focus', 'compiel'],
      '`--focus`: flow `build` has no task `compiel`. Did you mean `compile`?',
    ],
    [['completion', 'tcsh'], 'There is completion for bash, zsh, fish, but not for `tcsh`.'],
    [
      ['completion', 'bsh'],
      'There is completion for bash, zsh, fish, but not for `bsh`. Did you mean `bash`?',
    ],
    [['graph', '--machines', '--focus', 'a'], '`--machines` draws no flow: leave `--focus` out.'],
    [
      ['simulate', 'x', '--seed', '99999999999999999999'],
      '`--seed` must be a whole number from 0 to 9007199254740991, but is `99999999999999999999`.',
    ],
    [
      ['simulate', 'x', '--workers', '4,1e400'],
      '`--workers` must be a whole number from 1 to 9007199254740991, or several separated by commas, but is `4,1e400`.',
    ],
    [
      ['simulate', 'x', '--duration', '1e300'],
      '`--duration` must be a number from 0 to 9007199254740991, but is `1e300`.',
    ],
    [
      ['graph', 'x', '--load-timeout', '3_000_000_000'],
      '`--load-timeout` must be a whole number from 1 to 2147483000, but is `3_000_000_000`.',
    ],
    [
      ['run', 'x', '--timeout', '9999999999999999h'],
      '`--timeout` must be a time of at most 9007199254740991 ms, but is `9999999999999999h`.',
    ],
    [['test', 'x', '--threshold', '101'], '`--threshold` must be a number from 0 to 100, but is `101`.'],
    [
      ['simulate', 'build.yaml', '--gantt', 'no/g.svg'],
      'no/g.svg: `--gantt` cannot be written: its folder is missing.',
    ],
    [['simulate', 'build.yaml', '--gantt', '.'], '.: `--gantt` cannot be written: it is a folder.'],
    [['graph', 'build.yaml', '--status', 'no'], 'no: `--status` cannot be read: there is no such file.'],
  ] as const;
  for (const [args, message] of errors) {
    const { code, stdout, stderr } = await topple(args, { cwd });
    assert.equal(
      { code, stdout, said: stderr.split('\n').filter((line) => !line.includes('ignored')) },
      { code: 2, stdout: '', said: [`topple: ${message}`, ''] },
    );
  }
});

test('helps with every command, by examples that it understands', async () => {
  const { stdout, code } = await topple(['--help']);
  assert.is(code, 0);
  for (const { name, examples } of commands) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    const help = await topple([name, '--help']);
    assert.is(help.code, 0);
    for (const [line, meaning] of examples)
      assert.ok(help.stdout.includes(`  # ${meaning}\n  topple ${line}\n`));
    assert.equal(await topple(['help', name]), help);
    // In a folder without these files each gets as far as looking for its own.
    for (const [line] of examples.filter(([each]) => /\.(yaml|ts|sqlite)/.test(each))) {
      const [words = ''] = line.split(/ [|>] /);
      const args = Array.from(words.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, word]) => quoted ?? word ?? '');
      const ended = await topple(args, { cwd: tmpdir() });
      assert.match(ended.stderr, /^topple: [\w.-]+: (cannot be read: )?there is no such file\./, line);
    }
  }
});

test('shows its version, and its help on standard error where no command is given', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal(await topple(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  const { code, stdout, stderr } = await topple([]);
  assert.equal([code, stdout, stderr.slice(0, 13)], [2, '', 'Usage: topple']);
});

test('a simulated run is failed where what is not optional could not run behind what is', async () => {
  const tasks = { fetch: { optional: true, fails: 'always' }, render: { needs: ['fetch'] } };
  writeFileSync(join(cwd, 'nightly.json'), JSON.stringify({ tasks }));
  const { code, stdout } = await topple(['simulate', 'nightly.json', '--json'], { cwd });
  assert.equal([code, JSON.parse(stdout).status], [1, 'failed']);
  const spared = { ...tasks, render: { ...tasks.render, optional: true } };
  writeFileSync(join(cwd, 'nightly.json'), JSON.stringify({ tasks: spared }));
  assert.is((await topple(['simulate', 'nightly.json'], { cwd })).code, 0);
});

test('simulates a graph file: order of the file, attempts, skipped tasks, times from 0', async () => {
  const { code, stdout, stderr } = await topple(['simulate', 'build.yaml', '--json'], { cwd });
  assert.is(code, 0);
  assert.is(stderr, 'topple: build.yaml: ignored keys that have no meaning here: `meta`, `if`\n');
  assert.is(
    stdout,
    `{
  "status": "done",
  "makespanMs": 8010,
  "tasks": {
    "compile": {"status":"done","attempts":1,"startedAt":0,"endedAt":3000},
    "2": {"status":"done","attempts":2,"startedAt":3000,"endedAt":5500},
    "1": {"status":"skipped","attempts":1,"startedAt":3000,"endedAt":8000},
    "__proto__": {"status":"done","attempts":1,"startedAt":8000,"endedAt":8010}
  }
}
`,
  );
});

test('gives a task that never ran its verdict’s instant, and ends with 1 where the run failed', async () => {
  writeFileSync(
    join(cwd, 'fails.json'),
    '{"tasks":{"a":{"duration":5,"fails":"always"},"b":{"needs":["a"],"duration":9}}}',
  );
  const { code, stdout } = await topple(['simulate', 'fails.json', '--json'], { cwd });
  assert.equal(
    [code, JSON.parse(stdout)],
    [
      1,
      {
        status: 'failed',
        makespanMs: 5,
        tasks: {
          a: { status: 'failed', attempts: 1, startedAt: 0, endedAt: 5 },
          b: { status: 'upstream_failed', attempts: 0, startedAt: null, endedAt: 5 },
        },
      },
    ],
  );
});

test('reads a graph from standard input, with no tasks too', async () => {
  assert.equal(await topple(['simulate', '-', '--json'], { stdin: '{"tasks":{}}' }), {
    code: 0,
    stdout: '{\n  "status": "done",\n  "makespanMs": 0,\n  "tasks": {}\n}\n',
    stderr: '',
  });
});

test('tells people how a simulation went, and sets numbers of workers side by side', async () => {
  const one = await topple(['simulate', 'build.yaml', '--workers', '2'], { cwd });
  assert.is(
    one.stdout,
    `build done in 8.0 s (8,010 ms)
  tasks          3 done, 1 skipped
  lower bound    8.0 s (8,010 ms), by the longest path
  work           10.0 s (10,010 ms), 2 workers busy 62.5 % of the time
  critical path  compile → 1 → __proto__
`,
  );
  const table = await topple(['simulate', 'build.yaml', '--workers', '1,2'], { cwd });
  assert.is(
    table.stdout,
    `workers   makespan   lower bound   utilisation   shorter by   status
      1     10.0 s        10.0 s       100.0 %                  done
      2      8.0 s         8.0 s        62.5 %       20.0 %     done
`,
  );
});

test('draws ties from the seed', async () => {
  const tasks = Array.from({ length: 12 }, (_, n) => `"t${n}":{"duration":${n + 1}}`).join();
  const run = async (...options: string[]) =>
    (
      await topple(['simulate', '-', '--json', '--workers', '2', ...options], {
        stdin: `{"tasks":{${tasks}}}`,
      })
    ).stdout;
  assert.is(await run('--seed', '7'), await run('--seed', '7'));
  assert.is.not(await run('--seed', '7'), await run('--seed', '8'));
  assert.equal(
    Object.keys(JSON.parse(await run('--seed', '7')).tasks),
    Object.keys(JSON.parse(await run()).tasks),
  );
});

test('starts by priority before anything else, and by critical path before readiness', async () => {
  const graph =
    '{"tasks":{"short":{"duration":1},"long":{"duration":9},"low":{"duration":99,"priority":-1}}}';
  const startsOf = async (...options: string[]) => {
    const { stdout } = await topple(['simulate', '-', '--json', '--workers', '1', ...options], {
      stdin: graph,
    });
    return Object.values<{ startedAt: number }>(JSON.parse(stdout).tasks).map(({ startedAt }) => startedAt);
  };
  assert.equal(await startsOf(), [0, 1, 10]);
  assert.equal(await startsOf('--order', 'critical-path'), [9, 0, 10]);
});

test('keeps to the pools of a flow', async () => {
  const graph =
    '{"pools":{"db":1},"tasks":{"a":{"duration":5,"pool":"db"},"b":{"duration":5,"pool":"db"},"c":{"duration":5}}}';
  const { stdout } = await topple(['simulate', '-'], { stdin: graph });
  assert.match(stdout, /done in 10 ms\n.*\n {2}lower bound {4}10 ms, by the work to share\n/);
});

test('writes a Gantt chart, and says so where it cannot', async () => {
  assert.is((await topple(['simulate', 'build.yaml', '--gantt', 'g.svg'], { cwd })).code, 0);
  assert.ok(
    elementsOf(readFileSync(join(cwd, 'g.svg'), 'utf8')).some(
      ({ text }) => text === '__proto__: done, 10 ms, from 8.0 s on',
    ),
  );
  const { code, stderr } = await topple(['simulate', 'fails.json', '--gantt', 'no/g.svg'], { cwd });
  assert.is(code, 2);
  assert.match(stderr, /^topple: no\/g\.svg: `--gantt` cannot be written: its folder is missing/);
});

test('draws a graph in each format, coloured by what simulate printed', async () => {
  writeFileSync(join(cwd, 'view.json'), (await topple(['simulate', 'build.yaml', '--json'], { cwd })).stdout);
  const draw = async (format: string) =>
    (await topple(['graph', 'build.yaml', '--format', format, '--status', 'view.json'], { cwd })).stdout;
  assert.match(await draw('mermaid'), /^flowchart LR\n {2}t0\["✓ compile"]\n[\s\S]* class t2 skipped\n/);
  assert.match(await draw('dot'), /^digraph "build" \{[\s\S]*tooltip="1: skipped"/);
  assert.ok(elementsOf(await draw('svg')).some(({ text }) => text === '1: skipped, takes 5.0 s'));
  const again = await topple(['simulate', '-', '--json'], { stdin: await draw('json') });
  assert.is(JSON.parse(again.stdout).makespanMs, 8_010);
});

test('takes the view that a run printed last for its colours, and no other flow’s', async () => {
  const view = { id: 'r', flow: 'build', status: 'done', tasks: { compile: { status: 'failed' } } };
  writeFileSync(
    join(cwd, 'run.ndjson'),
    `{"type":"run.started"}\n${JSON.stringify({ type: 'view', view })}\n`,
  );
  assert.match(
    (await topple(['graph', 'build.yaml', '--status', 'run.ndjson'], { cwd })).stdout,
    /t0\["✗ compile"]/,
  );
  const bad = [
    ['{"tasks":{"x":{"status":"done"}}}', /belongs to another flow/],
    [
      '{"tasks":{"compile":{"status":"finished"}}}',
      /has `finished` for task `compile`, which is not a status/,
    ],
    ['words', /must be a RunView as JSON/],
  ] as const;
  for (const [text, says] of bad) {
    writeFileSync(join(cwd, 'bad.json'), text);
    const { code, stderr } = await topple(['graph', 'build.yaml', '--status', 'bad.json'], { cwd });
    assert.is(code, 2);
    assert.match(stderr, says);
  }
});

test('draws the two machines', async () => {
  const mermaid = await topple(['graph', '--machines']);
  assert.is(mermaid.stdout.match(/^stateDiagram-v2$/gm)?.length, 2);
  const dot = await topple(['graph', '--machines', '--format', 'dot']);
  assert.match(
    dot.stdout,
    /"task\.running" -> "task\.backing_off" \[label="attempt\.failed \[attemptsLeft]"]/,
  );
  const json = JSON.parse((await topple(['graph', '--machines', '--format', 'json'])).stdout);
  assert.equal(Object.keys(json), ['task', 'orchestrator']);
  const svg = elementsOf((await topple(['graph', '--machines', '--format', 'svg'])).stdout).map(
    ({ text }) => text,
  );
  for (const text of [
    'task',
    'orchestrator',
    'upstream_failed',
    'attempt.failed [attemptsLeft]',
    'run.resume',
  ])
    assert.ok(svg.includes(text), text);
  assert.is((await topple(['graph', 'build.yaml', '--machines'], { cwd })).code, 2);
});

test('says when Mermaid would refuse a chart', async () => {
  const tasks = Array.from({ length: 600 }, (_, n) => `"t${n}":{"needs":[${n === 0 ? '' : '"t0"'}]}`).join();
  const { code, stderr } = await topple(['graph', '-'], { stdin: `{"tasks":{${tasks}}}` });
  assert.equal(
    [code, stderr],
    [
      0,
      'topple: Mermaid will refuse this chart: 599 edges (maxEdges is 500). Draw less with `--focus`, or `--format svg`.\n',
    ],
  );
});

test('runs from the checkout, where npm was called', () => {
  const runner = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const args = [runner, 'scripts/topple.ts', 'graph', 'build.yaml', '--focus', '1', '--depth', '0'];
  const ended = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, INIT_CWD: cwd },
  });
  assert.equal([ended.status, ended.stdout], [0, 'flowchart LR\n  t0["1"]\n  style t0 stroke-width:3px\n']);
});

test('is calm where nobody reads what it prints', async () => {
  const tasks = Array.from({ length: 20_000 }, (_, n) => `"task number ${n}":{}`).join();
  const child = spawn(process.execPath, [...node, 'simulate', '-', '--json']);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  child.stdin.end(`{"tasks":{${tasks}}}`);
  assert.equal([await once(child, 'close'), stderr], [[0, null], '']);
});

test('ends with 130 where it is interrupted, also while a module loads', async () => {
  writeFileSync(join(cwd, 'slow.mjs'), "console.log('loading');\nawait new Promise(() => {});");
  const child = spawn(process.execPath, [...node, 'simulate', 'slow.mjs'], { cwd });
  child.stderr.once('data', () => child.kill('SIGINT'));
  assert.equal(await once(child, 'close'), [130, null]);
});

test('ends though a module keeps something open, and keeps what it prints from standard output', () => {
  const code = `import { createFlow } from 'topple';
    export const f = createFlow('f').task('a', { perform: () => 1 });
    setInterval(() => console.log('more'), 0);
    console.log('noise');`;
  writeFileSync(join(cwd, 'open.mjs'), code);
  mkdirSync(join(cwd, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(cwd, 'node_modules/topple'), 'junction');
  const ended = spawnSync(process.execPath, [...node, 'simulate', 'open.mjs', '--json'], {
    cwd,
    encoding: 'utf8',
  });
  assert.equal([ended.status, JSON.parse(ended.stdout).status], [0, 'done']);
  assert.match(ended.stderr, /^noise\n(more\n)*$/);
});

test('says in one line what a module left to fail', () => {
  const code = `import { createFlow } from 'topple';
    export const f = createFlow('f').task('a', { perform: () => 1 });
    Promise.resolve().then(() => setImmediate(() => { throw new Error('left'); }));`;
  writeFileSync(join(cwd, 'left.mjs'), code);
  const ended = spawnSync(process.execPath, [...node, 'simulate', 'left.mjs', '--json'], {
    cwd,
    encoding: 'utf8',
  });
  assert.match(ended.stderr, /^topple: [^\n]*left[^\n]*\n$/);
});
