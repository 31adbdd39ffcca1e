// Shortest paths of the orchestrator, and from the end of each every event, walked by a run of the real engine: the
// model says what the run must be after each step, and what must stand in the journal.

import { getShortestPaths } from 'topple/testing/paths';
import * as assert from 'uvu/assert';
import type { AnyStateNode } from 'xstate';
import { type OrchestratorEvent, orchestratorMachine } from '../../machines/index.ts';
import { Ledger } from '../../src/model/ledger.ts';
import type { SettledStatus } from '../../src/model/status.ts';
import { spec } from '../spec.ts';
import {
  accept,
  at,
  cancel,
  cancelEarly,
  cancelLate,
  compensate,
  compensateWithout,
  conclude,
  concludeWithout,
  endUndo,
  endUndoWithout,
  type Happening,
  happeningsIn,
  nameOfPath,
  type Path,
  pause,
  refuse,
  resume,
  settle,
  signatureOf,
} from './run-happenings.ts';
import { walk } from './run-walk.ts';
import { nameOf, RunWorld, type Tasks } from './run-world.ts';

const test = spec('orchestrator paths');

/** A flow, and how its attempts may end. */
interface Graph {
  readonly tasks: Tasks;
  readonly endings: readonly SettledStatus[];
  /** One failure more ends the run early. */
  readonly tolerance?: number;
  /** What exploration must find, so that nothing gets lost unseen. */
  readonly states: number;
  readonly transitions: number;
}

