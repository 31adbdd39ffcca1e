// npm run bench:http: measures how much background tasks slow the responses of a plain Node server, and whether any
// task is lost.
//
// 1. p99 of the response at a fixed rate, with three tasks a request and without, in turn: with evenly spaced requests,
//    and in bursts, as sent by autocannon's rate limit (which reports latencies in whole milliseconds).
// 2. 10,000 requests over 100 connections, three tasks each, several times: tasks counted, heap after collection.
//
// Server and load run in separate processes, so on a machine with fewer than two free cores they slow each other.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import type { Tally } from './http-server.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '10000' },
  },
});
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const requests = Number(values.requests);

/** Limit of the p99 with tasks, as a multiple of that without. */
const BAR = 1.3;

const child = fork(new URL('./http-server.ts', import.meta.url), {
  execArgv: [...process.execArgv, '--expose-gc'],
});
const [port] = (await once(child, 'message')) as [number];
console.log(`Node ${process.version}, ${availableParallelism()} cores, three tasks a request\n`);

const isFast = [
  await compareLatency('evenly', sendEvenly),
  await compareLatency("each second's at its start", sendInBursts),
].every(Boolean);
const isWhole = await countTasks();
child.disconnect();
process.exitCode = isFast && isWhole ? 0 : 1;

async function compareLatency(
  how: string,
  send: (path: string, forSeconds: number) => Promise<number[]>,
): Promise<boolean> {
  for (const path of ['/bare', '/tasks']) await send(path, 5);
  const p99 = { bare: [] as number[], tasks: [] as number[] };
  console.log(`p99 at ${rate} requests a second, ${how}, ${seconds} s a round`);
  for (let round = 1; round <= rounds; round++) {
    // In turn, with alternating order.
    const order = round % 2 === 1 ? (['bare', 'tasks'] as const) : (['tasks', 'bare'] as const);
    for (const name of order) p99[name].push(percentile(await send(`/${name}`, seconds), 0.99));
    console.log(`  round ${round}: ${ms(p99.bare.at(-1))} without, ${ms(p99.tasks.at(-1))} with`);
  }
  const [bare, tasks] = [median(p99.bare), median(p99.tasks)];
  const ratio = tasks / bare;
  console.log(`  median: ${ms(bare)} without, ${ms(tasks)} with: ${ratio.toFixed(2)} times; bar ${BAR}\n`);
  return ratio <= BAR;
}

async function countTasks(): Promise<boolean> {
  console.log(`${requests} requests over 100 connections, three tasks each`);
  await tally();
  let isWhole = true;
  for (let round = 1; round <= rounds; round++) {
    const { non2xx, errors } = await autocannon({
      url: `http://127.0.0.1:${port}/tasks`,
      amount: requests,
      connections: 100,
    });
    const { ran, twice, heapBytes } = await tally();
    const lost = 3 * requests - ran;
    isWhole &&= lost === 0 && twice === 0 && non2xx + errors === 0;
    const heap = (heapBytes / 2 ** 20).toFixed(1);
    console.log(
      `  round ${round}: ${lost} lost, ${twice} twice, ${non2xx + errors} errors; heap ${heap} MiB`,
    );
  }
  return isWhole;
}

/** Sends requests at fixed instants, whether or not earlier ones are answered, and returns their latencies in ms. */
async function sendEvenly(path: string, forSeconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const total = rate * forSeconds;
  const answers: Promise<number>[] = [];
  const startedAt = performance.now();
  for (;;) {
    const due = Math.min(Math.floor(((performance.now() - startedAt) / 1_000) * rate), total);
    while (answers.length < due) answers.push(latencyOf(path, agent));
    if (due === total) break;
    await setTimeout(1);
  }
  const latencies = await Promise.all(answers);
  agent.destroy();
  return latencies;
}

/** Sends the requests of each second at its start, over ten connections, each as soon as the one before is answered. */
async function sendInBursts(path: string, forSeconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 10 });
  const latencies: number[] = [];
  const client = async (): Promise<void> => {
    for (let left = rate / 10; left > 0; left--) latencies.push(await latencyOf(path, agent));
  };
  for (let second = 0; second < forSeconds; second++) {
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 10 }, client));
    await setTimeout(1_000 - (performance.now() - startedAt));
  }
  agent.destroy();
  return latencies;
}

function latencyOf(path: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    get({ port, path, agent, host: '127.0.0.1' }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - from));
    }).on('error', reject);
  });
}

async function tally(): Promise<Tally> {
  const [answer] = (await ask(child)) as [Tally];
  return answer;
}

function ask(process: ChildProcess): Promise<unknown[]> {
  const answer = once(process, 'message');
  process.send('tally');
  return answer;
}

function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * fraction), sorted.length - 1)] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

function ms(value = Number.NaN): string {
  return `${value.toFixed(2)} ms`;
}
