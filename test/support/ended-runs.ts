// Random runs that have ended, as an engine finds them that has only their store.

import fc from 'fast-check';
import {
  createEngine,
  createMemoryStore,
  type Engine,
  type Entry,
  type MemoryStore,
  type Run,
  type RunView,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import type { PerformScope } from '../../src/model/perform.ts';
import { ChanceStore, chance } from './chance-store.ts';
import {
  command,
  engineOf,
  type Flow,
  flowOf,
  type Life,
  type Plan,
  plans,
  runEndings,
} from './random-runs.ts';
import { silent } from './virtual.ts';

/** A run `r0` that has ended on another engine. */
export interface EndedRun {
  readonly plan: Plan;
  readonly flow: Flow;
  readonly clock: VirtualClock;
  readonly memory: MemoryStore;
  /** Knows the flow, and has a store with the run, which perhaps takes its time. */
  readonly engine: Engine;
  /** As it has ended. */
  readonly view: RunView;
  readonly entries: readonly Entry[];
  /** Calls of bodies from now on. */
  readonly calls: PerformScope[];
  readonly random: () => number;
}

/** Tries something with random runs that have ended. Each ending must be among them. */
export async function withEndedRuns(
  { numRuns, seed }: { readonly numRuns: number; readonly seed: number },
  attempt: (ended: EndedRun) => Promise<void>,
): Promise<void> {
  const tried: Record<string, number> = {};
  const property = fc.asyncProperty(plans, async (plan) => {
    const ended = await endOne(plan);
    const { type } = ended.entries.at(-1) as Entry;
    tried[type] = (tried[type] ?? 0) + 1;
    await attempt(ended);
  });
  await fc.assert(property, { numRuns, seed });
  for (const type of runEndings) assert.ok((tried[type] ?? 0) > numRuns / 20, `${type}: ${tried[type]}`);
}

async function endOne(plan: Plan): Promise<EndedRun> {
  const random = chance(plan.seed);
  const calls: PerformScope[] = [];
  const here: { life?: Life } = {};
  const flow = flowOf(plan, here);
  const memory = createMemoryStore();
  const clock = createVirtualClock(0);
  here.life = { clock, called: (scope) => void calls.push(scope) };
  const run = (await engineOf(plan, clock, memory).start(flow, undefined, { id: 'r0' })) as Run;
  command(plan, clock, run);
  const view = await clock.run(run.settled());
  calls.length = 0;
  const store = plan.recovers ? new ChanceStore(random, { memory, failureRate: plan.failureRate }) : memory;
  const pools = { pool: plan.pool ?? 1_000 };
  const engine = createEngine({ store, clock, flows: [flow], pools, random: () => 0.5, logger: silent });
  return { plan, flow, clock, memory, engine, view, entries: memory.read('r0'), calls, random };
}
