// Copies of a machine with one thing changed on the way of the fast path, at each place where something can be.

import { type AnyStateMachine, assign, StateMachine } from 'xstate';

type Values = Readonly<Record<string, unknown>>;
type Args = { readonly context: Values; readonly event: Values };
type Action = string | { readonly type: string; readonly params?: Values | ((args: Args) => Values) };
type Guard = (args: { readonly context: never }, params: never) => boolean;

interface Transition {
  target?: string;
  actions?: Action | Action[];
}

/** A state in a machine's literal, or the literal itself. */
interface State {
  type?: string;
  initial?: string;
  context?: (args: unknown) => Values;
  entry?: Action | Action[];
  exit?: Action | Action[];
  on?: Record<string, Transition | Transition[]>;
  states?: Record<string, State>;
}

/** The way of the fast path through a machine. A state that is `undefined` is the root. */
export interface Way {
  readonly machine: AnyStateMachine;
  readonly states: readonly (string | undefined)[];
  readonly transitions: readonly Place[];
  /** The values that params are made of. */
  readonly args: Args;
  /** An action that everybody sees. */
  readonly more: Action;
  /** Values for parts of the context. */
  readonly written: Values;
  /** Whether some contexts are treated otherwise: not those of the runs that are compared. */
  readonly sometimes: (context: never) => boolean;
  /** Other implementations of guards. */
  readonly guards: Readonly<Record<string, Guard>>;
}

/** A transition that is taken: the state that has it, and its place among those for the event. */
interface Place {
  readonly state: string | undefined;
  readonly event: string;
  readonly index: number;
}

interface Mutant {
  readonly name: string;
  make(): AnyStateMachine;
}

/** One mutant for each change of each part. */
export function* mutantsOf(way: Way): Generator<Mutant> {
  for (const state of way.states) yield* stateMutants(way, state);
  for (const place of way.transitions) yield* transitionMutants(way, place);
  yield* implementationMutants(way);
}

function* stateMutants(way: Way, key: string | undefined): Generator<Mutant> {
  const original = stateOf(literalOf(way.machine), key);
  const changed = (what: string, change: (state: State) => object) =>
    mutant(`${key ?? 'root'}: ${what}`, way, (root) =>
      Object.assign(stateOf(root, key), change(stateOf(root, key))),
    );
  for (const edge of ['entry', 'exit'] as const) {
    for (const [what, list] of listMutants(way, listOf(original[edge])))
      yield changed(`${edge} ${what}`, () => ({ [edge]: list }));
  }
  yield changed('other tags', () => ({ tags: 'other' }));
  yield changed('other meta', () => ({ meta: { other: 1 } }));
  const [elsewhere] = Object.keys(way.machine.states).filter((other) => other !== (key ?? original.initial));
  if (key !== undefined) {
    yield changed('an always', () => ({ always: { target: elsewhere } }));
    yield changed('an after', () => ({ after: { 1: { target: elsewhere } } }));
    yield changed('an invoke', () => ({ invoke: { src: 'nobody' } }));
    if (original.type === 'final') yield changed('not final', () => ({ type: 'atomic' }));
    return;
  }
  yield changed('another first state', () => ({ initial: elsewhere }));
  yield changed('an output', () => ({ output: () => 'output' }));
  for (const [name, value] of Object.entries(way.written)) {
    yield changed(`another first ${name}`, ({ context }) => ({
      context: (args: unknown) => ({ ...context?.(args), [name]: value }),
    }));
  }
}

function* transitionMutants(way: Way, { state, event, index }: Place): Generator<Mutant> {
  const { machine, more } = way;
  const name = `${state ?? 'root'} on ${event}`;
  const relisted = (what: string, change: (list: Transition[]) => Transition[]) =>
    mutant(`${name}: ${what}`, way, (root) => {
      const { on = {} } = stateOf(root, state);
      on[event] = change(listOf(on[event]));
    });
  const original = listOf(stateOf(literalOf(machine), state).on?.[event])[index] as Transition;
  const changed = (what: string, change: object) =>
    relisted(what, (list) => list.with(index, { ...list[index], ...change }));
  for (const [what, actions] of listMutants(way, listOf(original.actions))) yield changed(what, { actions });
  for (const key of Object.keys(machine.states)) {
    const target = state === undefined ? `.${key}` : key;
    if (target !== original.target) yield changed(`target ${target}`, { target });
  }
  if (original.target !== undefined) yield changed('no target', { target: undefined });
  yield changed('another description', { description: 'another' });
  yield changed('reenter', { reenter: true });
  yield changed('a guard that holds', { guard: 'holds' });
  yield changed('a guard that does not', { guard: 'never' });
  const other = { ...original, actions: [...listOf(original.actions), more] };
  for (const guard of [undefined, 'holds', 'never']) {
    const what = `one before it, guard ${guard ?? 'none'}`;
    yield relisted(what, (list) => list.toSpliced(index, 0, { ...other, ...(guard && { guard }) }));
  }
  yield relisted('one after it', (list) => list.toSpliced(index + 1, 0, other));
  yield relisted('none', (list) => list.toSpliced(index, 1));
  if (index > 0) yield relisted('none before it', (list) => list.slice(index));
  for (const key of state === undefined ? Object.keys(machine.states) : [undefined]) {
    const target = key === undefined ? { target: `.${original.target}` } : {};
    yield mutant(`${name}: one in ${key ?? 'root'} too`, way, (root) => {
      const node = stateOf(root, key);
      node.on = { ...node.on, [event]: { ...other, ...target } };
    });
  }
}

