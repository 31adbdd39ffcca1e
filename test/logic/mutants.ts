// Tables with one thing wrong: what a slip in `compile` could make of them, at each of their entries.

import type { ActionEntry, Candidate, Move, ParamsOf, StateEntry, Table } from '../../src/logic/table.ts';

export interface Mutant {
  /** Where in the table, and what is wrong there. */
  readonly name: string;
  readonly table: Table;
}

type Changed<Part> = readonly [what: string, part: Part];

/** One mutant for each thing that can go wrong at each entry. */
export function* mutantsOf(table: Table): Generator<Mutant> {
  for (const [what, changed] of tableMutants(table)) yield { name: what, table: changed };
  for (const [number, state] of table.states.entries()) {
    for (const [what, changed] of stateMutants(table, state)) {
      const states = table.states.with(number, changed);
      yield { name: `${state.key}: ${what}`, table: { ...table, states } };
    }
  }
}

function* tableMutants(table: Table): Generator<Changed<Table>> {
  yield ['id: other', { ...table, id: 'other' }];
  yield ['context: none', { ...table, context: undefined }];
  yield [
    'context: one key more',
    { ...table, context: after(table.context, (made) => ({ ...Object(made), more: 1 })) },
  ];
  if (table.output === undefined) yield ['output: given', { ...table, output: 'given' }];
  else yield ['output: none', { ...table, output: undefined }];
  yield ['output: other', { ...table, output: after(table.output, (made) => ({ made })) }];
  for (const [what, initial] of moveMutants(table, table.initial))
    yield [`initial: ${what}`, { ...table, initial }];
  for (const [key, number] of table.numberOf) {
    const next = new Map(table.numberOf).set(key, (number + 1) % table.states.length);
    yield [`number of ${key}: another's`, { ...table, numberOf: next }];
    const less = new Map(table.numberOf);
    less.delete(key);
    yield [`number of ${key}: none`, { ...table, numberOf: less }];
  }
}

function* stateMutants(table: Table, state: StateEntry): Generator<Changed<StateEntry>> {
  yield ['key: other', { ...state, key: 'other' }];
  yield ['id: other', { ...state, id: 'other' }];
  yield ['tags: one more', { ...state, tags: new Set([...state.tags, 'more']) }];
  yield ['meta: one more', { ...state, meta: { ...state.meta, more: 1 } }];
  yield ['output: given', { ...state, output: 'given' }];
  for (const [what, exit] of listMutants(state.exit)) yield [`exit: ${what}`, { ...state, exit }];
  const [some] = table.states
    .flatMap(({ on }) => [...on.values()])
    .flatMap(([candidate]) => candidate?.actions ?? []);
  yield ['exit: one more', { ...state, exit: [...state.exit, some as ActionEntry] }];
  for (const [type, candidates] of state.on) {
    const withAll = (changed: readonly Candidate[]) => ({
      ...state,
      on: new Map(state.on).set(type, changed),
    });
    const less = new Map(state.on);
    less.delete(type);
    yield [`${type}: not known`, { ...state, on: less }];
    yield [`${type}: under another name`, { ...state, on: new Map(less).set('other', candidates) }];
    for (const [what, changed] of orderMutants(candidates, (_, index) => `candidate ${index}`)) {
      yield [`${type}: ${what}`, withAll(changed)];
    }
    for (const [index, candidate] of candidates.entries()) {
      for (const [what, changed] of candidateMutants(table, candidate)) {
        yield [`${type} ${index}: ${what}`, withAll(candidates.with(index, changed))];
      }
    }
  }
}

function* candidateMutants(table: Table, candidate: Candidate): Generator<Changed<Candidate>> {
  for (const [what, move] of moveMutants(table, candidate)) yield [what, { ...candidate, ...move }];
  const other = { ...candidate.definition };
  yield ['definition: a copy', { ...candidate, definition: other }];
  yield ['guard: never', { ...candidate, guard: { type: 'never', params: undefined, check: () => false } }];
  const { guard } = candidate;
  if (guard === undefined) return;
  const { check, params } = guard;
  yield ['guard: none', { ...candidate, guard: undefined }];
  yield [
    'guard: its opposite',
    { ...candidate, guard: { ...guard, check: (args, given) => !check(args, given) } },
  ];
  yield ['guard: under another name', { ...candidate, guard: { ...guard, type: 'other' } }];
  for (const [what, changed] of paramsMutants(params)) {
    yield [`guard: ${what}`, { ...candidate, guard: { ...guard, params: changed } }];
  }
}

function* moveMutants(table: Table, move: Move): Generator<Changed<Move>> {
  for (const [number, { key }] of table.states.entries()) {
    if (number !== move.target) yield [`target: ${key}`, { ...move, target: number }];
  }
  yield [`completes: ${!move.completes}`, { ...move, completes: !move.completes }];
  for (const [what, actions] of listMutants(move.actions)) yield [what, { ...move, actions }];
}

function* listMutants(actions: readonly ActionEntry[]): Generator<Changed<readonly ActionEntry[]>> {
  yield* orderMutants(actions, ({ type }) => type);
  for (const [index, action] of actions.entries()) {
    yield [`${action.type} twice`, actions.toSpliced(index, 0, action)];
    for (const [what, changed] of actionMutants(action)) {
      yield [`${action.type}: ${what}`, actions.with(index, changed)];
    }
  }
}

function* actionMutants(action: ActionEntry): Generator<Changed<ActionEntry>> {
  for (const [what, params] of paramsMutants(action.params)) yield [what, { ...action, params }];
  if (action.kind === 'assign') yield ['assigns nothing', { ...action, assignment: {} }];
  else if (action.kind === 'emit') yield ['emits something else', { ...action, event: { type: 'else' } }];
  else {
    yield ['under another name', { ...action, type: 'other' }];
    yield ['does nothing', { ...action, run: undefined }];
    if (action.params === undefined) yield ['params: given', { ...action, params: { given: 1 } }];
  }
}

function* paramsMutants(params: ParamsOf): Generator<Changed<ParamsOf>> {
  if (params === undefined) return;
  yield ['params: none', undefined];
  const spoil = (made: unknown) =>
    Object.fromEntries(Object.keys(Object(made)).map((key) => [key, `not the ${key}`]));
  yield ['params: others', after(params, spoil) as ParamsOf];
}

function* orderMutants<Item>(
  items: readonly Item[],
  nameOf: (item: Item, index: number) => string,
): Generator<Changed<readonly Item[]>> {
  for (const [index, item] of items.entries()) {
    yield [`without ${nameOf(item, index)}`, items.toSpliced(index, 1)];
    const next = items[index + 1];
    if (next === undefined) continue;
    const swapped = items.with(index, next).with(index + 1, item);
    yield [`${nameOf(next, index + 1)} before ${nameOf(item, index)}`, swapped];
  }
}

/** A value, or what a function returns, changed. */
function after(given: unknown, change: (made: unknown) => unknown): unknown {
  return typeof given === 'function'
    ? (...args: readonly unknown[]) => change(given(...args))
    : change(given);
}
