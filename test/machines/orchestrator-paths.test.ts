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
  conclude,
  concludeWithout,
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
  /** What exploration must find, so that nothing gets lost unseen. */
  readonly states: number;
  readonly transitions: number;
}

const graphs: Readonly<Record<string, Graph>> = {
  chain: {
    tasks: { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } },
    endings: ['done', 'failed', 'skipped'],
    states: 93,
    transitions: 139,
  },
  diamond: {
    tasks: { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a'] }, d: { dependsOn: ['b', 'c'] } },
    endings: ['done', 'failed'],
    states: 131,
    transitions: 196,
  },
  'fan-out': {
    tasks: { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a'] }, d: { dependsOn: ['a'] } },
    endings: ['done', 'failed'],
    states: 268,
    transitions: 465,
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
    states: 193,
    transitions: 288,
  },
};

const taken = new Set<string>();

for (const [name, { tasks, endings, states, transitions }] of Object.entries(graphs)) {
  const { plan } = new RunWorld(tasks).flow.definition;
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
    for (const path of paths) await walkFrom(tasks, path);
  });
}

// What is no state of its own, since nothing is to be done: a flow without tasks.

const cancelAsAccepted: Happening = {
  event: cancelEarly.event,
  bring: (world) => {
    world.cancel('too early');
    world.accept();
  },
};
const tooLate: Happening = { event: accept.event };

for (const path of [
  [accept, conclude],
  [accept, concludeWithout],
  [refuse, conclude],
  [cancelEarly, conclude],
  [cancelAsAccepted, tooLate, conclude],
  [pause, resume, accept, conclude],
  [pause, accept, conclude],
  [pause, cancelEarly, conclude],
]) {
  test(`agrees at each step with a flow without tasks: ${nameOfPath(path)}`, async () => {
    await walkFrom({}, path);
  });
}

// A run that was stopped goes on.

const recover: OrchestratorEvent = { type: 'run.recover', at };
const cancelledBefore: OrchestratorEvent = { type: 'run.cancel', at, cause: 'cancelled', reason: 'enough' };
const byRecovery = (event: OrchestratorEvent): Happening => ({ event, bring: (world) => world.recover() });
const a = (status: SettledStatus) => settle(0, status, (world) => world.end('a', status));
const b = (status: SettledStatus) => settle(1, status, (world) => world.end('b', status));

const recoveries: readonly {
  readonly left: string;
  readonly path: Path;
  /** The journal lacks its last entry: it was never kept. */
  readonly isCut?: boolean;
  readonly goesOn: Path;
}[] = [
  {
    left: 'in the middle of a task',
    path: [accept, a('done')],
    goesOn: [byRecovery(recover), b('done'), conclude],
  },
  {
    left: 'as one had failed',
    path: [accept, a('failed'), settle(1, 'upstream_failed')],
    isCut: true,
    goesOn: [byRecovery(recover), conclude],
  },
  {
    left: 'paused',
    path: [accept, pause],
    goesOn: [byRecovery(pause.event), { event: recover }, resume, a('done'), b('failed'), conclude],
  },
  {
    left: 'while it was cancelled',
    path: [accept, cancel],
    goesOn: [byRecovery(cancelledBefore), settle(0, 'cancelled'), conclude],
  },
  {
    left: 'before its end was kept',
    path: [accept, a('done'), b('done'), conclude],
    isCut: true,
    goesOn: [byRecovery(recover), conclude],
  },
  {
    left: 'paused before its end was kept',
    path: [accept, a('done'), pause, b('done'), conclude],
    isCut: true,
    goesOn: [byRecovery(pause.event), { event: recover }, conclude],
  },
  {
    left: 'cancelled before its end was kept',
    path: [accept, cancel, settle(1, 'cancelled'), a('cancelled'), conclude],
    isCut: true,
    goesOn: [byRecovery(cancelledBefore), conclude],
  },
];

for (const { left, path, isCut = false, goesOn } of recoveries) {
  test(`agrees at each step with a run that was left ${left}: ${nameOfPath(goesOn)}`, async () => {
    const tasks: Tasks = { a: {}, b: { dependsOn: ['a'] } };
    const before = await walkFrom(tasks, path);
    const kept = before.entries.slice(0, isCut ? -1 : undefined);
    const statuses = Object.values(before.view.tasks).map(({ status }) => status);
    await before.stop();
    const world = new RunWorld(tasks, { left: kept });
    const ledger = Ledger.open(world.flow.definition.plan, statuses);
    for (const name of await walk(world, ledger, goesOn, kept.length)) taken.add(name);
  });
}

/** What the engine never has happen. */
const never: ReadonlyMap<string, string> = new Map([
  ['cancelling run.recover 0', 'a run that was left while it was cancelled is cancelled again instead'],
]);

test('every transition of the machine is taken, but for those that cannot be', () => {
  const { root } = orchestratorMachine;
  const nodes: readonly AnyStateNode[] = [root, ...Object.values(root.states)];
  const all = nodes.flatMap((node) => [...node.transitions.values()].flat().map(nameOf));
  assert.equal(
    all.filter((name) => !taken.has(name)),
    [...never.keys()],
  );
});

/** Leaves out the paths that others begin with. */
function longestOf(paths: readonly Path[]): Path[] {
  const keys = paths.map((path) => path.map(signatureOf));
  const beginnings = new Set(keys.flatMap((key) => key.map((_, length) => key.slice(0, length).join())));
  return paths.filter((_, index) => !beginnings.has((keys[index] as string[]).join()));
}

async function walkFrom(tasks: Tasks, path: Path): Promise<RunWorld> {
  const world = new RunWorld(tasks, { refusesOutput: path.includes(concludeWithout) });
  await world.start();
  for (const name of await walk(world, Ledger.open(world.flow.definition.plan), path)) taken.add(name);
  return world;
}
