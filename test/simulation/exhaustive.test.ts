import assert from 'node:assert/strict';
import { createFlowFromGraph, type GraphTask } from 'topple';
import { type ScheduleChoice, type SimulationReport, simulate } from 'topple/simulation';
import { createChance } from '../../src/model/chance.ts';
import { spec } from '../spec.ts';

const test = spec('exhaustive simulation');

/** The tasks upstream of each task, in definition order. */
type Deps = readonly (readonly number[])[];

class Log {
  readonly lines: number[] = [];

  async add(task: number): Promise<void> {
    this.lines.push(task);
  }
}

/** Every order of effects that a simulation reaches, of a flow whose tasks each write their number into a log. */
async function reached(
  deps: Deps,
  faults: number,
  choice: Pick<ScheduleChoice, 'schedules' | 'exhaustive'> = {},
): Promise<{ readonly report: SimulationReport; readonly orders: ReadonlySet<string> }> {
  const tasks = Object.fromEntries(
    deps.map((upstream, task): [string, GraphTask] => [String(task), { dependsOn: upstream.map(String) }]),
  );
  const flow = createFlowFromGraph({ name: 'random', tasks }, () => undefined);
  const orders = new Set<string>();
  const report = await simulate(flow, {
    world: (sim) => ({ log: sim.service(new Log()) }),
    bodies: ({ log }) =>
      Object.fromEntries(deps.map((_, task) => [String(task), { perform: () => log.add(task) }])) as never,
    atEnd: ({ log }) => void orders.add(log.lines.join()),
    faults: {
      call: { lost: 0, hangs: 0, silent: 0, slow: 0, late: 0 },
      body: { fails: 0, lost: 0, hangs: 0, deaf: 0 },
    },
    commands: { cancel: 0, pause: 0, rerun: 0, stop: 0, crash: 0 },
    exhaustive: { faults, commands: 0, preemptions: 100 },
    ...choice,
  });
  report.assert();
  return { report, orders };
}

/** The same by brute force: every order of tasks that keeps their dependencies, without one that fails and all behind it. */
function possible(deps: Deps, faults: number): ReadonlySet<string> {
  const orders = new Set<string>();
  const failing = [undefined, ...(faults > 0 ? deps.keys() : [])];
  for (const failed of failing) {
    const gone = new Set<number>(failed === undefined ? [] : [failed]);
    for (const [task, upstream] of deps.entries()) if (upstream.some((one) => gone.has(one))) gone.add(task);
    const go = (order: readonly number[]): void => {
      const next = [...deps.keys()].filter(
        (task) =>
          !gone.has(task) && !order.includes(task) && (deps[task] ?? []).every((one) => order.includes(one)),
      );
      if (next.length === 0) orders.add(order.join());
      for (const task of next) go([...order, task]);
    };
    go([]);
  }
  return orders;
}

test('plays each order of two independent tasks once', async () => {
  const { report, orders } = await reached([[], []], 0);
  // Each task has three points: effect, answer, result. 6! / (3! 3!) orders.
  assert.equal(report.schedules, 20);
  assert.deepEqual(report.exhausted, { faults: 0, commands: 0, preemptions: 100 });
  assert.equal(
    report.verdict,
    'no failure in 20 schedules: every one with at most 0 faults, 0 commands and 100 preemptions',
  );
  assert.deepEqual([...orders].sort(), ['0,1', '1,0']);
});

test('says that it was cut, and is not called exhaustive then', async () => {
  const { report } = await reached([[], []], 0, { schedules: 19 });
  assert.equal(report.exhausted, undefined);
  assert.equal(report.verdict, 'no failure in 19 schedules');
});

test('takes fewer where preemptions are bounded', async () => {
  const bounded = (preemptions: number) => reached([[], []], 0, { exhaustive: { faults: 0, preemptions } });
  const [none, one, two] = [await bounded(0), await bounded(1), await bounded(2)];
  assert.equal(none.report.schedules, 1);
  assert.ok(one.report.schedules < two.report.schedules && two.report.schedules < 20);
});

test('reaches the outcomes that a brute force does, in random flows', async () => {
  const flows = Number(process.env.TOPPLE_FLOWS ?? 12);
  const chance = createChance(Number(process.env.TOPPLE_SEED ?? 0));
  for (let count = 0; count < flows; count++) {
    const size = 1 + Math.floor(chance() * 4);
    // At most two tasks at a time: more have hundreds of thousands of orders.
    const deps: number[][] = [];
    for (let task = 0; task < size; task++) {
      const least = Math.max(0, task - 1);
      const upstream = [...Array(task).keys()].filter((one) => (task > 1 && one < least) || chance() < 0.4);
      deps.push(upstream);
    }
    for (const faults of [0, 1]) {
      const { report, orders } = await reached(deps, faults, { schedules: 100_000 });
      assert.notEqual(report.exhausted, undefined);
      assert.deepEqual([...orders].sort(), [...possible(deps, faults)].sort(), JSON.stringify(deps));
    }
  }
});

test('finds an update that is lost with the fewest preemptions, and plays it again', async () => {
  const flow = createFlowFromGraph({ name: 'counting', tasks: { a: {}, b: {} } }, () => undefined);
  const counting = {
    world: (sim: import('topple/simulation').Sim) => ({
      counter: sim.service({
        value: 0,
        async get() {
          return this.value;
        },
        async set(value: number) {
          this.value = value;
        },
      }),
    }),
    bodies: ({ counter }: { counter: { get(): Promise<number>; set(value: number): Promise<void> } }) => {
      const perform = async (): Promise<void> => counter.set((await counter.get()) + 1);
      return { a: { perform }, b: { perform } } as never;
    },
    atEnd: ({ counter }: { counter: { value: number } }) => counter.value === 2,
  };
  const { failures } = await simulate(flow, { ...counting, exhaustive: { faults: 0, preemptions: 3 } });
  const again = await simulate(flow, { ...counting, schedule: failures[0]?.schedule });
  assert.deepEqual(again.failures, failures);
});
