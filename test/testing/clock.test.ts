import * as fc from 'fast-check';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

const test = spec('virtual clock');

/** A clock, and a log that stamps what callbacks note. */
function world(startAt?: number) {
  const clock = createVirtualClock(startAt);
  const log: string[] = [];
  return { clock, log, note: (name: string) => (): void => void log.push(`${clock.monotonicNow()} ${name}`) };
}

/** How a promise rejects. */
function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'it resolved',
    (reason: unknown) => reason,
  );
}

/** Lets the event loop have its turn. */
function eventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('stands still until it is told to advance', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(note('due'), 0);
  for (let turns = 0; turns < 5; turns++) await eventLoop();
  assert.equal([log, clock.now(), clock.monotonicNow(), clock.pending], [[], 0, 0, 1]);
});

test('reads the time of day from its start, and the time that has passed', async () => {
  const { clock } = world(5_000);
  assert.equal([clock.now(), clock.monotonicNow()], [5_000, 0]);
  await clock.advance(70);
  assert.equal([clock.now(), clock.monotonicNow()], [5_070, 70]);
});

test('sets its time of day forward and back, while no time passes and nothing becomes due', async () => {
  const { clock, log, note } = world(5_000);
  clock.setTimeout(note('due'), 10);
  clock.stepWall(3_600_000);
  await clock.advance(0);
  assert.equal([clock.now(), clock.monotonicNow(), log], [3_605_000, 0, []]);
  clock.stepWall(-7_200_000);
  await clock.advance(10);
  assert.equal([clock.now(), clock.monotonicNow(), log], [-3_594_990, 10, ['10 due']]);
});

test('has readings that need no receiver', () => {
  const { now, monotonicNow } = createVirtualClock(7);
  assert.equal([now(), monotonicNow()], [7, 0]);
});

test('calls back by instant, and in the order of setting at one instant', async () => {
  const { clock, log, note } = world();
  for (const [name, ms] of Object.entries({ late: 30, a: 10, b: 10, soon: 5, c: 10, zero: 0, negative: -5 }))
    clock.setTimeout(note(name), ms);
  assert.is(clock.pending, 7);
  await clock.advance(20);
  assert.equal(log, ['0 zero', '0 negative', '5 soon', '10 a', '10 b', '10 c']);
  assert.equal([clock.monotonicNow(), clock.pending], [20, 1]);
  await clock.advance(10);
  assert.is(log.at(-1), '30 late');
});

test('does not fire a timer that was cleared, even by another at the same instant', async () => {
  const { clock, log, note } = world();
  const early = clock.setTimeout(note('early'), 10);
  clock.setTimeout(() => clock.clearTimeout(together), 20);
  const together = clock.setTimeout(note('together'), 20);
  clock.setTimeout(note('left'), 20);
  clock.clearTimeout(early);
  clock.clearTimeout(early);
  clock.clearTimeout(undefined);
  assert.is(clock.pending, 3);
  await clock.advance(20);
  assert.equal([log, clock.pending], [['20 left'], 0]);
  clock.clearTimeout(together);
});

test('lets promises settle at each instant before it advances to the next', async () => {
  const { clock, log, note } = world();
  const body = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    for (let steps = 0; steps < 100; steps++) await undefined;
    note(name)();
  };
  void body('a', 10);
  void body('b', 11);
  await clock.advance(11);
  assert.equal(log, ['10 a', '11 b']);
});

test('calls what becomes due on the way, at its instant', async () => {
  const { clock, log, note } = world();
  const every = (ms: number): void => {
    note('tick')();
    clock.setTimeout(() => every(ms), ms);
  };
  clock.setTimeout(() => every(10), 10);
  clock.setTimeout(() => clock.setTimeout(note('at once'), 0), 10);
  await clock.advance(35);
  assert.equal(log, ['10 tick', '10 at once', '20 tick', '30 tick']);
  assert.equal([clock.monotonicNow(), clock.pending], [35, 1]);
});

test('fires what is due now when it advances by 0', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(note('now'), 0);
  clock.setTimeout(note('later'), 1);
  await clock.advance(0);
  assert.equal(log, ['0 now']);
});

test('advances one call after the other', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(note('due'), 15);
  const first = clock.advance(10).then(note('first'));
  const second = clock.advance(10).then(note('second'));
  const third = clock.run(clock.sleep(12)).then(note('third'));
  assert.is(clock.monotonicNow(), 0);
  await Promise.all([first, second, third]);
  assert.equal(log, ['10 first', '15 due', '20 second', '20 third']);
});

test('advances further after a callback that threw', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(() => {
    throw new Error('broken');
  }, 10);
  clock.setTimeout(note('next'), 10);
  assert.is(((await reasonOf(clock.advance(20))) as Error).message, 'broken');
  await clock.advance(20);
  assert.equal(log, ['10 next']);
});

test('sleeps for the given time', async () => {
  const { clock, log, note } = world();
  const { signal } = new AbortController();
  void clock.sleep(10, signal).then(note('awake'));
  void clock.sleep(0).then(note('at once'));
  await clock.advance(9);
  assert.equal(log, ['0 at once']);
  await clock.advance(1);
  assert.equal(log, ['0 at once', '10 awake']);
});

