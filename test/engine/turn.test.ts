import * as assert from 'uvu/assert';
import type { Claim } from '../../src/engine/claims.ts';
import { Lane, Limit } from '../../src/engine/slots.ts';
import { Turn } from '../../src/engine/turn.ts';
import type { Clock } from '../../src/model/clock.ts';
import { spec } from '../spec.ts';

const test = spec('turns');

const unlimited = new Limit(Number.POSITIVE_INFINITY);

/** A turn on a clock whose time stands still, with one lane of claims; what happens is logged. */
function worldOn(clock: Partial<Clock>, limit = unlimited) {
  let ms = 1_000;
  const log: string[] = [];
  const turn = new Turn(
    {
      now: () => ms,
      setTimeout: (_, waitMs) => void log.push(`timer ${waitMs}`),
      clearTimeout: () => {},
      ...clock,
    },
    limit,
  );
  const lane = new Lane(turn.slots.poolOf(unlimited), []);
  let claims = 0;
  return {
    turn,
    log,
    lane,
    step: (byMs: number): void => {
      ms += byMs;
    },
    note: (name: string) => () => void log.push(name),
    /** Asks for a slot. The attempt that gets it calls back as it begins. */
    claim: (name: string, begin: () => void = () => {}, priority = 0): void => {
      const claim: Claim = {
        place: -1,
        priority,
        readyAt: 0,
        runOrder: 0,
        index: claims++,
        start: () => {
          log.push(`start ${name}`);
          // As an attempt does: its instant is read as it starts.
          turn.timers.now();
          return {
            begin: () => {
              log.push(`begin ${name}`);
              begin();
            },
          };
        },
      };
      lane.push(claim);
    },
    committer: (name: string, commit: () => void = () => {}) => ({
      commit: () => {
        log.push(`commit ${name}`);
        commit();
      },
    }),
  };
}

/** A turn on a clock that says when it is idle: `turns` are the turns asked for, `run` takes them one by one. */
function world(limit = unlimited) {
  const idle: (() => void)[] = [];
  return {
    ...worldOn({ whenIdle: (callback) => void idle.push(callback) }, limit),
    asked: () => idle.length,
    run: () => idle.shift()?.(),
    runAll: () => {
      let turns = 0;
      for (; idle.length > 0 && turns < 100; turns++) idle.shift()?.();
      return turns;
    },
  };
}

test('call back, keep entries, fill slots, keep entries and set the timer, in this order, once the clock is idle', () => {
  const { turn, log, claim, committer, note, asked, run } = world();
  claim('a', () => turn.commitLater(committer('started')));
  turn.timers.after(50, () => {});
  turn.commitLater(committer('before'));
  turn.next(note('next'));
  assert.equal([log, asked()], [[], 1]);
  run();
  assert.equal(log, ['next', 'commit before', 'start a', 'begin a', 'commit started', 'timer 50']);
  assert.is(asked(), 0);
});

test('are asked for once, whatever there is to do, and again when there is more', () => {
  const { turn, claim, committer, note, asked, runAll } = world();
  assert.is(asked(), 0);
  let waitMs = 1_000;
  const things: (() => void)[] = [
    () => turn.schedule(),
    () => turn.next(note('next')),
    () => turn.afterEventLoop(note('after')),
    () => turn.commitLater(committer('entries')),
    () => turn.timers.after(waitMs--, () => {}),
    () => claim('a'),
  ];
  for (const thing of things) {
    thing();
    assert.is(asked(), 1);
    for (const other of things) other();
    assert.is(asked(), 1);
    assert.is(runAll(), 1);
  }
});

test('call back all that asked before, in order, and later ones in the turn after it', () => {
  const { turn, log, note, run, runAll } = world();
  turn.next(() => {
    log.push('first');
    turn.next(note('third'));
  });
  turn.next(note('second'));
  run();
  assert.equal(log, ['first', 'second']);
  assert.is(runAll(), 1);
  assert.equal(log, ['first', 'second', 'third']);
});

test('call back in the turn after what is asked for while entries are kept or attempts begin', () => {
  const { turn, log, claim, committer, note, run, runAll } = world();
  claim('a', () => turn.next(note('asked by a')));
  turn.commitLater(committer('1', () => turn.next(note('asked by a listener'))));
  run();
  assert.equal(log, ['commit 1', 'start a', 'begin a']);
  assert.is(runAll(), 1);
  assert.equal(log.slice(3), ['asked by a listener', 'asked by a']);
});

test('keep what listeners have recorded before the first attempt begins', () => {
  const { turn, log, claim, committer, runAll } = world();
  turn.commitLater(
    committer('1', () => {
      turn.commitLater(committer('3'));
      turn.commitLater(committer('4', () => turn.commitLater(committer('5'))));
    }),
  );
  turn.commitLater(committer('2'));
  claim('a');
  assert.is(runAll(), 1);
  assert.equal(log, ['commit 1', 'commit 2', 'commit 3', 'commit 4', 'commit 5', 'start a', 'begin a']);
});

test('keep each time what was recorded since', () => {
  const { turn, log, committer, runAll } = world();
  const entries = committer('entries');
  for (let turns = 0; turns < 3; turns++) {
    turn.commitLater(entries);
    runAll();
  }
  runAll();
  assert.equal(log, Array(3).fill('commit entries'));
});

test('come again for tasks that a listener lets start while the last entries of a turn are kept', () => {
  const { turn, log, lane, claim, committer, note, runAll } = world();
  const other = new Lane(lane.pool, []);
  other.hold(true);
  other.push({
    place: -1,
    priority: 0,
    readyAt: 0,
    runOrder: 1,
    index: 0,
    start: () => void log.push('held'),
  });
  claim('a', () => turn.commitLater(committer('started', () => other.hold(false))));
  turn.next(note('next'));
  assert.is(runAll(), 2);
  assert.equal(log, ['next', 'start a', 'begin a', 'commit started', 'held']);
});

