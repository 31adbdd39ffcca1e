// npm run bench:terminal: measures `topple run` with its live picture, in a pseudo-terminal. See bench/README.md.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './rows.ts';

const tasks = 1_000;
const concurrency = 20;
/** The limits. */
const most = { runMs: 1_500, shownMs: 300 };

const pathOf = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const built = pathOf('dist/src/cli/main.js');
const isBuilt = existsSync(built);
const flags = isBuilt ? [] : ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
const main = [...flags, isBuilt ? built : pathOf('src/cli/main.ts')];
const bare = [...flags, pathOf('bench/bare-run.ts')];

const folder = mkdtempSync(join(tmpdir(), 'topple-bench-'));
const cpuFile = join(folder, 'cpu');
/** Makes the child report the CPU time of its threads when it exits. */
const tellCpu = `data:text/javascript,import { writeFileSync } from 'node:fs';
process.on('exit', () => { const { user, system } = process.cpuUsage(); writeFileSync(${JSON.stringify(cpuFile)}, String((user + system) / 1000)); });`;

interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
  /** Number of pictures drawn. */
  readonly pictures: number;
}

console.error(`Measuring ${main.at(-1)} on Node ${process.versions.node} …`);
console.log(`| ${tasks} tasks, in a pseudo-terminal | time | CPU | pictures |\n| --- | ---: | ---: | ---: |`);
for (const [durationMs, times] of [
  [0, 11],
  [20, 5],
] as const) {
  const graph = graphOf(durationMs);
  const live: Sample[] = [];
  const plain: Sample[] = [];
  // In turn, so that fluctuations of the machine affect both alike.
  for (let time = 0; time < times; time++) {
    live.push(await runInTerminal([...main, 'run', graph, '--concurrency', String(concurrency)]));
    plain.push(await runInTerminal([...bare, graph, String(concurrency)]));
  }
  const shown = row(`\`topple run\`, tasks of ${durationMs} ms`, live);
  const unshown = row('the same by a script that shows nothing', plain);
  const costMs = durationMs === 0 ? shown.ms - unshown.ms : shown.cpuMs - unshown.cpuMs;
  console.log(
    `| so the command line and its picture take (at most ${most.shownMs} ms) | ${Math.round(shown.ms - unshown.ms)} ms | ${Math.round(shown.cpuMs - unshown.cpuMs)} ms | |`,
  );
  if (costMs > most.shownMs || (durationMs === 0 && shown.ms > most.runMs)) process.exitCode = 1;
}
rmSync(folder, { recursive: true });

function row(what: string, samples: readonly Sample[]): Sample {
  const of = (key: keyof Sample): number => median(samples.map((sample) => sample[key]));
  const sample = { ms: of('ms'), cpuMs: of('cpuMs'), pictures: of('pictures') };
  console.log(
    `| ${what} | ${Math.round(sample.ms)} ms | ${Math.round(sample.cpuMs)} ms | ${sample.pictures || ''} |`,
  );
  return sample;
}

/** Layers of 50; each task depends on two of the layer above. */
function graphOf(duration: number): string {
  const path = join(folder, `graph-${duration}.json`);
  const entries = Array.from({ length: tasks }, (_, i) => {
    const needs = [i - 50, i - 57].filter((task) => task >= 0).map((task) => `task-${task}`);
    return [`task-${i}`, { needs, duration }];
  });
  writeFileSync(path, JSON.stringify({ tasks: Object.fromEntries(entries) }));
  return path;
}

async function runInTerminal(args: readonly string[]): Promise<Sample> {
  const command = [process.execPath, '--import', tellCpu, ...args].map(
    (word) => `'${word.replaceAll("'", "'\\''")}'`,
  );
  const { CI: _, NO_COLOR: __, ...env } = process.env;
  const startedAt = performance.now();
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `stty cols 100 rows 40; exec ${command.join(' ')}`, '/dev/null'],
    {
      env: { ...env, TERM: 'xterm-256color' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString('latin1');
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${shown}`);
  const ms = performance.now() - startedAt;
  return {
    ms,
    cpuMs: Number(readFileSync(cpuFile, 'utf8')),
    pictures: shown.split('\u001b[?2026h').length - 1,
  };
}
