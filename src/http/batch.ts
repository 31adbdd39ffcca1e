import { createFlow, type Flow, type PerformScope } from '../index.ts';
import { defineTask, type TaskOptions } from '../model/definition.ts';
import { createGraph, type Graph } from '../model/graph.ts';
import { cycleError, duplicateTask, unknownDependency } from '../model/graph-check.ts';
import type { Bound } from './context.ts';

interface BatchTask {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly options: TaskOptions;
}

/** What a run of background tasks is made of, while it is collected. Tasks may name others that come later. */
export class Batch {
  /** Of the run that it becomes. */
  readonly runId: string;
  readonly flowName: string;
  readonly #tasks = new Map<string, BatchTask>();
  /** Ids that no task has so far, with the first task that depends on each. */
  readonly #missing = new Map<string, string>();
  /** The last task of the list: the next one follows it. */
  #last: string | undefined;
  /** Whether each task stands after those that it depends on. */
  #isForward = true;
  /** By name, the number to look for a free id from. */
  readonly #numbers = new Map<string, number>();

  constructor(runId: string, flowName: string) {
    this.runId = runId;
    this.flowName = flowName;
  }

  get ids(): readonly string[] {
    return [...this.#tasks.keys()];
  }

  /** Whether a task names one that is not there, so far. */
  get isIncomplete(): boolean {
    return this.#missing.size > 0;
  }

  /** Adds a task at the end of the list; its id is the name, with a number where that is taken. */
  append(name: string, rule: 'all_settled' | 'all_success', options: TaskOptions, bound: Bound): string {
    const id = this.#freeId(name);
    const dependsOn = this.#last === undefined ? [] : [this.#last];
    this.#enter({ ...options, dependsOn, triggerRule: rule }, id, bound);
    this.#last = id;
    return id;
  }

  /**
   * Adds a task beside the list.
   *
   * @param mayWait whether it may depend on tasks that are still to come
   */
  add(id: string, options: TaskOptions, bound: Bound, mayWait: boolean): void {
    if (this.#tasks.has(id)) throw duplicateTask(this.flowName, id);
    this.#enter(options, id, bound, mayWait);
  }

  /** Throws FlowError where a task names one that is not there. */
  check(): void {
    for (const [dependency, id] of this.#missing)
      throw unknownDependency(this.flowName, id, dependency, this.ids);
  }

  /** Ids, each after those that it depends on. */
  order(): string[] {
    return this.#graph().order();
  }

  toFlow(): Flow {
    let flow = createFlow(this.flowName) as Flow<unknown, unknown, object>;
    const ids = this.#isForward ? this.#tasks.keys() : this.order();
    for (const id of ids) flow = flow.task(id, this.#tasks.get(id)?.options as never) as typeof flow;
    return flow as Flow;
  }

  #enter(options: TaskOptions, id: string, bound: Bound, mayWait = true): void {
    const { dependsOn } = defineTask(this.flowName, id, options);
    const missing = dependsOn.filter((dependency) => dependency !== id && !this.#tasks.has(dependency));
    if (!mayWait && missing.length > 0) throw unknownDependency(this.flowName, id, missing[0], this.ids);
    const task = { id, dependsOn, options: bind(options, bound) };
    this.#tasks.set(id, task);
    const cycle = dependsOn.includes(id) ? [id, id] : this.#missing.has(id) ? this.#cycleOf(id) : undefined;
    if (cycle !== undefined) {
      this.#tasks.delete(id);
      throw cycleError(this.flowName, cycle);
    }
    this.#missing.delete(id);
    if (missing.length > 0) this.#isForward = false;
    for (const dependency of missing) if (!this.#missing.has(dependency)) this.#missing.set(dependency, id);
  }

  #freeId(name: string): string {
    if (!this.#tasks.has(name)) return name;
    let number = this.#numbers.get(name) ?? 2;
    while (this.#tasks.has(`${name}-${number}`)) number++;
    this.#numbers.set(name, number + 1);
    return `${name}-${number}`;
  }

  /** The way from a task along dependencies back to itself. */
  #cycleOf(id: string): string[] | undefined {
    const from = new Map<string, string>();
    const queue = [id];
    for (const at of queue) {
      for (const dependency of this.#tasks.get(at)?.dependsOn ?? []) {
        if (dependency === id) return wayBack(id, at, from);
        if (from.has(dependency)) continue;
        from.set(dependency, at);
        queue.push(dependency);
      }
    }
    return undefined;
  }

  #graph(): Graph {
    this.check();
    return createGraph(this.flowName, [...this.#tasks.values()]);
  }
}

function wayBack(id: string, last: string, from: ReadonlyMap<string, string>): string[] {
  const path = [id];
  for (let at: string | undefined = last; at !== undefined && at !== id; at = from.get(at)) path.unshift(at);
  return [id, ...path];
}

/** The same task, with a body that runs in the context that was captured for it. */
function bind(options: TaskOptions, bound: Bound): TaskOptions {
  const { perform } = options;
  if (typeof perform !== 'function') return options;
  return { ...options, perform: (scope: PerformScope) => bound(scope, () => perform(scope)) };
}
