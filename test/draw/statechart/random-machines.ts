import type { Machine, MachineState, MachineTransition, StateKind } from '../../../src/draw/machine.ts';

/** A source of numbers from 0 to 1, the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Makes a machine of up to 100 states: nested and parallel, with history and final states, arrows to themselves, across
 * levels, into and out of what is around them, and with names short and long.
 */
export function randomMachine(seed: number, most = 100): Machine {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const chance = (part: number): boolean => random() < part;
  const word = (): string =>
    Array.from({ length: chance(0.1) ? 5 : 1 }, () => words[below(words.length)] as string).join(' ');
  const size = 1 + below(most);
  const depth = 1 + below(6);
  const nodes: { parent: number; depth: number }[] = [{ parent: -1, depth: 0 }];
  const containers = [0];
  while (nodes.length < size) {
    const parent = containers[below(containers.length)] as number;
    const level = (nodes[parent]?.depth ?? 0) + 1;
    const index = nodes.push({ parent, depth: level }) - 1;
    if (level < depth && chance(0.3)) containers.push(index);
  }
  const children: number[][] = nodes.map(() => []);
  for (const [index, { parent }] of nodes.entries()) children[parent]?.push(index);
  const kindOf = (index: number): StateKind => {
    if ((children[index] as number[]).length > 0) return chance(0.25) ? 'parallel' : 'compound';
    if (index === 0 || chance(0.8)) return 'atomic';
    return chance(0.6) ? 'final' : chance(0.5) ? 'shallow' : 'deep';
  };
  const kinds = nodes.map((_, index) => kindOf(index));
  const arrows: MachineTransition[][] = nodes.map(() => []);
  const add = (from: number, to: readonly number[]): void => {
    arrows[from]?.push({
      event: chance(0.1) ? 'always' : chance(0.1) ? `after ${below(60)} s` : `${word()}.${below(9)}`,
      guard: chance(0.3) ? `is ${word()}` : undefined,
      targets: to,
      description: undefined,
      actions: Array.from({ length: chance(0.3) ? 1 + below(3) : 0 }, word),
    });
  };
  const density = 0.3 + 1.4 * random();
  for (let left = Math.round(size * density); left > 0; left--) {
    const from = below(size);
    if (kinds[from] === 'final' || kinds[from] === 'shallow' || kinds[from] === 'deep') continue;
    const siblings = children[nodes[from]?.parent ?? -1] ?? [0];
    const to = chance(0.7) ? (siblings[below(siblings.length)] as number) : below(size);
    if (chance(0.08)) add(from, []);
    else add(from, chance(0.05) ? [to, below(size)] : [to]);
  }
  const states = nodes.map(({ parent }, index): MachineState => {
    const kind = kinds[index] as StateKind;
    const inside = children[index] as number[];
    return {
      name: index === 0 ? `machine ${seed}` : `${word()} ${index}`,
      parent,
      kind,
      initial: kind === 'compound' ? inside[below(inside.length)] : undefined,
      description: chance(0.2) ? `It is ${word()}.` : undefined,
      tags: chance(0.1) ? [word(), word()] : [],
      entry: chance(0.15) ? [word()] : [],
      exit: chance(0.1) ? [word()] : [],
      invokes: chance(0.1) ? [word()] : [],
      transitions: arrows[index] as MachineTransition[],
    };
  });
  return sorted({ name: `machine ${seed}`, description: undefined, states });
}

/**
 * Makes a machine like those that people write, with so many states and arrows: containers of up to eight states, some of
 * them parallel, each a way from state to state with turns back, and every sixth arrow across levels.
 */
export function usualMachine(seed: number, size: number, arrowCount: number): Machine {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const parents = [-1];
  const children: number[][] = [[]];
  const kinds: StateKind[] = ['compound'];
  const open = [0];
  for (
    let container = open.shift();
    container !== undefined && parents.length < size;
    container = open.shift()
  ) {
    const isParallel = kinds[container] === 'parallel';
    const count = Math.min(size - parents.length, isParallel ? 2 + below(2) : 4 + below(5));
    for (let child = 0; child < count; child++) {
      const index = parents.push(container) - 1;
      children.push([]);
      children[container]?.push(index);
      const isOuter = isParallel || random() < 0.3 || (child === count - 1 && open.length === 0);
      kinds.push(isOuter ? (!isParallel && random() < 0.25 ? 'parallel' : 'compound') : 'atomic');
      if (isOuter) open.push(index);
    }
  }
  const arrows = parents.map((): Set<number> => new Set());
  const add = (from: number, to: number): number => {
    if (from === to || kinds[parents[from] ?? 0] === 'parallel' || arrows[from]?.has(to)) return 0;
    arrows[from]?.add(to);
    return 1;
  };
  let left = arrowCount;
  for (const [container, inside] of children.entries())
    if (kinds[container] !== 'parallel')
      for (const [place, child] of inside.slice(1).entries())
        if (left > 0) left -= add(inside[place] as number, child);
  for (let turn = 0; left > 0; turn++) {
    const from = 1 + below(size - 1);
    const siblings = children[parents[from] as number] as number[];
    left -= add(from, turn % 6 === 0 ? 1 + below(size - 1) : (siblings[below(siblings.length)] as number));
  }
  const states = parents.map((parent, index): MachineState => {
    const inside = children[index] as number[];
    const kind = inside.length === 0 ? 'atomic' : (kinds[index] as StateKind);
    return {
      name: `${words[index % 10]} ${index}`,
      parent,
      kind,
      initial: kind === 'compound' ? inside[0] : undefined,
      description: undefined,
      tags: [],
      entry: [],
      exit: [],
      invokes: [],
      transitions: Array.from(arrows[index] as Set<number>, (to) => ({
        event: `${words[(index + to) % 10]}.${index}`,
        guard: undefined,
        targets: [to],
        description: undefined,
        actions: [],
      })),
    };
  });
  return sorted({ name: `machine ${seed}`, description: undefined, states });
}

const words = [
  ...['idle', 'busy', 'on', 'off', 'loading', 'ready', 'waiting', 'checkout', 'payment', 'retrying'],
  ...[
    'authorised',
    'WAITING',
    'i',
    'connecting',
    'ünïcode',
    '状態',
    'unreachable',
    'a & b <c>',
    'go',
    'submitted',
  ],
];

/** Puts each state right before those in it, as a machine's list has them. */
function sorted({ name, description, states }: Machine): Machine {
  const order: number[] = [];
  const open = [0];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    order.push(next);
    for (let index = states.length - 1; index > 0; index--)
      if (states[index]?.parent === next) open.push(index);
  }
  const places = new Map(order.map((index, place) => [index, place]));
  const placeOf = (index: number): number => places.get(index) ?? -1;
  return {
    name,
    description,
    states: order.map((index) => {
      const state = states[index] as MachineState;
      return {
        ...state,
        parent: placeOf(state.parent),
        initial: state.initial === undefined ? undefined : placeOf(state.initial),
        transitions: state.transitions.map((each) => ({ ...each, targets: each.targets.map(placeOf) })),
      };
    }),
  };
}
