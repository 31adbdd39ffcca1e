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

const silent = { description: undefined, tags: [], entry: [], exit: [], transitions: [] };

test('name all that a machine says: states, and their transitions in order', () => {
  assert.equal(describeMachine(door), {
    name: 'door',
    description: 'A door.',
    initial: 'shut',
    entry: ['hang'],
    states: [
      {
        name: 'shut',
        description: 'Nobody sees in.',
        isFinal: false,
        tags: ['dark', 'quiet'],
        entry: ['latch'],
        exit: ['creak', 'bark'],
        transitions: [
          {
            event: 'push',
            guard: 'isUnlocked',
            target: 'open',
            description: 'it gives way',
            actions: [],
          },
          {
            event: 'push',
            guard: undefined,
            target: undefined,
            description: 'it does not',
            actions: ['creak'],
          },
          { event: 'knock', guard: undefined, target: undefined, description: undefined, actions: [] },
        ],
      },
      { name: 'open', isFinal: false, ...silent },
      { name: 'broken', isFinal: true, ...silent },
    ],
    transitions: [
      { event: 'kick', guard: undefined, target: 'broken', description: 'too hard', actions: [] },
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
