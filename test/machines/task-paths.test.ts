// Every simple path of the task machine, walked by a task of the real engine. The events are told below, each with
// what brings it about in life; the model says what the task must then be, and what must stand in the journal.

import { RetryAfterError, SkipTask } from 'topple';
import * as assert from 'uvu/assert';
import { fromPromise, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { type TaskContext, type TaskEvent, taskMachine } from '../../machines/index.ts';
import type { ErrorView } from '../../src/model/error.ts';
import type { Cause } from '../../src/model/status.ts';
import { spec } from '../spec.ts';
import { getShortestPaths, getSimplePaths } from '../support/graph.ts';
import { backoffMs, fatal, graceMs, limitMs, type Observed, TaskWorld } from './task-world.ts';

const test = spec('task paths');

type State = SnapshotFrom<typeof taskMachine>;

/** Something that happens to a task. */
interface Happening {
  readonly name: string;
  /** What the engine sends: last the event in question, before it those that come along and change nothing. */
  readonly events: readonly TaskEvent[];
  /** When it is brought about. */
  readonly at: number;
  /** Brings it about from outside. Without it, time alone does. */
  readonly bring?: (world: TaskWorld) => void | Promise<void>;
}

// Instants follow from where a task is, so that there are finitely many states.
const verdictAt = 10;
const firstStartAt = 20;
const startOf = (attempt: number) => firstStartAt + (attempt - 1) * 1_000;
const endOf = (attempt: number) => startOf(attempt) + 100;
const dueOf = (attempt: number) => endOf(attempt) + backoffMs;
/** The first wait is cancelled before the retry is due, the second while it wants a slot. */
const cancelOf = (attempt: number) => dueOf(attempt) + (attempt === 1 ? -50 : 50);
const expireAt = firstStartAt + limitMs;

const enough = { cause: 'cancelled', reason: 'enough' } as const;
const error = (name: string, message: string): ErrorView => ({ name, message });
const outOfTime = error('TimeoutError', 'Task `subject` took longer than its `totalTimeoutMs` of 10000 ms');

const notAString = 'Output of task `subject` is not valid: Invalid input: expected string, received number';

/** All that can happen to a task in a state. */
function happeningsIn({ value, status, context: { attempt, readyAt, retryAt } }: State): Happening[] {
  if (status !== 'active') return [];
  if (value === 'pending') return whilePending(readyAt === undefined ? verdictAt : firstStartAt);
  if (value === 'running') return whileRunning(attempt, endOf(attempt));
  return whileRetrying(attempt, retryAt ?? 0);
}

const whilePending = (at: number): Happening[] => [
  {
    name: 'ready',
    at,
    events: [{ type: 'task.ready', at: verdictAt }],
    bring: ({ before }) => before[0]?.resolve('first'),
  },
  {
    name: 'skip',
    at,
    events: [{ type: 'task.skip', at, cause: 'rule', because: 'before' }],
    bring: ({ before }) => before[0]?.reject(new SkipTask()),
  },
  {
    name: 'upstream failed',
    at,
    events: [{ type: 'task.fail_upstream', at, cause: 'upstream', because: 'before' }],
    bring: ({ before }) => before[0]?.reject(fatal()),
  },
  {
    name: 'cancel',
    at,
    events: [{ type: 'task.cancel', at, ...enough }],
    bring: ({ run }) => run.cancel('enough'),
  },
  {
    name: 'start',
    at,
    events: [{ type: 'attempt.start', at }],
    bring: (world) => world.freeSlot(),
  },
];

const whileRunning = (attempt: number, at: number): Happening[] => {
  const cancel: TaskEvent = { type: 'task.cancel', at, ...enough };
  const expire: TaskEvent = { type: 'task.expire', at: expireAt, cause: 'timeout', error: outOfTime };
  const failed = (cause: Cause, name: string, message: string, retryAt?: number): TaskEvent => ({
    type: 'attempt.failed',
    at,
    cause,
    error: error(name, message),
    retryAt,
  });
  return [
    {
      name: 'progress',
      at,
      events: [{ type: 'attempt.progress', at, fraction: 0.5, note: 'half' }],
      bring: ({ body }) => body.scope.progress(0.5, 'half'),
    },
    {
      name: 'cancel that the body does not heed',
      at,
      events: [cancel],
      bring: ({ run }) => run.cancel('enough'),
    },
    {
      name: 'time-out that the body does not heed',
      at: expireAt,
      events: [expire],
    },
    {
      name: 'done',
      at,
      events: [{ type: 'attempt.done', at, output: 'made' }],
      bring: ({ body }) => body.resolve('made'),
    },
    {
      name: 'failure with a retry',
      at,
      events: [failed('exhausted', 'Error', 'not yet', dueOf(attempt))],
      bring: ({ body }) => body.reject(new Error('not yet')),
    },
    {
      name: 'failure with no time for a retry',
      at,
      events: [failed('exhausted', 'RetryAfterError', 'Try again in 200000 ms')],
      bring: ({ body }) => body.reject(new RetryAfterError(200_000)),
    },
    {
      name: 'fatal failure',
      at,
      events: [failed('fatal', 'FatalError', 'no use')],
      bring: ({ body }) => body.reject(fatal()),
    },
    {
      name: 'refused output',
      at,
      events: [failed('output', 'OutputError', notAString)],
      bring: ({ body }) => body.resolve(42),
    },
    {
      name: 'time-out',
      at: expireAt,
      events: [
        expire,
        { type: 'attempt.failed', at: expireAt + graceMs, error: outOfTime, cause: 'timeout' },
      ],
    },
    {
      name: 'skips itself',
      at,
      events: [{ type: 'attempt.skipped', at, reason: 'nothing to do' }],
      bring: ({ body }) => body.reject(new SkipTask('nothing to do')),
    },
    {
      name: 'cancel',
      at,
      events: [cancel, { type: 'attempt.cancelled', at, ...enough }],
      bring: ({ run, body: { scope, reject } }) => {
        scope.signal.addEventListener('abort', () => reject(scope.signal.reason));
        run.cancel('enough');
      },
    },
    {
      name: 'cancel, and the body is given up',
      at,
      events: [cancel, { type: 'attempt.cancelled', at: at + graceMs, ...enough }],
      bring: ({ run }) => run.cancel('enough'),
    },
    {
      name: 'cancel that takes the place of a time-out',
      at: expireAt + 100,
      events: [
        expire,
        { type: 'task.cancel', at: expireAt + 100, ...enough },
        { type: 'attempt.cancelled', at: expireAt + graceMs, ...enough },
      ],
      bring: ({ run }) => run.cancel('enough'),
    },
  ];
};

const whileRetrying = (attempt: number, dueAt: number): Happening[] => {
  const due: TaskEvent = { type: 'attempt.due', at: dueAt };
  const startAt = startOf(attempt + 1);
  const cancelAt = cancelOf(attempt);
  return [
    {
      name: 'due',
      at: dueAt,
      events: [due],
    },
    {
      name: 'start',
      at: startAt,
      events: [due, { type: 'attempt.start', at: startAt }],
      bring: (world) => world.freeSlot(),
    },
    {
      name: 'cancel',
      at: cancelAt,
      events: [...(cancelAt < dueAt ? [] : [due]), { type: 'task.cancel', at: cancelAt, ...enough }],
      bring: ({ run }) => run.cancel('enough'),
    },
    {
      name: 'time-out',
      at: expireAt,
      events: [due, { type: 'task.expire', at: expireAt, cause: 'timeout', error: outOfTime }],
    },
  ];
};

/** What the engine does not do in this order, by design. */
const impossible: readonly {
  readonly why: string;
  /** How many of the paths have such a step, and none of those above. */
  readonly paths: number;
  readonly has: (from: State, event: TaskEvent) => boolean;
}[] = [
  {
    why: 'a slot goes to those that asked for one, and a task asks when it is ready',
    paths: 48,
    has: ({ context }, { type }) => type === 'attempt.start' && context.readyAt === undefined,
  },
  {
    why: 'a task is given one verdict',
    paths: 3,
    has: ({ context }, { type }) =>
      ['task.ready', 'task.skip', 'task.fail_upstream'].includes(type) && context.readyAt !== undefined,
  },
  {
    why: 'after the last attempt the retry policy has no wait to offer',
    paths: 1,
    has: ({ context }, event) =>
      event.type === 'attempt.failed' && event.retryAt !== undefined && context.attempt === 3,
  },
];

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
      origins.set(lastOf(happening), happening);
      return lastOf(happening);
    }),
};