test('give slots to the best claims, as far as they go', () => {
  const limit = new Limit(2);
  const { turn, log, lane, claim, asked, runAll } = world(limit);
  claim('a');
  claim('b');
  claim('urgent', () => {}, 1);
  runAll();
  assert.equal(log, ['start urgent', 'begin urgent', 'start a', 'begin a']);
  assert.is(asked(), 0);
  turn.slots.release(lane);
  assert.is(asked(), 1);
  runAll();
  assert.equal(log.slice(4), ['start b', 'begin b']);
});

test('begin nothing for a claim that starts no attempt, and fill on', () => {
  const { log, lane, claim, runAll } = world();
  lane.push({ place: -1, priority: 1, readyAt: 0, runOrder: 0, index: 9, start: () => undefined });
  claim('a');
  runAll();
  assert.equal(log, ['start a', 'begin a']);
});

test('begin one attempt before the next starts', () => {
  const { log, claim, runAll } = world();
  claim('a');
  claim('b');
  runAll();
  assert.equal(log, ['start a', 'begin a', 'start b', 'begin b']);
});

test('start attempts for 10 ms, from the first on, and the rest in the turn after it', () => {
  const { turn, log, claim, committer, step, run, runAll } = world();
  step(500);
  for (const name of ['a', 'b', 'c', 'd', 'e'])
    claim(name, () => {
      turn.commitLater(committer(name));
      step(5);
    });
  turn.next(() => step(500));
  run();
  const begun = (name: string) => [`start ${name}`, `begin ${name}`];
  assert.equal(log, [...['a', 'b', 'c'].flatMap(begun), 'commit a', 'commit b', 'commit c']);
  assert.is(runAll(), 1);
  assert.equal(log.slice(9), [...['d', 'e'].flatMap(begun), 'commit d', 'commit e']);
});

test('end a slice early where the time of day is set back', () => {
  const { log, claim, step, runAll } = world();
  claim('a', () => step(-3_600_000));
  for (const name of ['b', 'c']) claim(name);
  assert.is(runAll(), 2);
  assert.is(log.length, 6);
});

test('set the timer of the clock for what was set meanwhile', () => {
  const { turn, log, claim, committer, runAll } = world();
  turn.next(() => turn.timers.after(40, () => {}));
  claim('a', () => {
    turn.timers.after(30, () => {});
    turn.commitLater(committer('a', () => turn.timers.after(20, () => {})));
  });
  runAll();
  assert.equal(log, ['start a', 'begin a', 'commit a', 'timer 20']);
});

test('wait for the event loop by the next turn, on a clock that says when it is idle', () => {
  const { turn, log, note, asked, run } = world();
  turn.afterEventLoop(note('after'));
  assert.equal([log, asked()], [[], 1]);
  run();
  assert.equal(log, ['after']);
});

/** Lets microtasks pass, far more than a turn takes. */
async function microtasks(): Promise<void> {
  for (let count = 0; count < 50; count++) await undefined;
}

/** Lets the event loop have its turn, with what waits for `setImmediate`. */
function eventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('come after a macrotask at first, then in microtasks for 10 ms of the clock', async () => {
  const { turn, log, note, step } = worldOn({});
  /** Whether a turn comes before the event loop has had its turn. */
  const comesInMicrotasks = async () => {
    log.length = 0;
    turn.next(note('next'));
    assert.equal(log, []);
    await microtasks();
    const isEarly = log.length > 0;
    await eventLoop();
    assert.equal(log, ['next']);
    return isEarly;
  };
  assert.is(await comesInMicrotasks(), false);
  assert.is(await comesInMicrotasks(), true);
  step(9);
  turn.timers.now();
  assert.is(await comesInMicrotasks(), true);
  step(1);
  // A slice ends by stamps, which attempts and entries read.
  assert.is(await comesInMicrotasks(), true);
  turn.timers.now();
  assert.is(await comesInMicrotasks(), false);
  assert.is(await comesInMicrotasks(), true);
  step(-5);
  turn.timers.now();
  assert.is(await comesInMicrotasks(), true);
  step(-5);
  turn.timers.now();
  assert.is(await comesInMicrotasks(), false);
});

test('let the event loop have its turn when starting takes longer than a slice', async () => {
  const { log, claim, step } = worldOn({});
  for (const name of ['a', 'b', 'c']) claim(name, () => step(10));
  setImmediate(() => log.push('event loop'));
  for (let turns = 0; turns < 4; turns++) await eventLoop();
  assert.equal(
    log.filter((line) => !line.startsWith('start')),
    ['begin a', 'begin b', 'event loop', 'begin c'],
  );
});

test('call back once the event loop has had its turn, whatever the slice', async () => {
  const { turn, log, note } = worldOn({});
  turn.schedule();
  await eventLoop();
  turn.afterEventLoop(note('after'));
  await microtasks();
  assert.equal(log, []);
  await eventLoop();
  assert.equal(log, ['after']);
});

test('come by the shortest wait where there is no setImmediate', async () => {
  const { setImmediate: own } = globalThis;
  const host = globalThis as { setImmediate: unknown };
  const { turn, log, note } = worldOn({});
  try {
    host.setImmediate = undefined;
    turn.next(note('next'));
    turn.afterEventLoop(note('after'));
  } finally {
    host.setImmediate = own;
  }
  await microtasks();
  assert.equal(log, []);
  await new Promise((resolve) => setTimeout(resolve, 0));
  await eventLoop();
  assert.equal(log, ['next', 'after']);
});
