import { mock } from 'node:test';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Timer, Timers } from '../../src/engine/timers.ts';
import type { Clock } from '../../src/model/clock.ts';
import { spec } from '../spec.ts';

const test = spec('timers');

/** The longest wait that a timer of Node or a browser takes. */
const longestMs = 2 ** 31 - 1;

interface Armed {
  readonly waitMs: number;
  readonly callback: () => void;
}

/** Timers on a clock whose time and timers are set by hand. */
function world(readings: (ms: () => number) => Partial<Clock> = (ms) => ({ monotonicNow: ms })) {
  let ms = 1_000;
  const armed = new Map<number, Armed>();
  const log: string[] = [];
  let ids = 0;
  let asked = 0;
  const clock: Clock = {
    setTimeout: (callback, waitMs) => {
      armed.set(++ids, { waitMs, callback });
      log.push(`set ${waitMs}`);
      return ids;
    },
    clearTimeout: (id) => {
      log.push(armed.delete(id as number) ? 'clear' : 'clear nothing');
    },
    ...readings(() => ms),
  };
  const timers = new Timers(clock, () => {
    asked++;
  });
  return {
    timers,
    /** The instants and names of callbacks, and what the clock's timer was set to. */
    log,
    waits: () => Array.from(armed.values(), ({ waitMs }) => waitMs),
    /** How often `adjust` was asked for since the last call of this. */
    asked: () => {
      const count = asked;
      asked = 0;
      return count;
    },
    set: (waitMs: number, name: string) => timers.after(waitMs, () => void log.push(`${ms} ${name}`)),
    step: (byMs: number) => {
      ms += byMs;
    },
    /** Lets time pass, and fires the clock's timer at the end of it. */
    fire: (afterMs = 0) => {
      ms += afterMs;
      const [[id, { callback }] = [0, { callback: () => void log.push('no timer') }]] = armed;
      armed.delete(id);
      callback();
    },
  };
}

test('call back once, after the wait', () => {
  const { timers, log, set, fire, waits } = world();
  set(50, 'a');
  timers.adjust();
  assert.equal(waits(), [50]);
  fire(50);
  assert.equal([log, waits()], [['set 50', '1050 a'], []]);
});

test('keep one timer of the clock, for the first that is due', () => {
  const { timers, log, set, fire, waits } = world();
  for (const ms of [70, 30, 50, 30]) set(ms, String(ms));
  timers.adjust();
  assert.equal(waits(), [30]);
  fire(30);
  assert.equal(waits(), [20]);
  fire(20);
  fire(20);
  assert.equal(log, ['set 30', ...['1030 30', '1030 30'], 'set 20', '1050 50', 'set 20', '1070 70']);
});

test('call back in the order of their instants, those of one instant in the order in which they were set', () => {
  const { timers, log, set, step, fire } = world();
  set(30, 'a');
  set(10, 'b');
  step(10);
  set(20, 'c');
  set(0, 'd');
  step(10);
  set(10, 'e');
  set(20, 'f');
  set(0, 'g');
  timers.adjust();
  fire(20);
  assert.equal(log, ['set 0', '1040 b', '1040 d', '1040 g', '1040 a', '1040 c', '1040 e', '1040 f']);
});

test('of one instant are called in the order in which they were set, however many waits they have', () => {
  const { timers, log, set, step, fire } = world();
  const names = Array.from({ length: 30 }, (_, index) => String(index));
  for (const [index, name] of names.entries()) {
    set(40 - index, name);
    step(1);
  }
  timers.adjust();
  fire(10);
  assert.equal(
    log.slice(1),
    names.map((name) => `1040 ${name}`),
  );
});

test('are due at once with a wait below 0, and never with one of Infinity', () => {
  const { timers, log, set, fire, waits, asked } = world();
  assert.is(set(Number.POSITIVE_INFINITY, 'never').line, undefined);
  assert.is(asked(), 0);
  timers.adjust();
  assert.equal(waits(), []);
  set(0, 'a');
  set(-5, 'b');
  timers.adjust();
  fire();
  assert.equal(log, ['set 0', '1000 a', '1000 b']);
});