const graphs: Readonly<Record<string, Graph>> = {
  chain: {
    tasks: { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } },
    endings: ['done', 'failed', 'skipped'],
    states: 72,
    transitions: 103,
  },
  diamond: {
    tasks: { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a'] }, d: { dependsOn: ['b', 'c'] } },
    endings: ['done', 'failed'],
    states: 113,
    transitions: 178,
  },
  'fan-out': {
    tasks: { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a'] }, d: { dependsOn: ['a'] } },
    endings: ['done', 'failed'],
    states: 241,
    transitions: 487,
  },
  'failing middle': {
    tasks: {
      first: {},
      middle: { dependsOn: ['first'], optional: true },
      after: { dependsOn: ['middle'] },
      rescue: { dependsOn: ['middle'], triggerRule: 'one_failed' },
      last: { dependsOn: ['after', 'rescue'], triggerRule: 'all_settled' },
    },
    endings: ['done', 'failed'],
    states: 157,
    transitions: 238,
  },
  'items of which one may fail': {
    tasks: { a: {}, b: {}, c: {} },
    endings: ['done', 'failed'],
    tolerance: 1,
    states: 203,
    transitions: 422,
  },
  'chain that must not fail, beside one that may': {
    tasks: { a: {}, b: { dependsOn: ['a'] }, c: { optional: true } },
    endings: ['done', 'failed'],
    tolerance: 0,
    states: 105,
    transitions: 181,
  },
};

const taken = new Set<string>();

for (const [name, { tasks, endings, tolerance, states, transitions }] of Object.entries(graphs)) {
  const { plan } = new RunWorld(tasks, { tolerance }).flow.definition;
  const origins = new WeakMap<OrchestratorEvent, Happening>();
  const shortest = getShortestPaths(orchestratorMachine, {
    input: { ledger: Ledger.open(plan) },
    // The reason tells a cancel before the start from one after it.
    serializeState: ({ value, context: { ledger, cause, reason } }) =>
      JSON.stringify([value, ledger.toJSON(), cause, reason]),
    events: (state) =>
      happeningsIn(state, plan, endings).map((happening) => {
        const event = { ...happening.event };
        origins.set(event, happening);
        return event;
      }),
  });
  const ways = shortest.flatMap(({ state, steps }) => {
    const path = steps.slice(1).map(({ event }) => origins.get(event) as Happening);
    return happeningsIn(state, plan, endings).map((happening) => [...path, happening]);
  });
  const paths = longestOf(ways);

  test(`agrees at each step with ${name}: ${states} states, ${transitions} transitions, ${paths.length} paths`, async () => {
    assert.equal([shortest.length, ways.length], [states, transitions]);
    for (const path of paths) await walkFrom(tasks, path, tolerance);
  });
}

// A flow without tasks is done as it starts.

for (const path of [
  [accept, conclude],
  [accept, concludeWithout],
  [accept, cancelLate, conclude],
  [refuse, conclude],
  [cancelEarly, conclude],
  [pause, resume, accept, conclude],
  [pause, accept, conclude],
  [pause, cancelEarly, conclude],
]) {
  test(`agrees at each step with a flow without tasks: ${nameOfPath(path)}`, async () => {
    await walkFrom({}, path);
  });
}

// What was done is undone before the run ends.

const undoable: Tasks = { a: RunWorld.undone, b: { dependsOn: ['a'] } };

for (const path of [
  [accept, settle(0, 'done', (world) => world.end('a', 'done')), bFailed(), compensate, endUndo],
  [accept, settle(0, 'done', (world) => world.end('a', 'done')), bFailed(), compensate, cancel, endUndo],
  [
    accept,
    settle(0, 'done', (world) => world.end('a', 'done')),
    cancel,
    settle(1, 'cancelled', (world) => world.end('b', 'cancelled')),
    compensate,
    endUndo,
  ],
  [
    accept,
    settle(0, 'done', (world) => world.end('a', 'done')),
    settle(1, 'done', (world) => world.end('b', 'done')),
    compensateWithout,
    endUndoWithout,
  ],
]) {
  test(`agrees at each step with a run that is undone: ${nameOfPath(path)}`, async () => {
    await walkFrom(undoable, path, undefined, path.includes(compensateWithout));
  });
}

// A run that was stopped goes on.

const recover: OrchestratorEvent = { type: 'run.recover', at };
const cancelledBefore: OrchestratorEvent = { type: 'run.cancel', at, cause: 'cancelled', reason: 'enough' };
const endedEarlyBefore: OrchestratorEvent = {
  type: 'run.cancel',
  at,
  cause: 'tolerance',
  reason: '1 items failed',
};
const byRecovery = (event: OrchestratorEvent, isTold = false): Happening => ({
  event,
  bring: (world) => world.recover(),
  isTold,
});
const pausedBefore: Happening = { event: pause.event, isTold: true };
const a = (status: SettledStatus) => settle(0, status, (world) => world.end('a', status));
const b = (status: SettledStatus) => settle(1, status, (world) => world.end('b', status));
const c = (status: SettledStatus) => settle(2, status, (world) => world.end('c', status));

const recoveries: readonly {
  readonly left: string;
  readonly path: Path;
  /** The journal lacks its last entry, which this version keeps together with the one before, and others may not. */
  readonly isCut?: boolean;
  /** Then its tasks are three items. */
  readonly tolerance?: number;
  /** Default: a chain of two. */
  readonly tasks?: Tasks;
  readonly goesOn: Path;
}[] = [
  {
    left: 'in the middle of a task',
    path: [accept, a('done')],
    goesOn: [byRecovery(recover), b('done'), conclude],
  },
  {
    left: 'paused',
    path: [accept, pause],
    goesOn: [byRecovery(recover), pausedBefore, resume, a('done'), b('failed'), conclude],
  },
  {
    left: 'paused in the middle of a task',
    path: [accept, a('done'), pause],
    goesOn: [byRecovery(recover), pausedBefore, cancel, settle(1, 'cancelled'), conclude],
  },
  {
    left: 'while it was cancelled',
    path: [accept, cancel],
    goesOn: [byRecovery(cancelledBefore, true), settle(0, 'cancelled'), conclude],
  },
  {
    left: 'before its end was kept',
    path: [accept, a('done'), b('done'), conclude],
    isCut: true,
    goesOn: [byRecovery(recover), conclude],
  },
  {
    left: 'as one had failed, before its end was kept',
    path: [accept, a('failed'), settle(1, 'upstream_failed'), conclude],
    isCut: true,
    goesOn: [byRecovery(recover), conclude],
  },
  {
    left: 'paused before its end was kept',
    path: [accept, a('done'), pause, b('done'), conclude],
    isCut: true,
    goesOn: [byRecovery(recover), { event: pause.event }, conclude],
  },
  {
    left: 'cancelled before its end was kept',
    path: [accept, cancel, settle(1, 'cancelled'), a('cancelled'), conclude],
    isCut: true,
    goesOn: [byRecovery(cancelledBefore, true), conclude],
  },
  {
    left: 'with as many failures as it tolerates',
    path: [accept, a('failed')],
    tolerance: 1,
    goesOn: [byRecovery(recover), b('done'), c('failed'), conclude],
  },
  {
    left: 'with as many failures as it tolerates, of which one more comes',
    path: [accept, a('failed')],
    tolerance: 1,
    goesOn: [byRecovery(recover), b('failed'), c('cancelled'), conclude],
  },
  {
    left: 'with one failure too many, before it was kept that it ends early',
    path: [accept, a('failed')],
    isCut: true,
    tolerance: 0,
    goesOn: [byRecovery(endedEarlyBefore), settle(1, 'cancelled'), settle(2, 'cancelled'), conclude],
  },
  {
    left: 'while it ended early',
    path: [accept, a('failed')],
    tolerance: 0,
    goesOn: [byRecovery(endedEarlyBefore, true), settle(1, 'cancelled'), settle(2, 'cancelled'), conclude],
  },
  {
    left: 'while it was undone',
    tasks: undoable,
    path: [accept, a('done'), b('failed'), compensate],
    goesOn: [byRecovery({ type: 'run.compensate', at, tasks: ['a'] }, true), endUndo],
  },
];

for (const { left, path, isCut = false, tolerance, goesOn, tasks: given } of recoveries) {
  test(`agrees at each step with a run that was left ${left}: ${nameOfPath(goesOn)}`, async () => {
    const tasks: Tasks =
      given ?? (tolerance === undefined ? { a: {}, b: { dependsOn: ['a'] } } : { a: {}, b: {}, c: {} });
    const before = await walkFrom(tasks, path, tolerance);
    const kept = before.entries.slice(0, isCut ? -1 : undefined);
    const statuses = Object.values(before.view.tasks).map(({ status }) => status);
    await before.stop();
    const world = new RunWorld(tasks, { left: kept, tolerance });
    const ledger = Ledger.open(world.flow.definition.plan, statuses);
    for (const name of await walk(world, ledger, goesOn, kept.length)) taken.add(name);
  });
}

/** Transitions that the engine never takes, each with the reason. */
const never: Readonly<Record<string, string>> = {
  'opening task.settled 0': 'no task lives before the run has begun',
  'opening task.settled 1': 'no task lives before the run has begun',
  'opening task.settled 2': 'no task lives before the run has begun',
  'held task.settled 0': 'no task lives before the run has begun',
  'held task.settled 1': 'no task lives before the run has begun',
  'held task.settled 2': 'no task lives before the run has begun',
  'running run.cancel 0': 'with the last task that settles the run is concluding',
  'paused run.cancel 0': 'with the last task that settles the run is concluding',
  'cancelling task.settled 1': 'the run has a cause to end early already',
  'concluding task.settled 0': 'a task settles once, and all have',
  'concluding task.settled 1': 'a task settles once, and all have',
  'concluding task.settled 2': 'a task settles once, and all have',
  ...Object.fromEntries(
    ['compensating', 'reopened'].flatMap((state) =>
      [0, 1, 2].map((candidate) => [
        `${state} task.settled ${candidate}`,
        'a task settles once, and all have',
      ]),
    ),
  ),
  ...Object.fromEntries(
    ['opening run.reopen 0', ...['run.cancel 0', 'run.conclude 0', 'run.conclude 1', 'run.conclude 2']].map(
      (name) => [
        name.startsWith('opening') ? name : `reopened ${name}`,
        'only a child run is reopened: see the tests of undo in child runs',
      ],
    ),
  ),
};

test('every transition is taken in every state, or it says why never', () => {
  const { root } = orchestratorMachine;
  const active = Object.values(root.states).filter(({ type }) => type !== 'final');
  const all = active.flatMap((state: AnyStateNode) =>
    [...new Map([...root.transitions, ...state.transitions]).values()]
      .flat()
      .map((transition) => nameOf(state.key, transition)),
  );
  assert.equal(all.filter((name) => !taken.has(name)).sort(), Object.keys(never).sort());
});

/** Leaves out the paths that others begin with. */
function longestOf(paths: readonly Path[]): Path[] {
  const keys = paths.map((path) => path.map(signatureOf));
  const beginnings = new Set(keys.flatMap((key) => key.map((_, length) => key.slice(0, length).join())));
  return paths.filter((_, index) => !beginnings.has((keys[index] as string[]).join()));
}

function bFailed(): Happening {
  return settle(1, 'failed', (world) => world.end('b', 'failed'));
}

async function walkFrom(
  tasks: Tasks,
  path: Path,
  tolerance?: number,
  isWithout = path.includes(concludeWithout),
): Promise<RunWorld> {
  const asOutputIsMade = (world: RunWorld): void => {
    if (path.includes(cancelLate)) world.cancel('too late');
    if (isWithout) throw new Error('no output');
  };
  const world = new RunWorld(tasks, { asOutputIsMade, tolerance });
  await world.start();
  for (const name of await walk(world, Ledger.open(world.flow.definition.plan), path)) taken.add(name);
  return world;
}
