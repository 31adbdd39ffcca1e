import { orchestratorMachine, taskMachine } from 'topple/machines';
import * as assert from 'uvu/assert';
import { describeMachine } from '../../../src/cli/graph/describe-machine.ts';
import { drawMachine } from '../../../src/draw/machine-svg.ts';
import { packMachine, unpackMachine } from '../../../src/inspector/page/run/packed-machine.ts';
import { spec } from '../../spec.ts';

const test = spec('packed machines');

for (const machine of [taskMachine, orchestratorMachine])
  test(`the picture of ${machine.id} is the same after packing`, () => {
    const described = describeMachine(machine);
    const packed = unpackMachine(JSON.parse(JSON.stringify(packMachine(described))));
    // Tags, and the actions of states, are left out.
    const states = described.states.map((state) => ({ ...state, tags: [], entry: [], exit: [] }));
    assert.equal(drawMachine(packed), drawMachine({ ...described, states }));
    assert.equal(
      packed.states.map(({ description }) => description),
      described.states.map(({ description = '' }) => description),
    );
  });
