// Every simple path of the task machine, walked by a task of the real engine: the model says what the task must be
// after each step, and what must stand in the journal.

import { getShortestPaths, getSimplePaths } from 'topple/testing/paths';
import * as assert from 'uvu/assert';
import { fromPromise, initialTransition, transition } from 'xstate';
import { type TaskContext, type TaskEvent, taskMachine } from '../../machines/index.ts';
import { spec } from '../spec.ts';
import { told } from './asked-for.ts';
import { type Happening, happeningsIn, type State } from './task-happenings.ts';
import { fatal, type Observed, TaskWorld } from './task-world.ts';

const test = spec('task paths');

/** Transitions that no path takes, each with the reason. */
const elsewhere: Readonly<Record<string, string>> = {
  'ready task.expire': 'before its first attempt it has no limit, and after a stop: `stop.test.ts`',
  'task xstate.error.actor.body': 'its body is no actor here: the last test has one',
  ...Object.fromEntries(
    [
      ...['condition.true', 'condition.false', 'condition.threw', 'task.expire', 'task.cancel'].map(
        (type) => `asking ${type}`,
      ),
      ...['wait.planned', 'wait.delivered', 'wait.failed', 'task.cancel'].map((type) => `planning ${type}`),
      ...['wait.delivered', 'wait.over', 'wait.failed', 'task.skip', 'task.expire', 'task.cancel'].map(
        (type) => `waiting ${type}`,
      ),
    ].map((transition) => [transition, 'it has no condition and does not wait here: `waits.test.ts`']),
  ),
};

type Path = readonly Happening[];

/** One happening: the model before it, after it, and what it announces. */
interface Step {
  readonly from: State;
  readonly happening: Happening;
  readonly to: State;
  readonly facts: readonly object[];
}

const input = { task: 1, maxAttempts: 3 };
const [initial] = initialTransition(taskMachine, input);
const origins = new WeakMap<TaskEvent, Happening>();
const exploration = {
  input,
  events: (state: State) =>
    happeningsIn(state).map((happening) => {
      origins.set(happening.event, happening);
      return happening.event;
    }),
};

const simplePaths = getSimplePaths(taskMachine, exploration).map(pathOf);

/** What changes neither state nor context is in no simple path: it is tried where a shortest path has led. */
const staying = getShortestPaths(taskMachine, exploration).flatMap((shortest) =>
  happeningsIn(shortest.state)
    .filter((happening) => isSame(stepOf(shortest.state, happening).to, shortest.state))
    .map((happening) => [...pathOf(shortest), happening]),
);

const all = [...simplePaths, ...staying];

/** The one thing that the subject's options rule out: an attempt that has a limit is out of time before its task is. */
const paths = all.filter(
  (path) =>
    !path.some(({ options }) => options?.timeoutMs !== undefined) ||
    stepsOf(path).every(
      ({ from, happening }) => from.value !== 'running' || happening.event.type !== 'task.expire',
    ),
);

test('there are as many paths as ever', () => {
  assert.equal([all.length, paths.length], [191, 175]);
});

test('take every transition of the machine, or it says where that is taken', () => {
  const taken = new Set(
    paths.flatMap((path) =>
      stepsOf(path).map(({ from, happening }) => `${from.value} ${happening.event.type}`),
    ),
  );
  const { states, root } = taskMachine;
  const transitions = [root, ...Object.values(states)].flatMap((node) =>
    Array.from(node.transitions.keys(), (type) => `${node.key} ${type}`),
  );
  assert.equal(
    new Set(transitions.filter((transition) => !taken.has(transition))),
    new Set(Object.keys(elsewhere)),
  );
});

for (const path of paths) test(`agrees at each step: ${nameOf(path)}`, () => walk(path));

test('agrees where a body that is an actor fails, which the engine alone tells the machine', async () => {
  const world = new TaskWorld();
  await world.start({ actor: fromPromise(() => Promise.reject(fatal())) });
  world.before[0]?.resolve('first');
  await world.rest();
  await world.freeSlot();
  const types = world.observed.map(({ event }) => event.type);
  assert.equal(types, ['task.ready', 'attempt.start', 'attempt.failed']);
  let model = initial;
  for (const { event, value, context } of world.observed) {
    [model] = transition(taskMachine, model, event);
    assert.equal([value, context], [model.value, model.context]);
  }
  assert.is(world.view.status, 'failed');
});

/** Has the engine's task go a path, and compares it with the model before the first step and after each. */
async function walk(path: Path): Promise<void> {
  const world = new TaskWorld(Object.assign({}, ...path.map(({ options }) => options)));
  await world.start();
  assert.is(world.actor, undefined);
  assert.is(world.view.status, 'pending');
  const events: TaskEvent[] = [];
  const facts: object[] = [];
  for (const { happening, to, facts: announced } of stepsOf(path)) {
    await world.until(happening.at ?? happening.event.at);
    await happening.bring?.(world);
    await world.until(happening.event.at);
    events.push(happening.event);
    facts.push(...announced);
    compare(world, to, events, facts, happening.name);
    if (to.status === 'done') assert.ok(await world.hasSlot(), `its slot is free: ${happening.name}`);
  }
}

function compare(
  world: TaskWorld,
  model: State,
  events: readonly TaskEvent[],
  facts: readonly object[],
  name: string,
): void {
  const { value, context } = model;
  const found = world.observed.at(-1) as Observed;
  assert.equal(plain(world.observed.map(({ event }) => event)), plain(events), `events up to: ${name}`);
  assert.equal(
    plain([found.value, found.context]),
    plain([value, context]),
    `seen by the inspector: ${name}`,
  );
  const actor = world.actor?.getSnapshot();
  if (model.status === 'done') assert.is(actor, undefined, `let go: ${name}`);
  else assert.equal(plain([actor.value, actor.context]), plain([value, context]), `actor: ${name}`);
  assert.equal(plain(world.facts), plain(facts), `journal: ${name}`);
  assert.equal(plain(viewOf(world)), plain(viewOfModel(model)), `view: ${name}`);
}

function viewOf({ view: { status, attempts, readyAt, retryAt, endedAt, output, cause } }: TaskWorld): object {
  return { status, attempts, readyAt, retryAt, endedAt, output, cause };
}

function viewOfModel({ tags, context }: State): object {
  const [status] = tags;
  const { attempt, readyAt, retryAt, ending }: TaskContext = context;
  const { at: endedAt, output, cause } = ending ?? {};
  return { status, attempts: attempt, readyAt, retryAt, endedAt, output, cause };
}

function stepsOf(path: Path): Step[] {
  let from = initial;
  return path.map((happening) => {
    const step = stepOf(from, happening);
    from = step.to;
    return step;
  });
}

function stepOf(from: State, happening: Happening): Step {
  const [to, actions] = transition(taskMachine, from, happening.event);
  return { from, happening, to, facts: told(actions) };
}

function pathOf({ steps }: { readonly steps: readonly { readonly event: TaskEvent }[] }): Path {
  return steps.slice(1).map(({ event }) => origins.get(event) as Happening);
}

function isSame(a: State, b: State): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function nameOf(path: Path): string {
  return path.length === 0 ? 'no verdict' : path.map(({ name }) => name).join(' → ');
}

/** As JSON has it, without stacks. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, part) => (key === 'stack' ? undefined : part)));
}
