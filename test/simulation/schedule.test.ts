import assert from 'node:assert/strict';
import { methodOf, plain, Recorder, Replay, taskOf } from '../../src/simulation/schedule.ts';
import { spec } from '../spec.ts';

const test = spec('schedule');

test('names places by attempt and method', () => {
  assert.deepEqual(['pay#1 bank.charge', 'pay#1 bank.charge:12', 'run-2:map/3#2 log.add'].map(methodOf), [
    'bank.charge',
    'bank.charge',
    'log.add',
  ]);
  assert.deepEqual(
    ['pay#1 bank.charge effect', 'pay#1', 'pay#1:2', 'map/3#2', 'run-2:pay#1', 'recover'].map(taskOf),
    ['pay', 'pay', 'pay', 'map/3', 'run-2:pay', 'recover'],
  );
});

test('records what is decided, so that it plays again', () => {
  const schedule = {
    faults: { 'bank.charge': 'lost', 'pay#1': 'hangs', 'run 3': 'crash 1' },
    commands: { start: 'pause' },
    delays: { 'pay#1 ends': 2, 'clock 5': 1 },
    lateStore: true,
    seed: 9,
  };
  const recorder = new Recorder(new Replay(schedule));
  assert.equal(recorder.callFault('pay#1 bank.charge'), 'lost');
  assert.equal(recorder.callFault('pay#2 bank.charge'), 'lost');
  assert.equal(recorder.callFault('pay#2 stock.take'), undefined);
  assert.equal(recorder.bodyFault('pay#1'), 'hangs');
  assert.equal(recorder.bodyFault('pay#2'), undefined);
  assert.equal(recorder.storeFault('run 3', 2), 'crash 1');
  assert.equal(recorder.command('start', ['cancel', 'pause']), 'pause');
  assert.equal(recorder.delay('pay#1 ends'), 2);
  assert.equal(recorder.delay('pay#2 ends'), 0);
  assert.equal(recorder.patience('clock 5'), 1);
  assert.equal(recorder.patience('clock 6'), Number.POSITIVE_INFINITY);
  assert.deepEqual(recorder.schedule, schedule);
});

test('leaves out a command that is not possible', () => {
  const recorder = new Recorder(new Replay({ ...plain, commands: { start: 'rerun' } }));
  assert.equal(recorder.command('start', ['cancel']), undefined);
  assert.deepEqual(recorder.schedule, plain);
});
