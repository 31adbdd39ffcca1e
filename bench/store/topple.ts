import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { type AnyFlow, createEngine, createFlow, createFlowFromGraph, type Engine } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import { median } from '../rows.ts';
import { makeTasks } from '../workloads.ts';
import type { Figures } from './bars.ts';
import { inParallel, taskCost } from './cost.ts';

const perform = async (): Promise<number> => 1;

const after = ['account'] as const;
const signup = createFlow('signup')
  .task('account', { perform })
  .task('mail', { dependsOn: after, perform })
  .task('crm', { dependsOn: after, perform })
  .task('sms', { dependsOn: after, perform })
  .task('card', { dependsOn: after, perform })
  .task('audit', { dependsOn: ['mail', 'crm', 'sms', 'card'], perform });
const tasksOfSignup = 6;
const warmUps = 4;
const rounds = 5;
/** The number of runs that `graph` makes. */
export const runsOfGraph = warmUps + rounds;

/** Runs of a graph, one after the other. */
export async function graph(
  file: string | undefined,
  shape: 'layered' | 'chain',
  size: number,
): Promise<Figures> {
  const { engine, close } = await open(file);
  const flow = flowOf(shape, size);
  const figures = await costOf(size, () => runOne(engine, flow));
  await close();
  return figures;
}

/** Many runs of six tasks, some at a time. */
export async function runs(file: string | undefined, count: number, atOnce: number): Promise<Figures> {
  const { engine, close } = await open(file);
  const figures = await costOf(count * tasksOfSignup, () =>
    inParallel(count, atOnce, () => runOne(engine, signup)),
  );
  await close();
  return figures;
}

/** A server that starts so many runs a second: how long a client waits for an answer that does not wait for them. */
export async function server(file: string | undefined, perSecond: number): Promise<Figures> {
  const { engine, close } = await open(file);
  const started = new Set<Promise<unknown>>();
  const http = createServer((_request, response) => {
    const run = runOne(engine, signup).finally(() => started.delete(run));
    started.add(run);
    response.writeHead(202).end('accepted');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  await requests(port, perSecond, 1_000);
  const latencies = await requests(port, perSecond, 4_000);
  await Promise.all(started);
  http.close();
  await close();
  return { p99Ms: percentile(latencies, 0.99), p50Ms: percentile(latencies, 0.5) };
}

/** How long an engine takes to recover a run most of whose tasks have settled. */
export async function recovery(file: string, size: number): Promise<Figures> {
  const hold = Promise.withResolvers<number>();
  const flow = flowOf('layered', size, (taskId) =>
    taskId === `task-${size - 1}` ? hold.promise : perform(),
  );
  const first = await open(file);
  const run = await first.engine.start(flow);
  run.settled().catch(() => {});
  const allButTheLast = 1 + 3 * size - 1;
  while (run.seq < allButTheLast) await setTimeout(20);
  await first.engine.stop();
  await first.close();
  const next = await open(file);
  const watch = longestTurn();
  const beganAt = performance.now();
  const [recovered] = await next.engine.recover([flow]);
  const seconds = (performance.now() - beganAt) / 1_000;
  const longestMs = await watch();
  hold.resolve(1);
  await recovered?.settled();
  await next.close();
  return { seconds, longestMs };
}

/** How long the first page of a list of many runs takes. */
export async function firstPage(file: string, count: number): Promise<Figures> {
  await (await createSqliteStore(file)).close();
  fill(file, count);
  const { engine, close } = await open(file);
  const times: number[] = [];
  for (let look = 0; look < 20; look++) {
    const beganAt = performance.now();
    await engine.runs({ newestFirst: true, limit: 50 });
    await engine.runs({ settled: false, limit: 50 });
    times.push(performance.now() - beganAt);
  }
  await close();
  return { pageMs: percentile(times, 0.5), worstMs: Math.max(...times) };
}

/** How often a second the file's disk can sync a small append. */
export function syncs(folder: string, count: number): Figures {
  const handle = openSync(join(folder, 'syncs'), 'a');
  const page = Buffer.alloc(4_096, 1);
  const beganAt = performance.now();
  for (let sync = 0; sync < count; sync++) {
    writeSync(handle, page);
    fsyncSync(handle);
  }
  const seconds = (performance.now() - beganAt) / 1_000;
  closeSync(handle);
  return { syncsPerS: count / seconds };
}

async function open(file: string | undefined): Promise<{ engine: Engine; close(): Promise<void> }> {
  if (file === undefined) return { engine: createEngine(), close: async () => {} };
  const store = await createSqliteStore(file);
  const engine = createEngine({ store });
  return {
    engine,
    async close() {
      await engine.stop();
      await store.close();
    },
  };
}

function flowOf(
  shape: 'layered' | 'chain',
  size: number,
  body: (taskId: string) => Promise<number> = perform,
): AnyFlow {
  const tasks = Object.fromEntries(makeTasks(shape, size).map(({ id, dependsOn }) => [id, { dependsOn }]));
  return createFlowFromGraph({ name: `${shape}-${size}`, tasks }, ({ taskId }) => body(taskId));
}

async function runOne(engine: Engine, flow: AnyFlow): Promise<void> {
  const run = await engine.start(flow as typeof signup);
  await run.outputs();
}

/** The medians of some rounds, after some that warm up. */
async function costOf(tasks: number, work: () => Promise<void>): Promise<Figures> {
  const rates: number[] = [];
  const costs: number[] = [];
  for (let round = 0; round < warmUps + rounds; round++) {
    globalThis.gc?.();
    const { tasksPerS, cpuUs } = await taskCost(tasks, work);
    if (round < warmUps) continue;
    rates.push(tasksPerS);
    costs.push(cpuUs);
  }
  return { tasksPerS: median(rates), cpuUs: median(costs) };
}

/** Sends requests at even distances and returns their latencies in milliseconds. */
async function requests(port: number, perSecond: number, forMs: number): Promise<number[]> {
  const latencies: Promise<number>[] = [];
  const beganAt = performance.now();
  for (let sent = 0; ; sent++) {
    const waitMs = beganAt + (sent * 1_000) / perSecond - performance.now();
    if (waitMs > 0) await setTimeout(waitMs);
    if (performance.now() - beganAt > forMs) return Promise.all(latencies);
    latencies.push(request(port));
  }
}

function request(port: number): Promise<number> {
  const beganAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - beganAt));
    });
    sent.on('error', reject);
  });
}

/** Measures the longest time between two turns of the event loop, until the function that it returns is called. */
function longestTurn(): () => Promise<number> {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  return async () => {
    await setTimeout(0);
    isOver = true;
    return longest;
  };
}

/** Settled runs, written as rows: making them by runs would take minutes. Each has the entries of a small one. */
function fill(file: string, count: number): void {
  const database = new DatabaseSync(file);
  database.exec(`BEGIN;
    WITH RECURSIVE ns(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM ns WHERE i < ${count})
    INSERT INTO runs (id, flow, started_at, ended_at, ending)
      SELECT 'run-' || i, 'signup', 1700000000000 + i, 1700000000100 + i, 'done' FROM ns;
    COMMIT;`);
  database.close();
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