function* implementationMutants({
  machine,
  transitions,
  written,
  sometimes,
  guards,
}: Way): Generator<Mutant> {
  const taken = transitions.flatMap(
    ({ state, event, index }) => listOf(stateOf(literalOf(machine), state).on?.[event])[index]?.actions ?? [],
  );
  for (const name of new Set(taken.map((action) => nameOf(action).type))) {
    const { assignment } = Object(machine.implementations.actions[name]);
    if (assignment === undefined) continue;
    const assigned = (what: string, change: (update: Values, context: never) => Values): Mutant => ({
      name: `${name} ${what}`,
      make: () =>
        machine.provide({
          actions: {
            [name]: assign((args, params) => change(assignment(args, params), args.context as never)),
          } as never,
        }),
    });
    yield assigned('writes nothing', () => ({}));
    yield assigned('writes for some contexts only', (update, context) => (sometimes(context) ? {} : update));
    for (const [key, value] of Object.entries(written))
      yield assigned(`writes another ${key}`, (update) => ({ ...update, [key]: value }));
  }
  for (const [what, guard] of Object.entries(guards)) {
    const name = what.split(' ')[0] as string;
    yield { name: what, make: () => machine.provide({ guards: { [name]: guard } as never }) };
  }
}

/** A list of actions with one more, less or twice, in another order, or with another value in its params. */
function* listMutants(
  { args, more }: Way,
  list: readonly Action[],
): Generator<[what: string, list: Action[]]> {
  for (let place = 0; place <= list.length; place++)
    yield [`one more at ${place}`, list.toSpliced(place, 0, more)];
  for (const [place, action] of list.entries()) {
    const { type, params } = nameOf(action);
    yield [`without ${type}`, list.toSpliced(place, 1)];
    yield [`${type} twice`, list.toSpliced(place, 0, action)];
    const next = list[place + 1];
    if (next !== undefined) yield [`${type} later`, list.with(place, next).with(place + 1, action)];
    const made = (given: Args) => (typeof params === 'function' ? params(given) : params);
    const changed = (change: (values: Values) => Values) =>
      list.with(place, { type, params: (given) => change({ ...made(given) }) });
    for (const key of Object.keys(made(args) ?? {})) {
      if (key === 'type') continue;
      yield [
        `${type} with another ${key}`,
        changed((values) => ({ ...values, [key]: otherThan(values[key]) })),
      ];
    }
    if (params !== undefined)
      yield [`${type} with one value more`, changed((values) => ({ ...values, more: 1 }))];
  }
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (value === 'done') return 'failed';
  return Array.isArray(value) ? [] : ['other', value];
}

function mutant(name: string, { machine }: Way, change: (root: State) => void): Mutant {
  const make = (): AnyStateMachine => {
    const config = copyOf(literalOf(machine));
    change(config);
    const guards = { ...machine.implementations.guards, holds: () => true, never: () => false };
    return new StateMachine(config as never, { ...machine.implementations, guards } as never);
  };
  return { name, make };
}

function literalOf({ config }: AnyStateMachine): State {
  return config as State;
}

function stateOf(root: State, key: string | undefined): State {
  return key === undefined ? root : (root.states?.[key] as State);
}

function nameOf(action: Action): Exclude<Action, string> {
  return typeof action === 'string' ? { type: action } : action;
}

function listOf<Item>(items: Item | Item[] | undefined): Item[] {
  if (items === undefined) return [];
  return Array.isArray(items) ? items : [items];
}

/** A copy of objects and lists; functions are shared. */
function copyOf<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)])) as Value;
}
