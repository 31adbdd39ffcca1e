// npm run bench:cli: measures the command line, including the start of the process. See bench/README.md.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeArchive } from './archive.ts';
import { median } from './rows.ts';

const pathOf = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const built = pathOf('dist/src/cli/main.js');
const isBuilt = existsSync(built);
const main = isBuilt ? built : pathOf('src/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'topple-bench-'));
/** Makes the child report its peak memory when it exits. */
const tellMemory = `data:text/javascript,import { writeSync } from 'node:fs';
process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));`;

interface Row {
  readonly what: string;
  readonly args: readonly string[];
  readonly times: number;
  readonly mostMs: number;
  readonly mostMb?: number | undefined;
}

const rows: readonly Row[] = [
  { what: '`--help`', args: ['--help'], times: 11, mostMs: 150 },
  {
    what: '`simulate --workers 16`, 63,000 tasks, 256,000 dependencies',
    args: ['simulate', fileOf('archive.json', makeArchive()), '--workers', '16', '--json'],
    times: 3,
    mostMs: 10_000,
    mostMb: 1_000,
  },
  {
    what: '`graph --format svg`, 10,000 tasks, 40,000 dependencies',
    args: ['graph', fileOf('picture.json', makeArchive(10_000, 40_000)), '--format', 'svg'],
    times: 3,
    mostMs: 1_000,
  },
];

console.error(`Measuring ${main} on Node ${process.versions.node} …`);
console.log('| | time | at most | memory | at most |\n| --- | ---: | ---: | ---: | ---: |');
for (const { what, args, times, mostMs, mostMb } of rows) {
  const samples = [];
  for (let time = 0; time < times; time++) samples.push(await run(args));
  const ms = median(samples.map((sample) => sample.ms));
  const mb = median(samples.map((sample) => sample.mb));
  const memoryBar = mostMb === undefined ? '' : `${mostMb} MB`;
  console.log(`| ${what} | ${Math.round(ms)} ms | ${mostMs} ms | ${Math.round(mb)} MB | ${memoryBar} |`);
  if (ms > mostMs || mb > (mostMb ?? Number.POSITIVE_INFINITY)) process.exitCode = 1;
}
rmSync(folder, { recursive: true });

async function run(args: readonly string[]): Promise<{ ms: number; mb: number }> {
  const flags = isBuilt ? [] : ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...flags, '--import', tellMemory, main, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  let memory = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    memory += chunk.toString();
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`topple ${args.join(' ')} ended with ${code}`);
  return { ms: performance.now() - startedAt, mb: Number(memory) / 1_024 };
}

function fileOf(name: string, content: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}