const simplePaths = getSimplePaths(taskMachine, exploration).map(pathOf);

/** What changes neither state nor context is in no simple path: it is tried where a shortest path has led. */
const staying = getShortestPaths(taskMachine, exploration).flatMap((shortest) =>
  happeningsIn(shortest.state)
    .filter((happening) => isSame(stepOf(shortest.state, happening).to, shortest.state))
    .map((happening) => [...pathOf(shortest), happening]),
);

const paths = [...simplePaths, ...staying];
const reasons = paths.map((path) =>
  impossible.find(({ has }) => stepsOf(path).some((step) => has(step.from, lastOf(step.happening)))),
);

test('there are as many paths as ever', () => {
  assert.equal([simplePaths.length, staying.length], [82, 23]);
});

for (const reason of impossible) {
  test(`${reason.paths} paths do not occur: ${reason.why}`, () => {
    const found = paths.filter((_, index) => reasons[index] === reason);
    assert.is(found.length, reason.paths, found.map(nameOf).join('\n'));
  });
}

for (const [index, path] of paths.entries()) {
  if (reasons[index] === undefined) test(`agrees at each step: ${nameOf(path)}`, () => walk(path));
}

test('agrees where a body that is an actor fails, which XState tells the task too', async () => {
  const world = new TaskWorld();
  await world.start({ actor: fromPromise(() => Promise.reject(fatal())) });
  world.before[0]?.resolve('first');
  await world.rest();
  await world.freeSlot();
  const types = world.observed.map(({ event }) => event.type);
  assert.equal(types, ['task.ready', 'attempt.start', 'xstate.error.actor.body', 'attempt.failed']);
  let model = initial;
  for (const { event, value, context } of world.observed) {
    [model] = transition(taskMachine, model, event);
    assert.equal([value, context], [model.value, model.context]);
  }
  assert.is(world.view.status, 'failed');
});

