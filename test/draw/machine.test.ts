import * as assert from 'uvu/assert';
import type { Machine, MachineState, MachineTransition } from '../../src/draw/machine.ts';
import { dotOfMachines } from '../../src/draw/machine-dot.ts';
import { jsonOfMachines } from '../../src/draw/machine-json.ts';
import { diagramOf, mermaidOfMachines } from '../../src/draw/machine-mermaid.ts';
import { drawMachine, type MachineTrail, svgOfMachines } from '../../src/draw/machine-svg.ts';
import { spec } from '../spec.ts';
import { elementsOf } from '../support/xml.ts';

const test = spec('pictures of machines');

const on = (event: string, target?: number, more?: Partial<MachineTransition>): MachineTransition => ({
  event,
  guard: undefined,
  targets: target === undefined ? [] : [target],
  description: undefined,
  actions: [],
  ...more,
});

const state = (
  name: string,
  transitions: MachineTransition[] = [],
  more: Partial<MachineState> = {},
): MachineState => ({
  name,
  parent: 0,
  kind: 'atomic',
  initial: undefined,
  description: `it is ${name}`,
  tags: [],
  entry: [],
  exit: [],
  invokes: [],
  transitions,
  ...more,
});

const root = { parent: -1, kind: 'compound', initial: 1 } as const;

const door: Machine = {
  name: 'door',
  description: 'A door.',
  states: [
    state('door', [on('kick', 3), on('paint', undefined, { actions: ['dry'] })], root),
    state('shut', [
      on('knock', undefined, { actions: ['bark'] }),
      on('push', 2, { guard: 'isUnlocked' }),
      on('push', undefined, { actions: ['rattle'] }),
      on('paint', undefined),
    ]),
    state('open', [on('pull', 1, { guard: 'isCalm' }), on('pull', 1, { actions: ['slam'] }), on('push', 2)]),
    state('broken', [], { kind: 'final' }),
  ],
};

const lamp: Machine = {
  name: 'lamp',
  description: undefined,
  states: [state('lamp', [], root), state('on', [on('press', 2)]), state('off', [], { kind: 'final' })],
};

/** Two regions, one with a state that has others and a history inside; arrows cross levels. */
const shop: Machine = {
  name: 'my shop',
  description: undefined,
  states: [
    state('my shop', [], { parent: -1, kind: 'parallel' }),
    state('light', [], { kind: 'atomic' }),
    state('till', [on('close', 6, { guard: 'isDay' })], { kind: 'compound', initial: 3 }),
    state('"idle"; #1', [on('after 5 s', 5, { actions: ['ring'] })], { parent: 2, invokes: ['clock'] }),
    state('busy', [on('always', 6), on('leave', 2)], { parent: 2, kind: 'compound', initial: 5 }),
    state('paying', [], { parent: 4, tags: ['hot'] }),
    state('last', [on('', 3)], { parent: 2, kind: 'deep' }),
  ],
};

test('are Mermaid state diagrams: what all states take leaves a box, and a state that ignores an event lists none', () => {
  assert.is(
    diagramOf(door),
    `stateDiagram-v2
  direction LR
  [*] --> shut
  shut : shut
  shut : knock
  shut : push [else]
  open : open
  any : any of these
  any : paint
  any --> broken : kick
  shut --> open : push [isUnlocked]
  open --> shut : pull
  open --> open : push
  classDef final stroke-width:3px
  class broken final`,
  );
});

test('nest in Mermaid; what goes across levels says so in its label, as Mermaid would move the states', () => {
  assert.is(
    diagramOf(shop, true),
    `stateDiagram-v2
  direction LR
  state "my shop" as machine {
    light : light
    --
    state "till" as till {
      [*] --> till__idle____1
      till__idle____1 : "idle"#59; #35;1
      till__idle____1 : invoke clock
      state "busy" as till_busy {
        [*] --> till_busy_paying
        till_busy_paying : paying
      }
      till_last : H*
      till__any : any of these
      till__any --> till_last : close [isDay]
      till__idle____1 --> till_busy : after 5 s / ring → paying
      till_busy --> till_last : always
      till_busy --> till__any : leave
      till_last --> till__idle____1
    }
  }`,
  );
});

