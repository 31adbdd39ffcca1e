import type { TaskDefinition } from '../../model/definition.ts';
import { isSettledRun, type RunStatus } from '../../model/status.ts';
import { hasChild } from './child-flow.ts';
import type { SlotLimits } from './slots.ts';
import type { LiveRow } from './task-model.ts';
import type { TreeRun } from './tree-run.ts';

/** A task that wants a slot. */
interface Claim {
  readonly run: TreeRun;
  readonly task: number;
  readonly priority: number;
  readonly since: number;
}

/** Counts the slots that are taken, by the limit that they are of. */
class Taken {
  readonly #engine: SlotLimits;
  readonly #counts = new Map<string, number>();

  constructor(engine: SlotLimits) {
    this.#engine = engine;
  }

  /** Whether each limit of a task has a slot left. */
  hasRoom(run: TreeRun, task: number): boolean {
    return this.#limitsOf(run, task).every(([name, slots]) => (this.#counts.get(name) ?? 0) < slots);
  }

  add(run: TreeRun, task: number): void {
    for (const [name] of this.#limitsOf(run, task)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** The limits that a task's attempt takes a slot of: each run's above it, the engine's, and its pool's. */
  #limitsOf(run: TreeRun, task: number): readonly (readonly [name: string, slots: number])[] {
    const limits: (readonly [string, number])[] = [
      ['all', this.#engine.concurrency ?? Number.POSITIVE_INFINITY],
    ];
    for (let at: TreeRun | undefined = run; at !== undefined; at = at.parent?.run)
      limits.push([`of ${at.id}`, at.world.definition.settings.concurrency ?? Number.POSITIVE_INFINITY]);
    const { pool } = run.world.definition.tasks[task] as TaskDefinition;
    if (pool !== undefined) limits.push(this.#poolOf(run, pool));
    return limits;
  }

  #poolOf(run: TreeRun, pool: string): readonly [string, number] {
    for (let at: TreeRun | undefined = run; at !== undefined; at = at.parent?.run) {
      const { pools = {} } = at.world.definition.settings;
      if (Object.hasOwn(pools, pool)) return [`pool ${pool} of ${at.id}`, pools[pool] as number];
    }
    return [`pool ${pool}`, this.#engine.pools?.[pool] ?? Number.POSITIVE_INFINITY];
  }
}

/**
 * Starts the tasks that get a slot, over all the runs of a tree: by priority, which is their own and that of the tasks
 * above them, then by first ready, then by start and definition order. A task with a child needs none. Gives whether any
 * started.
 */
export function fillSlots(runs: readonly TreeRun[], limits: SlotLimits, tick: number): boolean {
  const taken = new Taken(limits);
  const claims: Claim[] = [];
  const free: Claim[] = [];
  for (const run of runs) {
    const { rows, live, claimAt, run: snapshot } = run.now;
    const isHeld = run.isHeld || isSettledRun(snapshot.value as RunStatus);
    for (const task of live) {
      const row = rows[task] as LiveRow;
      const definition = run.world.definition.tasks[task] as TaskDefinition;
      const isFree = hasChild(definition);
      if (row.status === 'running' && !isFree) taken.add(run, task);
      if (!row.wantsSlot || isHeld) continue;
      const claim = { run, task, priority: priorityOf(run, task), since: claimAt[task] as number };
      (isFree ? free : claims).push(claim);
    }
  }
  claims.sort(
    (a, b) => b.priority - a.priority || a.since - b.since || a.run.order - b.run.order || a.task - b.task,
  );
  const next = free.slice();
  for (const claim of claims) {
    if (!taken.hasRoom(claim.run, claim.task)) continue;
    taken.add(claim.run, claim.task);
    next.push(claim);
  }
  for (const { run, task } of next) run.turn(tick).tell(task, 'attempt.start');
  return next.length > 0;
}

function priorityOf(run: TreeRun, task: number): number {
  const { priority } = run.world.definition.tasks[task] as TaskDefinition;
  return priority + (run.parent === undefined ? 0 : priorityOf(run.parent.run, run.parent.task));
}
