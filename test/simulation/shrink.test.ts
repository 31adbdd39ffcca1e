import assert from 'node:assert/strict';
import type { Schedule } from 'topple/simulation';
import { narrow, shrink } from '../../src/simulation/shrink.ts';
import { spec } from '../spec.ts';

const test = spec('shrink');

const long: Schedule = {
  faults: { a: 'fails', b: 'lost', c: 'hangs', d: 'fails', e: 'lost' },
  commands: { x: 'crash', y: 'cancel' },
  delays: { p: 1, q: 2, r: 3, s: 4 },
  lateStore: true,
  seed: 7,
};

test('keeps just what a failure needs', async () => {
  const tried: Schedule[] = [];
  const least = await shrink(long, async (schedule) => {
    tried.push(schedule);
    return (
      'b' in schedule.faults && 'e' in schedule.faults && 'y' in schedule.commands && 'r' in schedule.delays
    );
  });
  assert.deepEqual(least, { faults: { b: 'lost', e: 'lost' }, commands: { y: 'cancel' }, delays: { r: 3 } });
  assert.ok(tried.length < 40, `${tried.length} schedules`);
});

test('keeps a late store and a seed where a failure needs them', async () => {
  const least = await shrink(long, async ({ lateStore, seed }) => lateStore === true && seed === 7);
  assert.deepEqual(least, { faults: {}, commands: {}, delays: {}, lateStore: true, seed: 7 });
});

test('takes away what becomes needless when something else is gone', async () => {
  // A delay is needed as long as there is a command.
  const least = await shrink(
    { faults: {}, commands: { x: 'crash', y: 'cancel' }, delays: { p: 1 } },
    async ({ commands, delays }) => 'y' in commands && (!('x' in commands) || 'p' in delays),
  );
  assert.deepEqual(least, { faults: {}, commands: { y: 'cancel' }, delays: {} });
});

test('has a fault that lasts happen once, at the first place where that is enough', async () => {
  const lasting: Schedule = { faults: { 'bank.charge': 'lost', pay: 'fails' }, commands: {}, delays: {} };
  const places = [
    'pay#1 bank.charge',
    'pay#2 bank.charge',
    'pay#1',
    'pay#2',
    'ship#1',
    'ship#1 bank.charge:2',
  ];
  const once = await narrow(
    lasting,
    async ({ faults }) => faults.pay !== undefined && faults['pay#2 bank.charge'] === 'lost',
    async () => places,
  );
  assert.deepEqual(once.faults, { pay: 'fails', 'pay#2 bank.charge': 'lost' });
});
