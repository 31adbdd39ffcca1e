import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import timers from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFlow, FlowError } from 'topple';
import { type Schedule, type Sim, SimulationError, simulate } from 'topple/simulation';
import { spec } from '../spec.ts';

const test = spec('simulate');

class Bank {
  charged = 0;
  calls = 0;
  readonly #keys = new Set<string>();

  async charge(cents: number, key?: string): Promise<number> {
    this.calls++;
    if (key !== undefined && this.#keys.has(key)) return this.charged;
    if (key !== undefined) this.#keys.add(key);
    this.charged += cents;
    return this.charged;
  }
}

const limits = { timeoutMs: 10_000, retry: { maxAttempts: 3, backoff: 1_000 } };
const order = createFlow('order')
  .task('pay', { ...limits, perform: async () => 0 })
  .task('ship', { ...limits, dependsOn: ['pay'], perform: async ({ deps }) => deps.pay });
const bankOf = (sim: Sim) => ({ bank: sim.service(new Bank()) });
const atMost500 = ({ bank }: { bank: Bank }): boolean => bank.charged <= 500;
const chargeAgain = {
  world: bankOf,
  bodies: ({ bank }: { bank: Bank }) => ({ pay: { perform: () => bank.charge(500) } }),
  invariant: atMost500,
};

test('finds a charge that is made twice, with one fault', async () => {
  const report = await simulate(order, chargeAgain);
  assert.equal(report.isGood, false);
  const [failure] = report.failures;
  assert.equal(failure?.kind, 'invariant');
  assert.equal(
    Object.keys(failure.schedule.faults).length + Object.keys(failure.schedule.commands).length,
    1,
  );
  assert.deepEqual(failure.schedule.delays, {});
  assert.match(
    failure.story.at(-1) ?? '',
    /`invariant` does not hold\. The world: bank \{"charged":1000,"calls":2\}/,
  );
  assert.match(failure.mermaid, /^sequenceDiagram\n/);
  assert.throws(() => report.assert(), SimulationError);
});

test('finds nothing where the key is given', async () => {
  const report = await simulate(order, {
    ...chargeAgain,
    bodies: ({ bank }) => ({ pay: { perform: ({ idempotencyKey }) => bank.charge(500, idempotencyKey) } }),
    schedules: 400,
  });
  assert.equal(report.verdict, 'no failure in 400 schedules');
  assert.equal(report.schedules, 400);
  assert.deepEqual(Object.keys(report.outcomes).sort(), ['cancelled (cancelled)', 'done', 'failed']);
  report.assert();
});

test('plays the schedule of a failure again', async () => {
  const { failures } = await simulate(order, chargeAgain);
  const again = await simulate(order, { ...chargeAgain, schedule: failures[0]?.schedule });
  assert.equal(again.schedules, 1);
  assert.deepEqual(again.failures, failures);
});

test('plays the same schedules for the same seed, and others for another', async () => {
  const traced = async (seed: number): Promise<readonly string[]> => {
    const traces: string[] = [];
    await simulate(order, {
      world: bankOf,
      bodies: ({ bank }) => ({
        pay: {
          perform: ({ idempotencyKey }) => bank.charge(Math.floor(Math.random() * 1e6), idempotencyKey),
        },
      }),
      atEnd: ({ bank }, view) => void traces.push(JSON.stringify([bank.charged, bank.calls, view])),
      schedules: 120,
      seed,
    });
    return traces;
  };
  const first = await traced(7);
  assert.equal(first.length, 120);
  assert.deepEqual(await traced(7), first);
  assert.notDeepEqual(await traced(8), first);
});

const one = (faults: Schedule['faults'], commands: Schedule['commands'] = {}): Schedule => ({
  faults,
  commands,
  delays: {},
});

async function chargedUnder(schedule: Schedule): Promise<readonly [calls: number, status: string]> {
  const seen: [number, string][] = [];
  const report = await simulate(order, {
    ...chargeAgain,
    invariant: undefined,
    atEnd: ({ bank }, { status }) => void seen.push([bank.calls, status]),
    schedule,
  });
  report.assert();
  return seen[0] as [number, string];
}

test('has a call fail, lose its answer, hang, fall silent, be slow and be late', async () => {
  assert.deepEqual(await chargedUnder(one({})), [1, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1 bank.charge': 'fails' })), [1, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1 bank.charge': 'lost' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1 bank.charge': 'hangs' })), [1, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1 bank.charge': 'silent' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1 bank.charge': 'slow 9000' })), [1, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1 bank.charge': 'slow 20000' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1 bank.charge': 'late 60000' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'bank.charge': 'lost' })), [3, 'failed']);
});

test('has a body fail, lose its result and hang', async () => {
  assert.deepEqual(await chargedUnder(one({ 'pay#1': 'fails' })), [1, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1': 'lost' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({ 'pay#1': 'hangs' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({ pay: 'fails' })), [0, 'failed']);
});

test('cancels, pauses, stops and loses the process after a step', async () => {
  const effect = 'pay#1 bank.charge effect';
  assert.deepEqual(await chargedUnder(one({}, { [effect]: 'cancel' })), [1, 'cancelled']);
  assert.deepEqual(await chargedUnder(one({}, { [effect]: 'pause' })), [1, 'done']);
  assert.deepEqual(await chargedUnder(one({}, { [effect]: 'stop' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({}, { [effect]: 'crash' })), [2, 'done']);
  assert.deepEqual(await chargedUnder(one({ pay: 'fails' }, { 'pay#3': 'rerun' })), [0, 'failed']);
});

test('reruns a run that has failed', async () => {
  const failed = one({
    'pay#1 bank.charge': 'fails',
    'pay#2 bank.charge': 'fails',
    'pay#3 bank.charge': 'fails',
  });
  assert.deepEqual(await chargedUnder(failed), [0, 'failed']);
  const commands = { 'pay#3 ends': 'rerun' };
  assert.deepEqual(await chargedUnder({ ...failed, commands }), [1, 'done']);
});

test('recovers a run of which any part of an append was kept', async () => {
  for (let seq = 1; seq <= 6; seq++)
    for (const kept of [0, 1])
      assert.equal(
        (await chargedUnder(one({ [`run ${seq}`]: `crash ${kept}` })))[1],
        'done',
        `run ${seq}: ${kept}`,
      );
});

test('survives a store that fails once', async () => {
  for (const fault of ['refused', 'unsure'])
    for (let seq = 1; seq <= 8; seq++)
      assert.deepEqual(
        await chargedUnder({ ...one({ [`run ${seq}`]: fault }), lateStore: true }),
        [1, 'done'],
        `${fault} ${seq}`,
      );
});

test('lets no call of a process that is gone reach a service', async () => {
  const flow = createFlow('two calls').task('work', { ...limits, perform: async () => {} });
  const seen: (readonly string[])[] = [];
  const report = await simulate(flow, {
    world: (sim) => ({
      log: sim.service({
        lines: [] as string[],
        async add(line: string) {
          this.lines.push(line);
        },
      }),
    }),
    bodies: ({ log }) => {
      let calls = 0;
      return {
        work: {
          perform: async () => {
            await log.add(`${++calls} first`);
            await log.add(`${++calls} second`);
          },
        },
      };
    },
    atEnd: ({ log }) => void seen.push(log.lines),
    schedule: one({}, { 'work#1 log.add effect': 'crash' }),
  });
  report.assert();
  // A new process has new bodies, which count anew.
  assert.deepEqual(seen, [['1 first', '1 first', '2 second']]);
});

test('says which method has taken effect twice, where it must not', async () => {
  const report = await simulate(order, {
    world: (sim: Sim) => ({ bank: sim.service(new Bank(), { charge: { once: true } }) }),
    bodies: chargeAgain.bodies,
  });
  assert.equal(report.failures[0]?.kind, 'once');
  assert.match(report.failures[0].message, /`bank.charge` has taken effect twice for "run\/pay"/);
});

test('has no faults at a method that is to have none', async () => {
  const report = await simulate(order, {
    world: (sim: Sim) => ({ bank: sim.service(new Bank(), { charge: { faults: false } }) }),
    bodies: chargeAgain.bodies,
    invariant: atMost500,
    faults: { body: { lost: 0, hangs: 0, deaf: 0 } },
    commands: { crash: 0, stop: false },
    schedules: 200,
  });
  report.assert();
});

test('gives bodies virtual timers and dates, and the process its own again', async () => {
  const flow = createFlow('slow').task('wait', {
    perform: async () => {
      const from = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 3_600_000));
      await sleep(3_600_000);
      return Date.now() - from;
    },
  });
  const outputs = new Set<unknown>();
  const before = [setTimeout, Date, Math.random];
  const report = await simulate(flow, {
    world: () => ({}),
    atEnd: (_, { tasks }) => void outputs.add(tasks.wait?.output),
    faults: { body: { hangs: 0 } },
    commands: { cancel: 0 },
    schedules: 20,
  });
  report.assert();
  assert.deepEqual(
    [...outputs].filter((output) => output !== undefined),
    [7_200_000],
  );
  assert.deepEqual([setTimeout, Date, Math.random], before);
});

test('names a body that waits for something real', async () => {
  const flow = createFlow('real').task('read', { perform: () => readFile(import.meta.filename, 'utf8') });
  const report = await simulate(flow, { world: () => ({}) });
  assert.equal(report.failures[0]?.kind, 'waits for something real');
  assert.match(report.failures[0].message, /the body of `read#1` waits for something real.*sim\.service/);
});

test('finds a run that never settles, and says what it waits for', async () => {
  const flow = createFlow('endless').task('pay', { perform: async () => 0 });
  const report = await simulate(flow, {
    world: bankOf,
    bodies: ({ bank }) => ({ pay: { perform: () => bank.charge(5) } }),
    schedule: one({ 'pay#1 bank.charge': 'hangs' }),
  });
  assert.equal(
    report.failures[0]?.message,
    'the run has never settled: `pay#1` waits for the answer of `bank.charge`, which never comes, without a time limit',
  );
  const stuck = createFlow('stuck').task('wait', { perform: () => new Promise(() => {}) });
  const { failures } = await simulate(stuck, { world: () => ({}) });
  assert.equal(
    failures[0]?.message,
    'the run has never settled: `wait#1` waits for something that nobody gives',
  );
});

test('finds a call, a timer and a rejection that a body leaves behind', async () => {
  const flow = createFlow('careless').task('work', { ...limits, perform: async () => 0 });
  const failureOf = async (perform: (bank: Bank) => Promise<number>): Promise<string | undefined> => {
    const report = await simulate(flow, {
      world: bankOf,
      bodies: ({ bank }) => ({ work: { perform: () => perform(bank) } }),
      schedule: one({}),
    });
    return report.failures[0]?.message;
  };
  assert.equal(
    await failureOf(async (bank) => {
      void bank.charge(5);
      return 1;
    }),
    '`work#1` has returned while its call of `bank.charge` was under way',
  );
  assert.equal(
    await failureOf(async () => {
      setInterval(() => {}, 1_000);
      return 1;
    }),
    'a timer of a body goes on after the run settled',
  );
  assert.equal(
    await failureOf(async () => {
      void Promise.reject(new Error('nobody cares'));
      return 1;
    }),
    'a promise was rejected, and nobody handled it: nobody cares',
  );
});

test('finds a body that was told to end, and goes on', async () => {
  const flow = createFlow('deaf').task('poll', {
    timeoutMs: 60_000,
    graceMs: 1_000,
    perform: async () => {
      for (let turn = 0; turn < 100; turn++) await sleep(10_000);
    },
  });
  const { failures } = await simulate(flow, { world: () => ({}), schedule: one({}) });
  assert.match(
    failures[0]?.message ?? '',
    /^the body of `poll#1` was told to end, and goes on .* after the run settled$/,
  );
});

test('finds an update that is lost between two tasks', async () => {
  const flow = createFlow('counting')
    .task('a', { ...limits, perform: async () => {} })
    .task('b', { ...limits, perform: async () => {} });
  const report = await simulate(flow, {
    world: (sim) => ({
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
    bodies: ({ counter }) => {
      const perform = async (): Promise<void> => counter.set((await counter.get()) + 1);
      return { a: { perform }, b: { perform } };
    },
    atEnd: ({ counter }, { status }) => status !== 'done' || counter.value >= 2,
  });
  assert.deepEqual(report.failures[0]?.schedule.faults, {});
});

test('runs child runs, maps, actors and several runs, and learns which methods are asynchronous', async () => {
  const { fromPromise } = await import('xstate');
  const inner = createFlow('inner').task('in', { ...limits, perform: async () => 0 });
  const flow = createFlow('outer')
    .flow('child', { flow: inner })
    .map('map', { over: () => [1, 2], ...limits, perform: async () => 0 })
    .task('actor', { ...limits, perform: async () => 0 });
  const calls = new Set<string>();
  const report = await simulate(flow, {
    world: (sim) => ({ log: sim.service({ add: (line: string) => Promise.resolve(calls.add(line).size) }) }),
    bodies: ({ log }) => ({
      child: { tasks: { in: { perform: () => log.add('in') } } },
      map: { perform: ({ index }) => log.add(`item ${index}`) },
      actor: { actor: fromPromise(() => log.add('actor')) },
    }),
    runs: [{ flow, at: 1_000 }],
    atEnd: (_, __, views) => views.length === 2,
    schedules: 150,
  });
  report.assert();
  assert.deepEqual([...calls].sort(), ['actor', 'in', 'item 0', 'item 1']);
});

test('refuses options that it does not know, or that are wrong', async () => {
  const world = () => ({});
  await assert.rejects(simulate(order, { world, other: 1 } as never), FlowError);
  await assert.rejects(simulate(order, { world: 1 } as never), FlowError);
  await assert.rejects(simulate(order, { world, schedules: 0 }), FlowError);
  await assert.rejects(simulate(order, { world, seed: 0.5 }), FlowError);
  await assert.rejects(simulate(order, { world, runs: {} } as never), FlowError);
  await assert.rejects(simulate(order, { world, runs: [{ flow: 1 }] } as never), FlowError);
  await assert.rejects(simulate(order, { world, schedule: { faults: {} } } as never), FlowError);
  await assert.rejects(simulate(order, { world, exhaustive: { faults: -1 } }), FlowError);
  await assert.rejects(simulate(order, { world, faults: { call: { slow: -1 } } }), FlowError);
  await assert.rejects(simulate(order, { world, commands: { crush: false } } as never), {
    name: 'FlowError',
    message: /does not take `crush`. Did you mean `crash`\?/,
  });
  await assert.rejects(simulate(order, { world, bodies: () => ({ nobody: {} }) as never }), FlowError);
});

test('says what was reached and what was not', async () => {
  const flow = createFlow('two ways')
    .task('a', { ...limits, perform: async () => {} })
    .task('b', { ...limits, perform: async () => {} })
    .task('join', { dependsOn: ['a', 'b'], triggerRule: 'all_settled', perform: () => {} });
  const report = await simulate(flow, {
    world: (sim) => ({ bank: sim.service(new Bank()) }),
    bodies: ({ bank }) => ({ a: { perform: async () => void (await bank.charge(1)) } }),
    commands: { cancel: false },
    schedules: 600,
  });
  report.assert();
  const group = (name: string) => report.coverage.groups.find((one) => one.name === name);
  assert.deepEqual(Object.keys(group('orders')?.reached ?? {}).sort(), ['a before b', 'b before a']);
  assert.deepEqual(Object.keys(group('seen')?.reached ?? {}).sort(), [
    'join: a done, b done',
    'join: a done, b failed',
    'join: a failed, b done',
    'join: a failed, b failed',
  ]);
  assert.deepEqual(group('commands')?.missed, [{ name: 'cancel', why: 'switched off' }]);
  assert.deepEqual(group('endings')?.missed, [{ name: 'cancelled', why: 'in none of 600 schedules' }]);
  for (const kind of ['fails', 'lost', 'hangs', 'silent', 'slow', 'late'])
    assert.ok((group('faults')?.reached[`bank.charge ${kind}`] ?? 0) > 0, kind);
  assert.equal(
    report.coverage.total - report.coverage.covered,
    report.coverage.groups.flatMap(({ missed }) => missed).length,
  );
});

test('knows the body that a callback of a timer belongs to', async () => {
  const flow = createFlow('callbacks').task('work', { ...limits, perform: async () => {} });
  const lines: string[][] = [];
  const report = await simulate(flow, {
    world: (sim) => ({
      log: sim.service({
        lines: [] as string[],
        async add(line: string) {
          this.lines.push(line);
        },
      }),
    }),
    bodies: ({ log }) => ({
      work: {
        perform: async () => {
          const later = (set: typeof setTimeout): Promise<void> =>
            new Promise((resolve, reject) => set(() => log.add('late').then(resolve, reject), 1_000));
          await Promise.all([later(setTimeout), later(timers.setTimeout)]);
        },
      },
    }),
    atEnd: ({ log }) => void lines.push(log.lines),
    schedule: one({}, { 'start run': 'crash' }),
  });
  report.assert();
  // Two calls each of the process that is gone, which reach nobody, and of the other.
  assert.deepEqual(lines, [['late', 'late']]);
});

test('keeps the limits of the engine, which runs share', async () => {
  const flow = createFlow('one at a time').task('work', {
    pool: 'device',
    ...limits,
    perform: async () => {},
  });
  const at = { most: 0 };
  const report = await simulate(flow, {
    world: (sim) => ({ device: sim.service({ async use() {}, async leave() {} }), users: new Set<string>() }),
    bodies: ({ device, users }) => {
      // A new process finds nobody at the device.
      users.clear();
      return {
        work: {
          perform: async ({ runId }) => {
            users.add(runId);
            at.most = Math.max(at.most, users.size);
            try {
              await device.use();
              await device.leave();
            } finally {
              users.delete(runId);
            }
          },
        },
      };
    },
    runs: [{ flow }, { flow, at: 5 }],
    engine: { pools: { device: 1 } },
    faults: { call: { hangs: 0, silent: 0, slow: 0, late: 0 } },
    schedules: 200,
  });
  report.assert();
  assert.equal(at.most, 1);
});

test('lets tasks sleep and waits run out, and names one that waits for ever', async () => {
  const slept = createFlow('slept').sleep('nap', { ms: 3_600_000 }).waitFor('answer', { timeoutMs: 60_000 });
  const report = await simulate(slept, { world: () => ({}), schedule: one({}) });
  report.assert();
  assert.deepEqual(report.outcomes, { failed: 1 });
  const endless = createFlow('endless').waitFor('answer');
  const { failures } = await simulate(endless, { world: () => ({}), schedule: one({}) });
  assert.equal(
    failures[0]?.message,
    'the run has never settled: `answer` waits for a value that nobody delivers, without a time limit',
  );
});