test('have no timer of the clock while none is set', () => {
  const { timers, log, set, waits } = world();
  timers.adjust();
  const timer = set(50, 'a');
  timers.adjust();
  timers.cancel(timer);
  timers.adjust();
  assert.equal([log, waits()], [['set 50', 'clear'], []]);
  set(20, 'b');
  timers.adjust();
  assert.equal(waits(), [20]);
});

test('move the timer of the clock forward for an earlier one, and leave an early one', () => {
  const { timers, log, set, step, fire } = world();
  const late = set(50, 'late');
  timers.adjust();
  const early = set(30, 'early');
  timers.adjust();
  timers.adjust();
  timers.cancel(early);
  timers.adjust();
  assert.equal(log, ['set 50', 'clear', 'set 30']);
  step(10);
  fire(20);
  assert.equal(log.slice(3), ['set 20']);
  timers.cancel(late);
  set(5, 'other');
  timers.adjust();
  assert.equal(log.slice(4), ['clear', 'set 5']);
});

test('measure the wait from when a timer is set, not from the next adjustment', () => {
  const { timers, set, step, waits } = world();
  set(50, 'a');
  step(20);
  timers.adjust();
  assert.equal(waits(), [30]);
});

test('set no wait below 0 on the clock', () => {
  const { timers, set, step, waits } = world();
  set(50, 'a');
  step(80);
  timers.adjust();
  assert.equal(waits(), [0]);
});

test('ask for an adjustment when the first of a wait is set, and when it is cancelled', () => {
  const { timers, set, asked } = world();
  const [a, b, c] = [set(50, 'a'), set(50, 'b'), set(50, 'c')];
  assert.is(asked(), 1);
  set(60, 'd');
  assert.is(asked(), 1);
  set(50, 'e');
  assert.is(asked(), 0);
  timers.cancel(b);
  timers.cancel(c);
  assert.is(asked(), 0);
  timers.cancel(a);
  assert.is(asked(), 1);
});

test('can be cancelled at any place among those with the same wait', () => {
  for (const gone of ['abcd', 'a', 'b', 'd', 'ad', 'bc', 'abc', 'bcd', 'ca', '']) {
    const { timers, log, set, fire } = world();
    const each = new Map(['a', 'b', 'c', 'd'].map((name) => [name, set(10, name)]));
    set(20, 'z');
    for (const name of gone) timers.cancel(each.get(name));
    set(10, 'e');
    timers.adjust();
    fire(10);
    const left = [...'abcde'].filter((name) => !gone.includes(name));
    assert.equal(
      log.slice(1, -1),
      left.map((name) => `1010 ${name}`),
    );
    fire(10);
    assert.is(log.at(-1), '1020 z');
  }
});

test('with more different waits than are remembered can be set, cancelled and set again', () => {
  const { timers, log, set, fire } = world();
  for (let round = 0; round < 2; round++) {
    for (let ms = 200; ms > 0; ms--) timers.cancel(set(ms, 'cancelled'));
    set(1, `${round} a`);
    set(2, `${round} b`);
    set(1, `${round} c`);
    timers.adjust();
    fire(2);
  }
  const calls = log.filter((line) => !line.startsWith('set'));
  assert.equal(calls, ['1002 0 a', '1002 0 c', '1002 0 b', '1004 1 a', '1004 1 c', '1004 1 b']);
});

