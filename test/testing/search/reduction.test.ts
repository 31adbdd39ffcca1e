// What a reduced exploration leaves out must lead nowhere else: on small flows it is compared with the full one.

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { AnyFlow } from '../../../src/flow-types.ts';
import { FlowWorld } from '../../../src/testing/model/flow-world.ts';
import { Moves } from '../../../src/testing/model/moves.ts';
import { findPossible } from '../../../src/testing/model/possible.ts';
import type { Situation } from '../../../src/testing/model/situation.ts';
import {
  always,
  eventually,
  leadsTo,
  neverHolds,
  type Predicate,
  type Property,
} from '../../../src/testing/properties/properties.ts';
import { Watch } from '../../../src/testing/properties/watch.ts';
import { type ExploreOptions, readOptions } from '../../../src/testing/search/explore-options.ts';
import { Explorer, ReadsGrew } from '../../../src/testing/search/explorer.ts';
import { findInterchangeable } from '../../../src/testing/search/symmetry.ts';
import { spec } from '../../spec.ts';
import { type FlowPlan, flowOf, flowPlans } from './random-flow.ts';

const test = spec('reduced exploration');

interface Reached {
  readonly situations: ReadonlySet<string>;
  readonly endings: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
  readonly findings: ReadonlySet<string>;
  /** As the explorer counts them. */
  readonly count: number;
  readonly steps: number;
}

/** A situation in words, the same whichever of interchangeable tasks each is; not by the explorer's own way of telling them apart. */
function nameOf(
  world: FlowWorld,
  interchangeable: readonly (readonly number[])[],
  situation: Situation,
): string {
  const { rows, run, isHeld, live, claimAt, readyAt, undo } = situation;
  const words = rows.map((row, task) => {
    const { triggerRule } = world.definition.tasks[task] ?? {};
    if (row === undefined) return `${triggerRule} waits`;
    if (row.isLive) return `${row.status} #${row.attempts} ${row.wantsSlot} ${row.ending}`;
    const place = undo?.tasks.indexOf(task) ?? -1;
    if (place < 0) return row.status;
    return `${row.status}, ${undo?.underWay.includes(task) ? 'being undone' : undo?.statuses[place]}`;
  });
  const groupOf = (task: number): number =>
    interchangeable.find((group) => group.includes(task))?.[0] ?? task;
  const told = words.map((word, task) => `${groupOf(task)}: ${word}`).sort();
  const orders = world.slots.contenders.flatMap((group) => {
    const some = live.filter((task) => group.includes(task));
    const inLine = some.filter((task) => words[task]?.includes('true'));
    const by = (at: readonly number[]) => (a: number, b: number) => (at[a] ?? 0) - (at[b] ?? 0) || a - b;
    return [inLine.toSorted(by(claimAt)), some.toSorted(by(readyAt))].map((order) =>
      order.map((task) => `${groupOf(task)}: ${words[task]}`).join(' < '),
    );
  });
  return [run.value, run.context.cause, isHeld, ...told, ...orders].join('; ');
}

/** All that an exploration comes to, by names that are the same for situations which differ only by which of interchangeable tasks is which. */
function reach(
  flow: AnyFlow,
  reduction: 'none' | 'situations' | 'endings',
  options: ExploreOptions,
): Reached {
  const bounds = readOptions('test', options);
  const world = new FlowWorld(flow.definition, options);
  const moves = new Moves(flow.definition, bounds.commands);
  const possible = findPossible(flow.definition, moves, bounds.maxFailures > 0);
  const watch = new Watch(flow.definition, bounds.properties);
  const interchangeable = findInterchangeable(flow.definition, moves, new Set());
  for (;;) {
    const situations = new Set<string>();
    const endings = new Set<string>();
    const edges = new Set<string>();
    const see = (situation: Situation): void => {
      const name = nameOf(world, interchangeable, situation);
      situations.add(name);
      if (situation.run.status === 'done') endings.add(name);
    };
    const explorer = new Explorer(world, moves, watch, { ...bounds, reduction }, possible, {
      onStep: (_, __, ___, { next, taskEdges, runEdges }) => {
        see(next);
        for (const { edge } of taskEdges) edges.add(edge);
        for (const edge of runEdges) edges.add(edge);
      },
    });
    try {
      const { violations, steps, stoppedBy, situations: count } = explorer.run();
      assert.is(stoppedBy, undefined);
      return {
        situations,
        endings,
        edges,
        findings: new Set(violations.map(({ property }) => property)),
        count,
        steps,
      };
    } catch (error) {
      if (!(error instanceof ReadsGrew)) throw error;
    }
  }
}

function sorted(set: ReadonlySet<string>): string[] {
  return [...set].sort();
}