/** Has the engine's task go a path, and compares it with the model before the first step and after each. */
async function walk(path: Path): Promise<void> {
  const world = new TaskWorld();
  await world.start();
  assert.is(world.actor, undefined);
  assert.is(world.view.status, 'pending');
  const events: TaskEvent[] = [];
  const facts: object[] = [];
  for (const { happening, to, facts: told } of stepsOf(path)) {
    await world.until(happening.at);
    await happening.bring?.(world);
    await world.until(lastOf(happening).at);
    events.push(...happening.events);
    facts.push(...told);
    compare(world, to, events, facts, happening.name);
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

function viewOfModel({ value, context }: State): object {
  const { attempt, readyAt, retryAt, endedAt, output, cause }: TaskContext = context;
  return { status: value, attempts: attempt, readyAt, retryAt, endedAt, output, cause };
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
  let to = from;
  const facts: object[] = [];
  for (const event of happening.events) {
    const [next, actions] = transition(taskMachine, to, event);
    facts.push(...actions.flatMap(announced));
    to = next;
  }
  return { from, happening, to, facts };
}

function announced({ type, params }: { readonly type: string; readonly params: unknown }): object[] {
  return type === 'xstate.emit' ? [(params as { readonly event: object }).event] : [];
}

function lastOf({ events }: Happening): Exclude<TaskEvent, { type: 'xstate.error.actor.body' }> {
  return events.at(-1) as never;
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