test('have a chart for each machine', () => {
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

test('are Graphviz graphs, with a frame for each machine and each state that has others; arrows of those are cut there', () => {
  assert.is(
    dotOfMachines([door, shop]),
    `digraph machines {
  rankdir=LR;
  compound=true;
  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=9, color="#8c959f"];
  subgraph "cluster_door" {
    label="door";
    "door.shut" [label="shut"];
    "door.open" [label="open"];
    "door.broken" [label="broken", peripheries=2];
    "door.shut" -> "door.broken" [label="kick", ltail="cluster_door"];
    "door.shut" -> "door.open" [label="push [isUnlocked]"];
    "door.open" -> "door.shut" [label="pull"];
    "door.open" -> "door.open" [label="push"];
  }
  subgraph "cluster_my shop" {
    label="my shop";
    "my shop.light" [label="light"];
    subgraph "cluster_my shop.till" {
      label="till";
      "my shop.till.\\"idle\\"; #1" [label="\\"idle\\"; #1"];
      subgraph "cluster_my shop.till.busy" {
        label="busy";
        "my shop.till.busy.paying" [label="paying"];
      }
      "my shop.till.last" [label="last"];
    }
    "my shop.till.\\"idle\\"; #1" -> "my shop.till.last" [label="close [isDay]", ltail="cluster_my shop.till"];
    "my shop.till.\\"idle\\"; #1" -> "my shop.till.busy.paying" [label="after 5 s"];
    "my shop.till.busy.paying" -> "my shop.till.last" [label="always", ltail="cluster_my shop.till.busy"];
    "my shop.till.busy.paying" -> "my shop.till.\\"idle\\"; #1" [label="leave", ltail="cluster_my shop.till.busy", lhead="cluster_my shop.till"];
    "my shop.till.last" -> "my shop.till.\\"idle\\"; #1" [label=""];
  }
}
`,
  );
});

test('are JSON, with states and transitions by their paths', () => {
  const { shop: _, ...documents } = JSON.parse(jsonOfMachines([{ ...shop, name: 'till shop' }, lamp]));
  assert.equal(documents.lamp, {
    kind: 'compound',
    initial: 'on',
    description: 'it is lamp',
    tags: [],
    entry: [],
    exit: [],
    invokes: [],
    states: [
      { path: 'on', kind: 'atomic', description: 'it is on', tags: [], entry: [], exit: [], invokes: [] },
      { path: 'off', kind: 'final', description: 'it is off', tags: [], entry: [], exit: [], invokes: [] },
    ],
    transitions: [{ from: 'on', event: 'press', to: ['off'], actions: [] }],
  });
  assert.equal(
    documents['till shop'].transitions.map(({ from, to }: { from: string; to: string[] }) => [from, ...to]),
    [
      ['till', 'till.last'],
      ['till."idle"; #1', 'till.busy.paying'],
      ['till.busy', 'till.last'],
      ['till.busy', 'till'],
      ['till.last', 'till."idle"; #1'],
    ],
  );
});

test('are SVG: a box for each state, in the box that it is in, a dot where each starts, and a text for each event', () => {
  const svg = elementsOf(svgOfMachines([door, shop], { title: 'things', subtitle: 'at home' }));
  const classesOf = (name: string) =>
    svg.filter((element) => element.name === name).flatMap(({ attributes }) => attributes.class ?? []);
  assert.equal(classesOf('g'), [
    ...['state outer', 'state', 'state', 'state final'],
    ...[
      'state parallel outer',
      'state region',
      'state outer region',
      'state',
      'state outer',
      'state',
      'state deep',
    ],
  ]);
  assert.is(classesOf('circle').length, 3);
  assert.equal(
    svg.filter(({ name }) => name === 'text').map(({ text }) => text),
    [
      ...['things', 'at home'],
      ...['door', 'paint / dry', 'shut', 'knock / bark', 'push [else] / rattle', 'open', 'broken'],
      ...['kick', 'push [isUnlocked]', 'pull [isCalm]', 'pull [else]', '/ slam', 'push'],
      ...['my shop', 'light', 'till', '"idle"; #1', 'invoke clock', 'busy', 'paying', '#hot', 'H*'],
      ...['close [isDay]', 'after 5 s', '/ ring', 'always', 'leave'],
    ],
  );
  assert.equal(
    svg
      .filter(({ name }) => name === 'title')
      .map(({ text }) => text)
      .slice(0, 3),
    ['things: at home', 'it is door', 'it is shut'],
  );
});

test('a machine at work has its state and the transitions that it took stressed, and nothing else', () => {
  const classes = (trail?: MachineTrail) => {
    const { body } = drawMachine(door, trail);
    const all = elementsOf(`<svg>${body.join('')}</svg>`);
    const withClass = (part: string) =>
      all.filter(({ attributes }) => attributes.class?.split(' ').includes(part));
    return {
      now: withClass('now').map(({ attributes }) => attributes['data-state']),
      edges: withClass('taken').flatMap(({ attributes }) => attributes['data-edge'] ?? []),
      events: withClass('taken').flatMap(({ text }) => (text === '' ? [] : text)),
      all: withClass('edge').length,
    };
  };
  const still = classes();
  assert.equal([still.now, still.edges, still.events], [[], [], []]);
  const taken = [
    { from: 'shut', to: 'open', event: 'push' },
    // Taken by all states.
    { from: 'open', to: 'broken', event: 'kick' },
  ];
  const lit = classes({ state: 'open', taken });
  assert.equal([lit.now, lit.edges, lit.events], [['2'], ['0 3', '1 2'], ['kick', 'push [isUnlocked]']]);
  assert.is(lit.all, still.all);
});