test('may be cancelled when they have fired, were cancelled or never set', () => {
  const { timers, log, set, fire, asked } = world();
  const [fired, cancelled, never] = [
    set(10, 'fired'),
    set(10, 'cancelled'),
    set(Number.POSITIVE_INFINITY, ''),
  ];
  timers.cancel(cancelled);
  timers.adjust();
  fire(10);
  const next = set(10, 'next');
  asked();
  for (const timer of [fired, cancelled, never, undefined]) timers.cancel(timer);
  assert.is(asked(), 0);
  assert.is(next.line?.first, next);
  timers.adjust();
  fire(10);
  assert.equal(log, ['set 10', '1010 fired', 'set 10', '1020 next']);
});

test('may be set again once they have fired', () => {
  const { timers, log, fire } = world();
  class Twice extends Timer {
    override due(): void {
      log.push(`due, ${this.line === undefined ? 'not set' : 'set'}`);
      if (log.length < 3) timers.set(this, 30);
    }
  }
  timers.set(new Twice(), 10);
  timers.adjust();
  fire(10);
  fire(30);
  assert.equal(log, ['set 10', 'due, not set', 'set 30', 'due, not set']);
});

test('are set from an instant that was read before', () => {
  const { timers, waits, fire, log } = world();
  class Given extends Timer {
    override due(): void {
      log.push(`due at ${this.dueAt}`);
    }
  }
  timers.set(new Given(), 50, 990);
  timers.adjust();
  assert.equal(waits(), [40]);
  fire(40);
  assert.is(log.at(-1), 'due at 1040');
});

test('that become due in a callback are called in the same turn, those that it cancels are not', () => {
  const { timers, log, set, fire } = world();
  timers.after(10, () => {
    log.push('first');
    set(0, 'at once');
    set(5, 'later');
    timers.cancel(second);
  });
  const second = set(10, 'second');
  set(10, 'third');
  timers.adjust();
  fire(10);
  assert.equal(log, ['set 10', 'first', '1010 third', '1010 at once', 'set 5']);
});

test('split a wait that is longer than timers may be', () => {
  const { timers, log, set, fire } = world();
  set(2 * longestMs + 7, 'a');
  timers.adjust();
  fire(longestMs);
  fire(longestMs);
  fire(7);
  assert.equal(log, [`set ${longestMs}`, `set ${longestMs}`, 'set 7', `${1_007 + 2 * longestMs} a`]);
});

test('wait for the rest where the timer of the clock is a little early', () => {
  const { timers, log, set, fire } = world();
  set(50, 'a');
  timers.adjust();
  fire(48.5);
  assert.equal(log, ['set 50', 'set 1.5']);
  fire(1.5);
  assert.is(log.at(-1), '1050 a');
});

test('trust the timer of the clock where its readings stand still', () => {
  const { timers, log, set, fire } = world();
  set(50, 'a');
  set(53, 'b');
  timers.adjust();
  fire(48);
  assert.equal(log, ['set 50', '1048 a', 'set 3']);
  assert.is(timers.monotonicNow(), 1_050);
});

test('read monotonic instants that never go back', () => {
  const { timers, step } = world();
  assert.is(timers.monotonicNow(), 1_000);
  step(-100);
  assert.is(timers.monotonicNow(), 1_000);
  step(150);
  assert.is(timers.monotonicNow(), 1_050);
});

test('read the monotonic clock, or else the time of day, or else that of the platform', () => {
  const both = world((ms) => ({ monotonicNow: ms, now: () => 5 })).timers;
  assert.equal([both.monotonicNow(), both.now(), both.latest], [1_000, 5, 5]);
  const alone = world((ms) => ({ now: ms })).timers;
  assert.equal(
    [alone.latest, alone.monotonicNow(), alone.now(), alone.latest],
    [-Infinity, 1_000, 1_000, 1_000],
  );
  const { timers } = world(() => ({}));
  const before = [performance.now(), Date.now()] as const;
  const read = [timers.monotonicNow(), timers.now()] as const;
  const after = [performance.now(), Date.now()] as const;
  for (const index of [0, 1] as const)
    assert.ok(before[index] <= read[index] && read[index] <= after[index], `${before} ${read} ${after}`);
});

