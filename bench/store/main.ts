// npm run bench:store: what a journal on disk costs. See bench/README.md.
//
// Each row is measured in fresh processes, all rows once a round, and the medians are compared: topple in memory, on
// SQLite, BullMQ's flows on a Redis server of its own that syncs each append too, and DBOS's workflows on a PostgreSQL
// server of its own that syncs each commit. What is not installed is skipped.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { median } from '../rows.ts';
import { bars, type Figures, figuresOf } from './bars.ts';
import { jobs } from './jobs.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
const root = new URL('../..', import.meta.url).pathname;

// The servers of the peers are ended first.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.exitCode = 128 + constants.signals[signal];
    interrupted.abort();
  });
}

const has = (name: string): boolean => existsSync(`${root}/node_modules/${name}`);
const redis = await startRedis();
const hasBullmq = ['bullmq', 'ioredis'].every(has);
if (redis === undefined || !hasBullmq)
  console.log(
    `BullMQ is skipped: ${hasBullmq ? 'there is no redis-server' : '`npm install --no-save bullmq ioredis` is missing'}.\n`,
  );

const hasDbos = has('@dbos-inc/dbos-sdk');
const postgres = hasDbos ? await startPostgres() : undefined;
if (postgres === undefined)
  console.log(
    `DBOS is skipped: ${hasDbos ? 'there is no PostgreSQL' : '`npm install --no-save --ignore-scripts @dbos-inc/dbos-sdk` is missing'}.\n`,
  );

const wanted = jobs.filter(
  ({ name, engine }) =>
    (engine !== 'bullmq' || (redis !== undefined && hasBullmq)) &&
    (engine !== 'dbos' || postgres !== undefined) &&
    (values.only === undefined || name.includes(values.only)),
);
const samples = new Map<string, Figures[]>(wanted.map(({ name }) => [name, []]));
try {
  for (let round = 0; round < rounds; round++) {
    for (const job of wanted) samples.get(job.name)?.push(await measure(job.name));
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
} finally {
  await Promise.all([redis?.stop(), postgres?.stop()]);
}
if (interrupted.signal.aborted) process.exit();

const medians = new Map([...samples].map(([name, list]) => [name, medianOf(list)]));
console.log('| | tasks/s | CPU µs a task | other |\n| --- | ---: | ---: | --- |');
for (const [name, figures] of medians) {
  const { tasksPerS, cpuUs, ...rest } = figures;
  const other = Object.entries(rest).map(([what, value]) => `${what} ${show(value)}`);
  console.log(`| ${name} | ${show(tasksPerS)} | ${show(cpuUs)} | ${other.join(', ')} |`);
}
console.log('\n| bar | at most or least | measured | |\n| --- | ---: | ---: | --- |');
for (const { what, bound, limit, of } of bars) {
  const measured = of(figuresOf(medians));
  if (measured === undefined) continue;
  const isMet = bound === 'most' ? measured <= limit : measured >= limit;
  console.log(`| ${what} | ${bound} ${limit} | ${show(measured)} | ${isMet ? 'met' : 'MISSED'} |`);
  if (!isMet) process.exitCode = 1;
}

async function measure(name: string): Promise<Figures> {
  const worker = new URL('./worker.ts', import.meta.url).pathname;
  const env = {
    ...process.env,
    ...(redis && { BENCH_REDIS_PORT: String(redis.port) }),
    ...(postgres && { BENCH_POSTGRES_PORT: String(postgres.port) }),
  };
  const { signal } = interrupted;
  signal.throwIfAborted();
  const child = spawn(process.execPath, [...process.execArgv, '--expose-gc', worker, name], {
    env,
    signal,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${name} failed`);
  return JSON.parse(said.trim().split('\n').at(-1) as string) as Figures;
}

function medianOf(list: readonly Figures[]): Figures {
  const names = new Set(list.flatMap((figures) => Object.keys(figures)));
  return Object.fromEntries(
    [...names].map((name) => [name, median(list.map((figures) => figures[name] ?? Number.NaN))]),
  );
}

function show(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 100) / 100);
}
