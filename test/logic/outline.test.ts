import * as assert from 'uvu/assert';
import { setup } from 'xstate';
import { compile } from '../../src/logic/index.ts';
import { spec } from '../spec.ts';

const test = spec('outlines of steps');

const machine = setup({
  actions: { enter: () => {}, leave: () => {}, do: () => {}, end: () => {} },
  guards: { first: () => true, second: () => true },
}).createMachine({
  id: 'outlined',
  initial: 'a',
  entry: 'do',
  exit: 'end',
  on: { shared: [{ guard: 'second', target: '.b' }, { actions: 'do' }] },
  states: {
    a: {
      entry: 'enter',
      exit: 'leave',
      on: {
        go: [
          { guard: 'first', target: 'a' },
          { target: 'b', actions: 'do' },
        ],
        shared: { guard: 'first' },
        guarded: { guard: 'first' },
        stop: 'c',
      },
    },
    b: { entry: 'enter' },
    c: { type: 'final', exit: 'leave' },
  },
});

const logic = compile(machine);

test('name the actions of the start', () => {
  const start = { guards: [], actions: ['do', 'enter'], to: 'a', completes: false, isShared: false };
  assert.equal(logic.outlineOfStart(), start);
});

test('name the guards tried, the actions in order and the next state', () => {
  const step = { completes: false, isShared: false };
  assert.equal(logic.outlineOfStep('a', 'go'), {
    ...step,
    guards: ['first'],
    actions: ['leave', 'do', 'enter'],
    to: 'b',
  });
});

test('end with the actions of a machine that is done', () => {
  const actions = ['leave', 'leave', 'end'];
  const step = { guards: [], actions, to: 'c', completes: true, isShared: false };
  assert.equal(logic.outlineOfStep('a', 'stop'), step);
});

test("tell the root's transitions from those of a state", () => {
  const step = { actions: ['do'], completes: false, isShared: true };
  assert.equal(logic.outlineOfStep('a', 'shared'), { ...step, guards: ['first', 'second'], to: 'a' });
  assert.equal(logic.outlineOfStep('b', 'shared'), { ...step, guards: ['second'], to: 'b' });
});

test('are none where no step is taken if no guard holds', () => {
  const none = [
    logic.outlineOfStep('a', 'guarded'),
    logic.outlineOfStep('b', 'go'),
    logic.outlineOfStep('d', 'go'),
  ];
  assert.equal(none, [undefined, undefined, undefined]);
});
