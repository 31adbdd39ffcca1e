import * as assert from 'uvu/assert';
import { setup } from 'xstate';
import { orchestratorMachine, taskMachine } from '../../../machines/index.ts';
import { describeMachine } from '../../../src/cli/graph/describe-machine.ts';
import type { Machine } from '../../../src/draw/machine.ts';
import { jsonOfMachines } from '../../../src/draw/machine-json.ts';
import { diagramOf } from '../../../src/draw/machine-mermaid.ts';
import { spec } from '../../spec.ts';

const test = spec('descriptions of machines');

const door = setup({
  types: { events: {} as { type: 'push' } | { type: 'knock' } | { type: 'kick' } },
  guards: { isUnlocked: () => true },
  actions: { hang: () => {}, creak: () => {}, latch: () => {}, bark: (_, _params: { loud: boolean }) => {} },
}).createMachine({
  id: 'door',
  description: 'A door.',
  initial: 'shut',
  entry: 'hang',
  on: { kick: { description: 'too hard', target: '.broken' } },
  states: {
    shut: {
      description: 'Nobody sees in.',
      tags: ['dark', 'quiet'],
      entry: 'latch',
      exit: ['creak', { type: 'bark', params: { loud: true } }],
      on: {
        push: [
          { description: 'it gives way', guard: 'isUnlocked', target: 'open' },
          { description: 'it does not', actions: 'creak' },
        ],
        knock: {},
      },
    },
    open: {},
    broken: { type: 'final' },
  },
});

const silent = {
  parent: 0,
  initial: undefined,
  description: undefined,
  tags: [],
  entry: [],
  exit: [],
  invokes: [],
  transitions: [],
};

test('name all that a machine says: states, and their transitions in order', () => {
  assert.equal(describeMachine(door), {
    name: 'door',
    description: 'A door.',
    states: [
      {
        ...silent,
        name: 'door',
        parent: -1,
        kind: 'compound',
        initial: 1,
        description: 'A door.',
        entry: ['hang'],
        transitions: [
          { event: 'kick', guard: undefined, targets: [3], description: 'too hard', actions: [] },
        ],
      },
      {
        ...silent,
        name: 'shut',
        kind: 'atomic',
        description: 'Nobody sees in.',
        tags: ['dark', 'quiet'],
        entry: ['latch'],
        exit: ['creak', 'bark'],
        transitions: [
          { event: 'push', guard: 'isUnlocked', targets: [2], description: 'it gives way', actions: [] },
          { event: 'push', guard: undefined, targets: [], description: 'it does not', actions: ['creak'] },
          { event: 'knock', guard: undefined, targets: [], description: undefined, actions: [] },
        ],
      },
      { ...silent, name: 'open', kind: 'atomic' },
      { ...silent, name: 'broken', kind: 'final' },
    ],
  });
});

test('are drawn alike after they went through JSON', () => {
  for (const machine of [door, taskMachine, orchestratorMachine]) {
    const described = describeMachine(machine);
    const sent: Machine = JSON.parse(JSON.stringify(described));
    assert.is(diagramOf(sent), diagramOf(described));
    assert.is(jsonOfMachines([sent]), jsonOfMachines([described]));
  }
});