test('ends a sleep with the reason of its signal, and clears its timer', async () => {
  const { clock } = world();
  const [before, during] = [new AbortController(), new AbortController()];
  before.abort('before');
  assert.is(await reasonOf(clock.sleep(10, before.signal)), 'before');
  assert.is(clock.pending, 0);
  const sleeping = reasonOf(clock.sleep(10, during.signal));
  assert.is(clock.pending, 1);
  during.abort('during');
  assert.equal([await sleeping, clock.pending], ['during', 0]);
});

test('removes its listener from the signal once a sleep is over', async () => {
  const { clock } = world();
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1]);
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners.delete(args[1]);
    removeEventListener.apply(signal, args);
  };
  const sleeping = clock.sleep(10, signal);
  assert.is(listeners.size, 1);
  await clock.run(sleeping);
  assert.is(listeners.size, 0);
});

test('runs until a promise settles, and no further', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(note('before'), 5);
  clock.setTimeout(note('after'), 11);
  assert.is(await clock.run(clock.sleep(10).then(() => 'value')), 'value');
  assert.equal([log, clock.monotonicNow()], [['5 before'], 10]);
  assert.is(await clock.run(Promise.resolve('settled')), 'settled');
  assert.is(clock.monotonicNow(), 10);
});

test('rejects with the error of the promise that it runs until', async () => {
  const { clock } = world();
  const late = clock.sleep(10).then(() => Promise.reject('no'));
  assert.is(await reasonOf(clock.run(late)), 'no');
  assert.is(clock.monotonicNow(), 10);
});

test('rejects when nothing is due any more before the promise settles', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(note('last'), 5);
  const error = await reasonOf(clock.run(new Promise(() => {})));
  assert.match(String(error), /^Error: Nothing is due on the virtual clock/);
  assert.equal(log, ['5 last']);
  assert.is(await clock.run(clock.sleep(1).then(() => 'goes on')), 'goes on');
});

test('is idle once microtasks and a macrotask have passed, whether it advances or not', async () => {
  const { clock, log, note } = world();
  clock.whenIdle(note('idle'));
  await undefined;
  for (let steps = 0; steps < 100; steps++) await undefined;
  note('microtasks')();
  await eventLoop();
  await eventLoop();
  assert.equal(log, ['0 microtasks', '0 idle']);
});

test('is idle after all that is due at an instant, and before it advances', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(() => {
    clock.whenIdle(() => {
      note('idle')();
      clock.whenIdle(note('idle again'));
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(note('promise'));
    });
    note('a')();
  }, 10);
  clock.setTimeout(note('b'), 10);
  clock.setTimeout(note('next'), 11);
  await clock.advance(20);
  assert.equal(log, ['10 a', '10 b', '10 idle', '10 promise', '10 idle again', '11 next']);
});

test('lets a macrotask pass for each call of `whenIdle` before it advances', async () => {
  const { clock, log, note } = world();
  clock.setTimeout(note('due'), 0);
  clock.whenIdle(() => {
    note('idle')();
    setImmediate(note('macrotask'));
    clock.whenIdle(note('idle again'));
  });
  await clock.advance(1);
  assert.equal(log, ['0 idle', '0 macrotask', '0 idle again', '0 due']);
});

test('fires the same timers as a plain list, whatever is set and cleared', async () => {
  const timers = fc.array(
    fc.record({ ms: fc.nat(20), isCleared: fc.boolean(), thenMs: fc.option(fc.nat(5)) }),
    {
      maxLength: 40,
    },
  );
  await fc.assert(
    fc.asyncProperty(timers, async (list) => {
      const { clock, log, note } = world();
      const ids = list.map(({ ms, thenMs }, index) =>
        clock.setTimeout(() => {
          note(String(index))();
          if (thenMs !== null) clock.setTimeout(note(`${index} again`), thenMs);
        }, ms),
      );
      for (const [index, { isCleared }] of list.entries()) if (isCleared) clock.clearTimeout(ids[index]);
      await clock.advance(40);
      const expected = list
        .flatMap(({ ms, isCleared, thenMs }, index) => {
          if (isCleared) return [];
          const first = { at: ms, text: `${ms} ${index}` };
          return thenMs === null
            ? [first]
            : [first, { at: ms + thenMs, text: `${ms + thenMs} ${index} again` }];
        })
        .map(({ text }) => text);
      assert.equal([...log].sort(), expected.sort());
      const instants = log.map((line) => Number.parseInt(line, 10));
      assert.equal(
        instants,
        instants.toSorted((a, b) => a - b),
      );
      const firsts = log.filter((line) => !line.endsWith('again'));
      assert.equal(
        firsts,
        firsts.toSorted((a, b) => {
          const [x = [], y = []] = [a, b].map((line) => line.split(' ').map(Number));
          return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
        }),
      );
      assert.is(clock.pending, 0);
    }),
    { numRuns: 50 },
  );
});
