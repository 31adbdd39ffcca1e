// npm run bench:load: how long a program waits for topple before it does anything. See bench/README.md.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './rows.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = join(root, 'dist/src/cli/main.js');
const rounds = 15;

/** Milliseconds from start to end, and of CPU, user and system. */
interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

interface Row {
  readonly what: string;
  /** Arguments of Node. */
  readonly args: readonly string[];
  /** What a process costs as a whole, instead of its program alone. */
  readonly isWhole?: boolean | undefined;
  readonly package?: string | undefined;
  /** At most so many times what another row costs. */
  readonly bar?: { readonly of: string; readonly most: number } | undefined;
}

const sixTasks = {
  topple: `const { createFlow } = await import('topple');
    const perform = async () => 1;
    const after = ['account'];
    await createFlow('signup').task('account', { perform })
      .task('mail', { dependsOn: after, perform }).task('crm', { dependsOn: after, perform })
      .task('sms', { dependsOn: after, perform }).task('card', { dependsOn: after, perform })
      .task('audit', { dependsOn: ['mail', 'crm', 'sms', 'card'], perform }).run();`,
  'p-graph': `const { PGraph } = await import('p-graph');
    const task = { run: async () => 1 };
    const middle = ['mail', 'crm', 'sms', 'card'];
    const nodes = new Map(['account', ...middle, 'audit'].map((id) => [id, task]));
    const edges = middle.flatMap((id) => [['account', id], [id, 'audit']]);
    await new PGraph(nodes, edges).run();`,
  effect: `const { Effect } = await import('effect');
    const task = Effect.promise(async () => 1);
    await Effect.runPromise(Effect.gen(function* () {
      yield* task;
      yield* Effect.all([task, task, task, task], { concurrency: 'unbounded' });
      yield* task;
    }));`,
};

const rows: readonly Row[] = [
  { what: '`node -e 0`', args: ['-e', '0'], isWhole: true },
  {
    what: '`topple --help`',
    args: [command, '--help'],
    isWhole: true,
    bar: { of: '`node -e 0`', most: 2 },
  },
  loading('xstate'),
  loading('topple', 2.5),
  loading('p-graph'),
  loading('effect'),
  loading('bullmq'),
  running('topple', 4),
  running('p-graph'),
  running('effect'),
];

if (!existsSync(command)) throw new Error('There is no dist/ to measure: `npm run build` makes it');
const folder = mkdtempSync(join(tmpdir(), 'topple-bench-'));
/** Loaded by each process first: it tells at the end what the program said, or else what the process cost. */
const teller = join(folder, 'tell.cjs');
writeFileSync(
  teller,
  `process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const told = globalThis.cost ?? { cpuMs: (user + system) / 1_000 };
    require('node:fs').writeSync(3, JSON.stringify(told));
  });`,
);

const present = rows.filter(
  ({ package: name }) => name === undefined || existsSync(join(root, 'node_modules', name)),
);
const samples = new Map<string, Cost[]>(present.map(({ what }) => [what, []]));
for (let round = 0; round < rounds; round++) {
  for (const row of present) samples.get(row.what)?.push(measure(row));
}
rmSync(folder, { recursive: true });

console.log('| | time | CPU | × | × CPU | at most |\n| --- | ---: | ---: | ---: | ---: | ---: |');
for (const { what, isWhole, bar } of rows) {
  const cost = costOf(what);
  const base = costOf(isWhole === true ? '`node -e 0`' : 'xstate, loading');
  if (cost === undefined || base === undefined) console.log(`| ${what} | not installed | | | | |`);
  else {
    const times = cost.ms / base.ms;
    const cells = [
      what,
      `${cost.ms.toFixed(1)} ms`,
      `${cost.cpuMs.toFixed(1)} ms`,
      times.toFixed(2),
      (cost.cpuMs / base.cpuMs).toFixed(2),
      bar === undefined ? '' : `${bar.most}× ${bar.of}`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
    if (bar !== undefined && times > bar.most) process.exitCode = 1;
  }
}

function loading(name: string, most?: number): Row {
  return program(`${name}, loading`, name, `await import('${name}');`, most);
}

function running(name: keyof typeof sixTasks, most?: number): Row {
  return program(`${name}, loading and six tasks`, name, sixTasks[name], most);
}

function program(what: string, name: string, code: string, most: number | undefined): Row {
  const measured = `const cpu = process.cpuUsage();
    const startedAt = performance.now();
    ${code}
    const ms = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpu);
    globalThis.cost = { ms, cpuMs: (user + system) / 1_000 };`;
  return {
    what,
    args: ['--input-type=module', '--eval', measured],
    package: name === 'topple' ? undefined : name,
    bar: most === undefined ? undefined : { of: 'xstate, loading', most },
  };
}

function measure({ what, args }: Row): Cost {
  const startedAt = performance.now();
  const { status, output } = spawnSync(process.execPath, ['--require', teller, ...args], {
    // From here `topple` is this package, and without the condition of the sources what is in dist/.
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  const ms = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${what} ended with ${status}`);
  return { ms, ...JSON.parse(output[3] as string) };
}

function costOf(what: string): Cost | undefined {
  const all = samples.get(what);
  return all && { ms: median(all.map(({ ms }) => ms)), cpuMs: median(all.map(({ cpuMs }) => cpuMs)) };
}
