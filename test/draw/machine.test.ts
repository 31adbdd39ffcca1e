import * as assert from 'uvu/assert';
import type { Machine, MachineState, MachineTransition } from '../../src/draw/machine.ts';
import { dotOfMachines } from '../../src/draw/machine-dot.ts';
import { jsonOfMachines } from '../../src/draw/machine-json.ts';
import { diagramOf, mermaidOfMachines } from '../../src/draw/machine-mermaid.ts';
import { drawMachine, svgOfMachines } from '../../src/draw/machine-svg.ts';
import { spec } from '../spec.ts';
import { elementsOf } from '../support/xml.ts';

const test = spec('pictures of machines');

const on = (event: string, target?: string, more?: Partial<MachineTransition>): MachineTransition => ({
  event,
  guard: undefined,
  target,
  description: undefined,
  actions: [],
  ...more,
});

const state = (name: string, transitions: MachineTransition[], isFinal = false): MachineState => ({
  name,
  description: `it is ${name}`,
  isFinal,
  tags: [],
  entry: [],
  exit: [],
  transitions,
});

const door: Machine = {
  name: 'door',
  description: 'A door.',
  initial: 'shut',
  entry: [],
  states: [
    state('shut', [
      on('knock', undefined, { actions: ['bark'] }),
      on('push', 'open', { guard: 'isUnlocked' }),
      on('push', undefined, { actions: ['rattle'] }),
      on('paint', undefined),
    ]),
    state('open', [
      on('pull', 'shut', { guard: 'isCalm' }),
      on('pull', 'shut', { actions: ['slam'] }),
      on('push', 'open'),
    ]),
    state('broken', [], true),
  ],
  transitions: [on('kick', 'broken'), on('paint', undefined, { actions: ['dry'] })],
};

const lamp: Machine = {
  ...door,
  name: 'lamp',
  initial: 'on',
  states: [state('on', [on('press', 'off')]), state('off', [], true)],
  transitions: [],
};

test('are Mermaid state diagrams: what all states take leaves a frame, and a state that ignores an event lists none', () => {
  assert.is(
    diagramOf(door),
    `stateDiagram-v2
  direction LR
  state "any of these" as any {
    [*] --> shut
    shut : shut
    shut : knock
    shut : push [else]
    open : open
    open : paint
    shut --> open : push [isUnlocked]
    open --> shut : pull
    open --> open : push
  }
  any --> broken : kick
  classDef final stroke-width:3px
  class broken final`,
  );
});

test('have no frame where nothing is taken by all states, and a chart for each machine', () => {
  const chart = `stateDiagram-v2
  direction LR
  [*] --> on
  on : on
  on --> off : press
  classDef final stroke-width:3px
  class off final
`;
  assert.is(mermaidOfMachines([lamp, { ...lamp, name: 'torch' }]), `%% lamp\n${chart}\n%% torch\n${chart}`);
});

test('are Graphviz graphs, with a frame for each machine', () => {
  assert.is(
    dotOfMachines([door, lamp]),
    `digraph machines {
  rankdir=LR;
  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=9, color="#8c959f"];
  subgraph "cluster_door" {
    label="door";
    "door.shut" [label="shut"];
    "door.open" [label="open"];
    "door.broken" [label="broken", peripheries=2];
    "door.shut" -> "door.open" [label="push [isUnlocked]"];
    "door.shut" -> "door.broken" [label="kick"];
    "door.open" -> "door.shut" [label="pull"];
    "door.open" -> "door.open" [label="push"];
    "door.open" -> "door.broken" [label="kick"];
  }
  subgraph "cluster_lamp" {
    label="lamp";
    "lamp.on" [label="on"];
    "lamp.off" [label="off", peripheries=2];
    "lamp.on" -> "lamp.off" [label="press"];
  }
}
`,
  );
});

test('are JSON, with the arrows that all states have at each', () => {
  assert.equal(JSON.parse(jsonOfMachines([door])), {
    door: {
      states: [
        { name: 'shut', isFinal: false, description: 'it is shut' },
        { name: 'open', isFinal: false, description: 'it is open' },
        { name: 'broken', isFinal: true, description: 'it is broken' },
      ],
      transitions: [
        { from: 'shut', to: 'open', label: 'push [isUnlocked]' },
        { from: 'shut', to: 'broken', label: 'kick' },
        { from: 'open', to: 'shut', label: 'pull' },
        { from: 'open', to: 'open', label: 'push' },
        { from: 'open', to: 'broken', label: 'kick' },
      ],
    },
  });
});

test('are SVG: a box for each state, a dot where it starts, and events between, those that lead back with an arrow', () => {
  const svg = elementsOf(svgOfMachines([door, lamp], { title: 'things', subtitle: 'at home' }));
  const classesOf = (name: string) =>
    svg.filter((element) => element.name === name).flatMap(({ attributes }) => attributes.class ?? []);
  assert.equal(
    classesOf('g'),
    ['state', 'state', 'state final', 'state', 'state final'],
    'those that only move others have no class',
  );
  assert.is(classesOf('circle').length, 2);
  assert.equal(
    svg.filter(({ name }) => name === 'text').map(({ text }) => text),
    [
      ...['things', 'at home'],
      ...['door', 'push [isUnlocked]', 'kick', '← pull', 'kick', 'shut', 'open', 'broken'],
      ...['lamp', 'press', 'on', 'off'],
    ],
  );
});

test('a machine at work has its state and the transitions that it took stressed, and nothing else', () => {
  const classes = (lit?: Parameters<typeof drawMachine>[1]) => {
    const { body } = drawMachine(door, lit);
    const count = (pattern: RegExp): number => body.filter((part) => pattern.test(part)).length;
    return {
      now: body.filter((part) => part.includes(' now"')).map((part) => />(\w+)<\/text>/.exec(part)?.[1]),
      edges: count(/class="edge taken"/),
      events: body
        .filter((part) => part.includes('event taken'))
        .map((part) => />([^<]*)<\/text>/.exec(part)?.[1]),
      all: count(/class="edge/),
    };
  };
  const still = classes();
  assert.equal([still.now, still.edges, still.events], [[], 0, []]);
  const taken = [{ from: 'shut', to: 'open', event: 'push' }];
  const lit = classes({ state: 'open', taken });
  assert.equal([lit.now, lit.events], [['open'], ['push [isUnlocked]']]);
  assert.ok(lit.edges >= 2 && lit.edges < lit.all);
  assert.is(lit.all, still.all);
});