test('let the time of day be set back', () => {
  let day = 5_000;
  const { timers } = world((ms) => ({ monotonicNow: ms, now: () => day }));
  timers.now();
  day = 4_000;
  assert.equal([timers.now(), timers.latest], [4_000, 4_000]);
});

test('derive the monotonic instant of a stamp for 10 ms, on the clocks of the platform', () => {
  let [day, monotonic, reads] = [5_000, 100, 0];
  const { now } = Date;
  const performanceNow = mock.method(performance, 'now', () => {
    reads++;
    return monotonic;
  });
  Date.now = () => day;
  try {
    const { timers } = world(() => ({}));
    /** The instant after both clocks have gone on, and the reads of the second one so far. */
    const after = (dayMs: number, monotonicMs: number): number[] => {
      day += dayMs;
      monotonic += monotonicMs;
      timers.now();
      return [timers.latestMonotonic, reads];
    };
    assert.equal(after(0, 0), [100, 1]);
    assert.equal(after(4, 4), [104, 1]);
    assert.equal(after(6, 6), [110, 1]);
    assert.equal(after(1, 1), [111, 2]);
    // An hour ahead, and back behind the last stamp.
    assert.equal(after(3_600_000, 2), [113, 3]);
    assert.equal(after(-3_600_000, 2), [115, 4]);
    assert.equal(after(10, 10), [125, 4]);
  } finally {
    Date.now = now;
    performanceNow.mock.restore();
  }
});

test('read a clock of its own for each instant', () => {
  const readings: ((ms: () => number) => Partial<Clock>)[] = [
    (ms) => ({ monotonicNow: ms, now: () => 0 }),
    (ms) => ({ now: ms }),
  ];
  for (const each of readings) {
    const { timers, step } = world(each);
    timers.now();
    assert.is(timers.latestMonotonic, 1_000);
    step(3);
    assert.is(timers.latestMonotonic, 1_003);
  }
});

/** What may be done to timers: setting one, cancelling one, letting time pass. */
const commands = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant('set' as const), waitMs: fc.nat(200) }),
    fc.record({ does: fc.constant('cancel' as const), which: fc.nat() }),
    fc.record({ does: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  ),
  { maxLength: 250 },
);

test('do as a plain list of timers does, with many different waits too', () => {
  fc.assert(
    fc.property(commands, (list) => {
      let ms = 0;
      let armed: { readonly at: number; readonly callback: () => void } | undefined;
      const clock: Clock = {
        setTimeout: (callback, waitMs) => {
          armed = { at: ms + waitMs, callback };
          return armed;
        },
        clearTimeout: () => {
          armed = undefined;
        },
        monotonicNow: () => ms,
      };
      const timers = new Timers(clock, () => {});
      const [fired, expected]: [string[], string[]] = [[], []];
      const plain: { readonly at: number; readonly name: number; readonly timer: Timer }[] = [];
      for (const [name, command] of list.entries()) {
        if (command.does === 'set') {
          const timer = timers.after(command.waitMs, () => void fired.push(`${ms} ${name}`));
          plain.push({ at: ms + command.waitMs, name, timer });
        }
        if (command.does === 'cancel' && plain.length > 0)
          timers.cancel(plain.splice(command.which % plain.length, 1)[0]?.timer);
        timers.adjust();
        for (let left = command.does === 'pass' ? command.ms : 0; left > 0; left--) {
          ms++;
          const { at, callback } = armed ?? { at: Number.POSITIVE_INFINITY, callback: () => {} };
          if (at <= ms) {
            armed = undefined;
            callback();
          }
          const due = plain.filter((one) => one.at <= ms).sort((a, b) => a.at - b.at || a.name - b.name);
          for (const one of due) {
            expected.push(`${ms} ${one.name}`);
            plain.splice(plain.indexOf(one), 1);
          }
        }
        assert.equal(fired, expected);
        assert.is(armed === undefined, plain.length === 0);
      }
    }),
  );
});
