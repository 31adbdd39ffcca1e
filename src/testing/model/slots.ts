import { type FlowDefinition, isWaitBody, type TaskDefinition } from '../../model/definition.ts';
import { hasChild } from './child-flow.ts';
import type { Situation } from './situation.ts';
import type { LiveRow } from './task-model.ts';

/** Slots that several runs share, or that are set for one run. */
export interface SlotLimits {
  readonly concurrency?: number | undefined;
  readonly pools?: Readonly<Record<string, number>> | undefined;
}

/** The slots of a run, and who gets them. */
export class Slots {
  /** The limits set beside the flow. */
  readonly limits: SlotLimits;
  /** The most attempts of the run at one time. */
  readonly concurrency: number;
  /** Sets of tasks that may have to wait for each other's slots. */
  readonly contenders: readonly (readonly number[])[];
  readonly #tasks: readonly TaskDefinition[];
  readonly #pools: ReadonlyMap<string, number>;

  constructor(definition: FlowDefinition, { concurrency, pools }: SlotLimits) {
    const { settings, tasks } = definition;
    this.limits = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(pools === undefined ? {} : { pools }),
    };
    this.concurrency = Math.min(
      concurrency ?? Number.POSITIVE_INFINITY,
      settings.concurrency ?? Number.POSITIVE_INFINITY,
    );
    this.#tasks = tasks;
    this.#pools = new Map([...Object.entries(pools ?? {}), ...Object.entries(settings.pools ?? {})]);
    this.contenders = this.#findContenders(definition);
  }

  /** Whether tasks may have to wait for each other's slots. */
  get isLimited(): boolean {
    return this.contenders.length > 0;
  }

  /** The slots of a task's pool; `Infinity` for a task without one. */
  of({ pool }: TaskDefinition): number {
    return pool === undefined
      ? Number.POSITIVE_INFINITY
      : (this.#pools.get(pool) ?? Number.POSITIVE_INFINITY);
  }

  /**
   * Gives the tasks that want a slot and get one: by priority, then by first ready, then by definition order. Before them
   * those that need none, since they have a child. The
   * engine's order (`goesBefore` of its claims) is stated a second time on purpose: paths that asked the engine's could
   * find no fault in it.
   */
  next({ live, rows, claimAt }: Pick<Situation, 'live' | 'rows' | 'claimAt'>): readonly number[] {
    const line: number[] = [];
    const taken = new Map<string | undefined, number>();
    let running = 0;
    const next: number[] = [];
    for (const task of live) {
      const row = rows[task] as LiveRow;
      if (hasChild(this.#tasks[task] as TaskDefinition)) {
        if (row.wantsSlot) next.push(task);
        continue;
      }
      if (row.wantsSlot) line.push(task);
      if (row.status !== 'running') continue;
      running++;
      const { pool } = this.#tasks[task] as TaskDefinition;
      taken.set(pool, (taken.get(pool) ?? 0) + 1);
    }
    if (line.length > 1) line.sort((a, b) => this.#compare(a, b, claimAt));
    for (const task of line) {
      const definition = this.#tasks[task] as TaskDefinition;
      const used = taken.get(definition.pool) ?? 0;
      if (running >= this.concurrency || used >= this.of(definition)) continue;
      running++;
      taken.set(definition.pool, used + 1);
      next.push(task);
    }
    return next;
  }

  #compare(a: number, b: number, claimAt: readonly number[]): number {
    const priority =
      (this.#tasks[b] as TaskDefinition).priority - (this.#tasks[a] as TaskDefinition).priority;
    return priority || (claimAt[a] as number) - (claimAt[b] as number) || a - b;
  }

  #findContenders({ tasks, poolNames }: FlowDefinition): readonly (readonly number[])[] {
    const holding = tasks.flatMap((task, index) => (hasChild(task) || isWaitBody(task.body) ? [] : [index]));
    if (this.concurrency < holding.length) return [holding];
    return Array.from(poolNames, (pool) =>
      holding.filter((task) => (tasks[task] as TaskDefinition).pool === pool),
    ).filter((members) => members.length > this.of(tasks[members[0] as number] as TaskDefinition));
  }
}