/** Properties that hold in some flows and not in others, by which tasks they look at. */
function propertiesOf({ tasks }: FlowPlan): Property[] {
  const [first, last] = [tasks[0]?.id ?? '', tasks.at(-1)?.id ?? ''];
  const isDone =
    (id: string): Predicate =>
    (view) =>
      view.tasks[id]?.status === 'done';
  const fails =
    (id: string): Predicate =>
    (view) =>
      view.tasks[id]?.status === 'failed';
  const together: Predicate = (view) =>
    view.tasks[first]?.status === 'failed' && view.tasks[last]?.status === 'running';
  return [
    always((view) => view.tasks[last]?.status !== 'skipped', 'the last is not skipped'),
    neverHolds(together, 'the first has failed while the last runs'),
    neverHolds((view) => view.tasks[last]?.cause === 'fatal', 'the last is not fatal'),
    eventually(isDone(last), 'the last is done'),
    eventually(together, 'the first has failed while the last runs, some time'),
    leadsTo(fails(first), isDone(last), 'when the first fails, the last is done then'),
    leadsTo(isDone(first), (view) => view.status === 'done', 'when the first is done, the run is'),
  ];
}

const commands = ['cancel', 'pause', 'stop', 'crash', 'rerun'] as const;

test('reaches every situation and transition of the full one, with the same findings', () => {
  let full = 0;
  let reduced = 0;
  fc.assert(
    fc.property(
      flowPlans(4),
      fc.integer({ min: 0, max: 2 }),
      fc.subarray([...commands]),
      fc.boolean(),
      (plan, maxFailures, given, asks) => {
        const flow = flowOf(plan);
        const options = {
          maxFailures,
          maxCommands: 1,
          commands: given,
          properties: asks ? propertiesOf(plan) : [],
        };
        const all = reach(flow, 'none', options);
        const some = reach(flow, 'situations', options);
        assert.equal(sorted(some.situations), sorted(all.situations));
        assert.equal(sorted(some.edges), sorted(all.edges));
        assert.equal(sorted(some.findings), sorted(all.findings));
        full += all.steps;
        reduced += some.steps;
      },
    ),
    { numRuns: 400, seed: 5 },
  );
  assert.ok(reduced < full, `${reduced} steps of ${full}`);
});

test('looks at undo as without reduction', () => {
  let undone = 0;
  fc.assert(
    fc.property(flowPlans(4, false, true), fc.integer({ min: 0, max: 2 }), (plan, maxFailures) => {
      const flow = flowOf(plan);
      const options = { maxFailures, maxCommands: 1, commands };
      const [all, some] = (['none', 'situations'] as const).map((by) => reach(flow, by, options));
      assert.equal(sorted(some?.situations as Set<string>), sorted(all?.situations as Set<string>));
      assert.equal(sorted(some?.edges as Set<string>), sorted(all?.edges as Set<string>));
      assert.equal([...(all?.findings ?? []), ...(some?.findings ?? [])], []);
      const without = { maxFailures, maxCommands: 0 };
      const [ends, one] = (['none', 'endings'] as const).map((by) => reach(flow, by, without));
      assert.equal(sorted(one?.endings as Set<string>), sorted(ends?.endings as Set<string>));
      if ([...(ends?.endings ?? [])].some((name) => name.includes('undone'))) undone++;
    }),
    { numRuns: 150, seed: 7 },
  );
  assert.ok(undone > 30, `${undone} flows have an undo`);
});

test('reaches every ending, with the same findings, by one order of commuting steps', () => {
  let full = 0;
  let reduced = 0;
  fc.assert(
    fc.property(flowPlans(5), fc.integer({ min: 0, max: 2 }), fc.boolean(), (plan, maxFailures, asks) => {
      const flow = flowOf(plan);
      const options = { maxFailures, maxCommands: 0, properties: asks ? propertiesOf(plan) : [] };
      const all = reach(flow, 'none', options);
      const some = reach(flow, 'endings', options);
      assert.equal(sorted(some.endings), sorted(all.endings));
      assert.equal(sorted(some.findings), sorted(all.findings));
      full += all.steps;
      reduced += some.steps;
    }),
    { numRuns: 400, seed: 6 },
  );
  assert.ok(reduced < full * 0.8, `${reduced} steps of ${full}`);
});

/** Tasks that wait for nothing; with `isTold` each can be told from the others. */
function fan(size: number, isTold: boolean): AnyFlow {
  const tasks = Array.from({ length: size }, (_, index) => ({
    id: `t${index}`,
    priority: isTold ? index : 0,
  }));
  return flowOf({ tasks });
}

test('takes each step of commuting tasks once for each situation that it leads to', () => {
  const options = { maxFailures: 0, commands: [] };
  const [all, some, one] = (['none', 'situations', 'endings'] as const).map((by) =>
    reach(fan(6, true), by, options),
  );
  // 2ⁿ situations; n · 2ⁿ⁻¹ steps between them, of which 2ⁿ − 1 lead to one that is new; and the start.
  assert.equal([all?.situations.size, all?.steps], [64, 6 * 32 + 1]);
  assert.equal([some?.situations.size, some?.steps], [64, 63 + 1]);
  assert.equal([one?.situations.size, one?.steps], [7, 6 + 1]);
});

test('takes one of tasks that may change places for all', () => {
  const options = { maxFailures: 1, commands: [] };
  const [all, some] = (['none', 'situations'] as const).map((by) => reach(fan(6, false), by, options));
  assert.equal(sorted(some?.situations ?? new Set()), sorted(all?.situations ?? new Set()));
  // How many are done, and whether one has failed.
  assert.equal([some?.count, all?.count], [7 + 6, 64 + 6 * 32]);
  assert.ok((some?.steps ?? 0) * 10 < (all?.steps ?? 0), `${some?.steps} of ${all?.steps}`);
});
