// npm run bench:simulation: measures schedules of a simulation beside the same flow run bare on the virtual clock.
//
// Six tasks with two service calls each. Both sides take turns in one process; CPU is that of the whole process. Bare, a
// run has an engine of its own, and its services answer after a turn of the event loop.

import { setImmediate as turn } from 'node:timers/promises';
import { createEngine, createFlow } from 'topple';
import { type Sim, simulate } from 'topple/simulation';
import { createVirtualClock } from 'topple/testing';

const ROUNDS = 11;
const SCHEDULES = 400;
/** Share of the bare speed that a simulation must reach. */
const LEAST = 1 / 3;
/** Schedules over which memory must not grow. */
const MANY = Number(process.argv[2] ?? 20_000);

class Store {
  rows = 0;

  async read(): Promise<number> {
    return this.rows;
  }

  async add(): Promise<void> {
    this.rows++;
  }
}

const limits = { timeoutMs: 10_000, retry: { maxAttempts: 3, backoff: 1_000 } };
const perform = async (): Promise<void> => {};
const flow = createFlow('six')
  .task('a', { ...limits, perform })
  .task('b', { ...limits, dependsOn: ['a'], perform })
  .task('c', { ...limits, dependsOn: ['a'], perform })
  .task('d', { ...limits, dependsOn: ['b'], perform })
  .task('e', { ...limits, dependsOn: ['c'], perform })
  .task('f', { ...limits, dependsOn: ['d', 'e'], perform });
const ids = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

function bodiesOf(
  store: Pick<Store, 'read' | 'add'>,
): Record<(typeof ids)[number], { perform: () => Promise<void> }> {
  const body = {
    perform: async () => {
      await store.read();
      await store.add();
    },
  };
  return { a: body, b: body, c: body, d: body, e: body, f: body };
}

const world = (sim: Sim) => ({ store: sim.service(new Store()) });
const bodies = ({ store }: { store: Store }) => bodiesOf(store);

async function bare(): Promise<void> {
  for (let count = 0; count < SCHEDULES; count++) {
    const clock = createVirtualClock();
    const engine = createEngine({ clock });
    const store = new Store();
    const late = {
      read: () => turn().then(() => store.read()),
      add: () => turn().then(() => store.add()),
    };
    const run = await engine.start(flow.provide(bodiesOf(late)));
    await clock.run(run.settled());
  }
}

const simulated = (seed: number, schedules = SCHEDULES) => simulate(flow, { world, bodies, seed, schedules });

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1_000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

const pairs: { bare: number; simulated: number }[] = [];
for (let round = 0; round < ROUNDS + 2; round++) {
  const first = round % 2 === 0;
  const [one, two] = first ? [bare, () => simulated(round)] : [() => simulated(round), bare];
  const [oneMs, twoMs] = [await cpuOf(one), await cpuOf(two)];
  if (round >= 2) pairs.push(first ? { bare: oneMs, simulated: twoMs } : { bare: twoMs, simulated: oneMs });
}
const share = median(pairs.map((pair) => pair.bare / pair.simulated));
const perSecond = (ms: number): string => Math.round((SCHEDULES / ms) * 1_000).toLocaleString('en');
console.log(`bare       ${perSecond(median(pairs.map((pair) => pair.bare)))} runs a second of CPU`);
console.log(`simulated  ${perSecond(median(pairs.map((pair) => pair.simulated)))} schedules a second of CPU`);
console.log(
  `share      ${share.toFixed(2)}, at least ${LEAST.toFixed(2)}: ${share >= LEAST ? 'met' : 'not met'}`,
);

const heaps: number[] = [];
for (let part = 0; part < 5; part++) {
  await simulated(part, MANY / 5);
  (globalThis as { gc?: () => void }).gc?.();
  heaps.push(Math.round(process.memoryUsage().heapUsed / 1024 / 1024));
}
console.log(`heap in MB after each fifth of ${MANY.toLocaleString('en')} schedules: ${heaps.join(', ')}`);
