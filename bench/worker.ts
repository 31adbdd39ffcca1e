// A child process of the bench: one engine under one workload. It measures a round for each message.

import type { Engine } from './engines/engine.ts';
import type { EngineName } from './plan.ts';
import { OrderTally, Tally } from './tally.ts';
import {
  checksum,
  makeSignups,
  makeTasks,
  signupChecksum,
  signupsAtOnce,
  type Task,
  type Workload,
} from './workloads.ts';

/** A request to a worker: measure that number of runs, or prove that the order is kept. */
export type Request = { readonly runs: number } | 'check order';

/** The costs of one round, per task. */
export interface Sample {
  readonly defineCpuUs: number;
  readonly runCpuUs: number;
  readonly wallUs: number;
  /** The peak memory of the process so far. */
  readonly maxRssMb: number;
}

export type Answer = 'ready' | { readonly sample: Sample } | { readonly error: string } | 'order kept';

const engines: Record<EngineName, () => Promise<{ readonly engine: Engine }>> = {
  topple: () => import('./engines/topple.ts'),
  'flow.machine': () => import('./engines/flow-machine.ts'),
  'p-graph': () => import('./engines/p-graph.ts'),
  effect: () => import('./engines/effect.ts'),
  'effect-by-hand': () => import('./engines/effect-by-hand.ts'),
  'async.auto': () => import('./engines/async-auto.ts'),
  fastq: () => import('./engines/fastq.ts'),
  promises: () => import('./engines/promises.ts'),
};

const [name, workload, size] = process.argv.slice(2) as [EngineName, Workload, string];
const { engine } = await engines[name]();
const tasks = makeTasks(workload, Number(size));
const expectedSum = checksum(tasks);

process.on('message', (request: Request) => {
  answer(request).then(
    (given) => process.send?.(given),
    (error) => process.send?.({ error: String(error?.stack ?? error) } satisfies Answer),
  );
});

process.on('disconnect', () => process.exit());
process.send?.('ready' satisfies Answer);

async function answer(request: Request): Promise<Answer> {
  if (request === 'check order') {
    await checkOrder();
    return 'order kept';
  }
  const { runs } = request;
  return { sample: workload === 'signup' ? await signUp(runs) : await runGraphs(runs) };
}

async function runGraphs(runs: number): Promise<Sample> {
  let spent = nothing;
  for (let run = 1; run <= runs; run++) {
    const tally = new Tally();
    const start = now();
    const perform = engine.defineGraph(tasks, tally, workload);
    const defined = now();
    await perform();
    const ended = now();
    if (run === runs) await aftermath();
    spent = add(spent, start, defined, ended);
    checkTally(tally, tasks.length, expectedSum);
  }
  return perTask(spent, runs * tasks.length);
}

async function signUp(runs: number): Promise<Sample> {
  const inputs = makeSignups(runs);
  const tally = new Tally();
  const start = now();
  const signUpAll = engine.defineSignup(tally);
  const defined = now();
  await signUpAll(inputs, signupsAtOnce);
  const ended = now();
  await aftermath();
  checkTally(tally, runs * tasks.length, signupChecksum(inputs));
  return perTask(add(nothing, start, defined, ended), runs * tasks.length);
}

/** Waits for the other threads, which may still be sweeping or compiling after the round: that is part of its cost. */
function aftermath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

interface Instant {
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** CPU time of all threads. */
function now(): Instant {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, wallUs: performance.now() * 1_000 };
}

const nothing = { defineCpuUs: 0, runCpuUs: 0, wallUs: 0 };

function add(spent: typeof nothing, start: Instant, defined: Instant, ended: Instant): typeof nothing {
  return {
    defineCpuUs: spent.defineCpuUs + defined.cpuUs - start.cpuUs,
    runCpuUs: spent.runCpuUs + now().cpuUs - defined.cpuUs,
    wallUs: spent.wallUs + ended.wallUs - start.wallUs,
  };
}

function perTask({ defineCpuUs, runCpuUs, wallUs }: typeof nothing, count: number): Sample {
  return {
    defineCpuUs: defineCpuUs / count,
    runCpuUs: runCpuUs / count,
    wallUs: wallUs / count,
    maxRssMb: process.resourceUsage().maxRSS / 1_024,
  };
}

function checkTally(tally: Tally, count: number, sum: number): void {
  if (tally.count !== count) throw new Error(`${name} ran ${tally.count} tasks of ${count}`);
  if (engine.passesOutputs && tally.sum !== sum)
    throw new Error(`${name} gave the sum ${tally.sum}, not ${sum}`);
}

/** If outputs are passed on, their sum proves the order; otherwise the tasks check it. */
async function checkOrder(): Promise<void> {
  if (engine.passesOutputs) return;
  const few: readonly Task[] = workload === 'signup' ? tasks : makeTasks(workload, 1_000);
  const tally = new OrderTally(few);
  if (workload === 'signup') await engine.defineSignup(tally)(makeSignups(1), 1);
  else await engine.defineGraph(few, tally, workload)();
  checkTally(tally, few.length, 0);
}
