import { getShortestPaths, getSimplePaths } from 'topple/testing/paths';
import * as assert from 'uvu/assert';
import type { AnyEventObject, AnyMachineSnapshot } from 'xstate';
import { type CompiledSnapshot, compile } from '../../src/logic/index.ts';
import { Ledger, type Plan } from '../../src/model/ledger.ts';
import { type TriggerRule, triggerRules } from '../../src/model/trigger-rule.ts';
import { spec } from '../spec.ts';
import {
  Cursors,
  compiledStart,
  compiledStep,
  diceOf,
  differenceOf,
  interpretStart,
  interpretStep,
  lookDifferenceOf,
  oneOf,
} from './oracle.ts';
import {
  orchestrator,
  planOf,
  runAlphabet,
  type Subject,
  settlements,
  task,
  taskAlphabet,
} from './subjects.ts';

const test = spec('compiled machines equal the interpreter');

/** A machine and its table in the same state. */
interface Pair {
  readonly expected: AnyMachineSnapshot;
  readonly found: CompiledSnapshot;
}

/** The machine, its table and a cursor on it side by side: each step is compared before it is returned. */
class Comparison {
  steps = 0;
  readonly #machine: Subject['machine'];
  readonly #logic;
  readonly #cursors;

  constructor({ machine }: Subject) {
    this.#machine = machine;
    this.#logic = compile(machine);
    this.#cursors = new Cursors(machine);
  }

