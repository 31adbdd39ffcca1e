import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { orchestratorMachine, taskMachine } from '../../machines/index.ts';
import { spec } from '../spec.ts';
import { type Reading, readLiteral } from './read-literal.ts';

const test = spec('machine literals');

const machines: Readonly<Record<string, AnyStateMachine>> = {
  'task.ts': taskMachine,
  'orchestrator.ts': orchestratorMachine,
};

for (const [file, machine] of Object.entries(machines)) {
  const text = readFileSync(new URL(`../../machines/${file}`, import.meta.url), 'utf8');

  test(`${file} is one literal, all of it inline, described and named`, () => {
    assert.equal(readLiteral(text).findings, []);
  });

  test(`${file} has the states, events and targets that its machine has`, () => {
    assert.equal(readLiteral(text).states, statesOf(machine));
  });
}

function statesOf({ root }: AnyStateMachine): Reading['states'] {
  return Object.fromEntries(
    [root, ...Object.values(root.states)].map((node) => [
      node === root ? '*' : node.key,
      Object.fromEntries(
        [...node.transitions].map(([event, candidates]) => [
          event,
          candidates.map(({ target }) => (target as readonly AnyStateNode[] | undefined)?.[0]?.key ?? '-'),
        ]),
      ),
    ]),
  );
}

// What the reader finds in a machine that does not keep to the form.

const good = `
const mapped = ({ event }) => ({ at: event.at });
export const machine = setup({ types: {} }).createMachine({
  initial: 'a',
  context: ({ input }) => input,
  on: { stop: { description: 'enough', target: '.b' } },
  states: {
    a: {
      description: 'It begins.',
      entry: ['act', { type: 'act', params: mapped }],
      on: { go: [{ description: 'it may', guard: 'may', target: 'b' }, { description: 'it stays', actions: 'act' }] },
    },
    b: { type: 'final', description: 'It ends.' },
  },
});`;

test('a machine that keeps to the form is read without findings', () => {
  assert.equal(readLiteral(good), {
    findings: [],
    states: { '*': { stop: ['b'] }, a: { go: ['b', '-'] }, b: {} },
  });
});

const bad: readonly [what: string, change: readonly [from: string, to: string], finding: string][] = [
  [
    'two machines',
    ['\nexport', '\nexport const other = setup({}).createMachine({ states: {} });\nexport'],
    'file creates 2 machines, not one',
  ],
  [
    'no setup',
    ['setup({ types: {} }).', ''],
    'file creates its machine from something else than `setup({ … })`',
  ],
  [
    'a machine in a variable',
    ['createMachine({', 'createMachine(given, {'],
    'file creates its machine of something else than one literal',
  ],
  ['a spread', ["initial: 'a',", '...shared,'], 'machine `...shared` is no plain key and value'],
  [
    'a spread among the states',
    ['states: {', 'states: { ...more,'],
    'machine.states `...more` is no plain key and value',
  ],
  [
    'a computed key',
    ['b: { type', '[b]: { type'],
    "machine.states `[b]: { type: 'final', description: 'It ends.' }` is no plain key and value",
  ],
  [
    'a state that stands elsewhere',
    ["b: { type: 'final', description: 'It ends.' }", 'b: ending'],
    'machine.states.b `ending` is no literal',
  ],
  [
    'a state without a description',
    [", description: 'It ends.'", ''],
    'states.b has no description of one sentence',
  ],
  [
    'a state of two sentences',
    ['It ends.', 'It ends. Or so.'],
    'states.b has no description of one sentence',
  ],
  [
    'a transition without a description',
    ["description: 'it may', ", ''],
    'states.a.on.go has no description',
  ],
  [
    'a transition that is only a target',
    ["{ description: 'enough', target: '.b' }", "'.b'"],
    "machine.on.stop `'.b'` is no literal",
  ],
  [
    'an inline action',
    ["actions: 'act'", 'actions: () => {}'],
    'machine.states.a.on.go.actions `() => {}` has no name',
  ],
  ['an action that is called by reference', ["['act',", '[act,'], 'machine.states.a.entry `act` has no name'],
  [
    'an inline guard',
    ["guard: 'may'", 'guard: ({ context }) => context.may'],
    'machine.states.a.on.go.guard `({ context }) => context.may` has no name',
  ],
  [
    'a guard that is composed',
    ["guard: 'may'", "guard: and(['may'])"],
    "machine.states.a.on.go.guard `and(['may'])` has no name",
  ],
  [
    'params from another file',
    ['params: mapped', 'params: elsewhere'],
    'machine.states.a.entry.params `elsewhere` is no function of this file',
  ],
  [
    'params with statements',
    ['=> ({ at: event.at })', '=> { return { at: event.at }; }'],
    'machine.states.a.entry.params does more than to map',
  ],
  [
    'a function that is no mapper',
    ["initial: 'a'", "initial: () => 'a'"],
    "machine.initial `() => 'a'` is no literal",
  ],
];

for (const [what, [from, to], finding] of bad) {
  test(`${what} is found`, () => {
    assert.ok(good.includes(from));
    const { findings } = readLiteral(good.replace(from, to));
    assert.ok(findings.includes(finding), findings.join('\n'));
  });
}