  start(input: unknown): Pair {
    const expected = interpretStart(this.#machine, input);
    return this.#paired(expected, compiledStart(this.#logic, input), () => 'start');
  }

  step({ expected, found }: Pair, event: AnyEventObject): Pair {
    const where = () => `${JSON.stringify(event)} in ${JSON.stringify(expected)}`;
    const next = interpretStep(this.#machine, expected, event);
    if (expected.status === 'active' && !isForActors(event)) {
      fail(differenceOf(next, this.#cursors.step(found, event)), () => `a cursor's ${where()}`);
    }
    return this.#paired(next, compiledStep(this.#logic, found, event), where);
  }

  /** What both answer when they are asked. */
  look({ expected, found }: Pair, events: readonly AnyEventObject[]): void {
    fail(lookDifferenceOf(expected, found, events), () => JSON.stringify(expected));
  }

  #paired(
    expected: ReturnType<typeof interpretStart>,
    found: ReturnType<typeof compiledStart>,
    where: () => string,
  ): Pair {
    this.steps++;
    fail(differenceOf(expected, found), where);
    if ('threw' in expected || 'threw' in found) throw new Error(`Threw at ${where()}`);
    return { expected: expected.state, found: found.state };
  }
}

/** What only an actor can be told: that it is to stop, or that another failed. */
const isForActors = ({ type }: AnyEventObject) =>
  type === 'xstate.stop' || type.startsWith('xstate.error.actor');

function fail(difference: string | undefined, where: () => string): void {
  if (difference !== undefined) assert.unreachable(`${difference}, after ${where()}`);
}

/** Walks the paths in step, and at the end of each tries every event of the alphabet. */
function comparePaths(
  subject: Subject,
  input: unknown,
  paths: readonly { readonly steps: readonly { readonly event: AnyEventObject }[] }[],
  alphabetOf: (state: AnyMachineSnapshot) => readonly AnyEventObject[],
): number {
  const comparison = new Comparison(subject);
  // A path is most often a shorter one and a step.
  const walked = new Map<string, Pair>();
  const walk = (events: readonly AnyEventObject[]): Pair => {
    const key = JSON.stringify(events);
    const known = walked.get(key);
    if (known !== undefined) return known;
    const last = events.at(-1);
    const pair =
      last === undefined ? comparison.start(input) : comparison.step(walk(events.slice(0, -1)), last);
    walked.set(key, pair);
    return pair;
  };
  for (const { steps } of paths) {
    // XState's own first step has the event that no path needs.
    const pair = walk(steps.slice(1).map(({ event }) => event));
    const alphabet = alphabetOf(pair.expected);
    comparison.look(pair, alphabet);
    for (const event of alphabet) comparison.step(pair, event);
  }
  return comparison.steps;
}

const kinds = [
  { maxAttempts: 1 },
  { maxAttempts: 2 },
  { maxAttempts: 3 },
  { maxAttempts: 1, asks: true },
  { maxAttempts: 1, waits: true },
  { maxAttempts: 1, asks: true, waits: true },
];

for (const kind of kinds) {
  test(`a task ${JSON.stringify(kind)} on every simple path, with every event at its end`, () => {
    const input = { task: 0, ...kind };
    const alphabet = taskAlphabet();
    const paths = getSimplePaths(task.machine, { input, events: alphabet });
    const steps = comparePaths(task, input, paths, () => alphabet);
    assert.ok(steps > paths.length * alphabet.length && paths.length > 18 * kind.maxAttempts);
    assert.equal(new Set(paths.map(({ state }) => state.value)), new Set(reachable(task, kind)));
  });
}

function reachable(
  { machine }: Subject,
  { maxAttempts, asks = false, waits = false }: { maxAttempts: number; asks?: boolean; waits?: boolean },
): readonly string[] {
  const attempts = ['ready', 'running', 'timing_out', 'expiring', 'cancelling'];
  return Object.keys(machine.states).filter((state) => {
    if (state === 'asking') return asks;
    if (state === 'planning' || state === 'waiting') return waits;
    if (state === 'backing_off' || state === 'due') return !waits && maxAttempts > 1;
    return !waits || !attempts.includes(state);
  });
}

interface Shape {
  readonly dependencies: readonly (readonly number[])[];
  readonly optional?: readonly number[];
}

const shapes: Readonly<Record<string, Shape>> = {
  'no task': { dependencies: [] },
  'one task': { dependencies: [[]] },
  'an optional task': { dependencies: [[]], optional: [0] },
  'two apart': { dependencies: [[], []] },
  'a chain of two': { dependencies: [[], [0]] },
  'a chain of three': { dependencies: [[], [0], [1]] },
  'a fork': { dependencies: [[], [0], [0]], optional: [2] },
  'a join': { dependencies: [[], [], [0, 1]], optional: [0] },
  'a triangle': { dependencies: [[], [0], [0, 1]] },
  'a pair and one apart': { dependencies: [[], [0], []] },
};

/** Shortest paths to all states of a run, and from each every event. */
function compareRun(plan: Plan): {
  readonly paths: number;
  readonly steps: number;
  readonly causes: ReadonlySet<unknown>;
} {
  const input = { ledger: Ledger.open(plan) };
  const paths = getShortestPaths(orchestrator.machine, {
    input,
    // To find the states, one event of each kind will do, and tasks that settle where they can.
    events: ({ context }: AnyMachineSnapshot) => [
      ...runAlphabet().filter(
        ({ type }, index, all) => all.findIndex((event) => event.type === type) === index,
      ),
      ...settlements(context, 'decided').filter(({ status }) =>
        ['done', 'failed', 'skipped'].includes(status),
      ),
    ],
  });
  const alphabetOf = ({ context }: AnyMachineSnapshot) => [...runAlphabet(), ...settlements(context, 'all')];
  const causes = new Set(paths.map(({ state }) => state.context.cause));
  return { paths: paths.length, steps: comparePaths(orchestrator, input, paths, alphabetOf), causes };
}

test('runs of ten small graphs on the shortest path to each state, with every event there', () => {
  const used = new Set<TriggerRule>();
  let next = 0;
  const total = { paths: 0, steps: 0 };
  for (const { dependencies, optional } of Object.values(shapes)) {
    const rules = dependencies.map(() => triggerRules[next++ % triggerRules.length] as TriggerRule);
    for (const rule of rules) used.add(rule);
    const { paths, steps } = compareRun(planOf(dependencies, rules, optional));
    total.paths += paths;
    total.steps += steps;
  }
  assert.is(used.size, triggerRules.length);
  assert.ok(total.paths > 1_200 && total.steps > 20 * total.paths);
});

for (const rule of triggerRules) {
  test(`runs of a chain under ${rule} on the shortest path to each state, with every event there`, () => {
    const { paths } = compareRun(planOf([[], [0]], ['all_success', rule]));
    assert.ok(paths > 40);
  });
}

for (const tolerance of [0, 1]) {
  test(`runs that accept ${tolerance} failures on the shortest path to each state, with every event there`, () => {
    const { paths, causes } = compareRun(
      planOf([[], [], [0]], ['always', 'always', 'all_settled'], [], tolerance),
    );
    assert.ok(causes.has('tolerance') && paths > 100, `${paths} paths`);
  });
}

/** Walks at random from fresh inputs, beyond each end by a few steps, and returns which events it tried where. */
function compareWalks(subject: Subject, steps: number, seed: number): ReadonlySet<string> {
  const dice = diceOf(seed);
  const comparison = new Comparison(subject);
  const tried = new Set<string>();
  let pair = comparison.start(subject.makeInput(dice));
  let left = 3;
  while (comparison.steps < steps) {
    const isActive = pair.expected.status === 'active';
    const event = isActive ? subject.makeEvent(dice, pair.expected) : oneOf(dice, subject.alphabet);
    tried.add(`${pair.expected.value} ${event.type}`);
    if (dice(16) === 0) comparison.look(pair, [event]);
    pair = comparison.step(pair, event);
    if (pair.expected.status !== 'active' && left-- === 0) {
      pair = comparison.start(subject.makeInput(dice));
      left = dice(4);
    }
  }
  return tried;
}

for (const [name, subject] of Object.entries({ task, orchestrator })) {
  test(`100,000 random steps of the ${name}, in and out of place`, () => {
    const tried = compareWalks(subject, 100_000, 20_260_101);
    const types = new Set([...tried].map((key) => key.split(' ')[1]));
    const states = Object.keys(subject.machine.states);
    const pairs = states.flatMap((state) => [...types].map((type) => `${state} ${type}`));
    assert.equal(
      pairs.filter((pair) => !tried.has(pair)),
      [],
    );
  });
}
