import { flowOf } from '../flow.ts';
import type { Flow, PerformScope } from '../index.ts';
import { defineTask, type TaskOptions } from '../model/define-task.ts';
import { FlowDefinition, type TaskDefinition } from '../model/definition.ts';
import { createGraph, type Graph } from '../model/graph.ts';
import { cycleError, duplicateTask, unknownDependency } from '../model/graph-check.ts';
import type { Bound } from './context.ts';

/** The tasks of a future run, while handlers add them. Tasks may name others that come later. */
export class Batch {
  /** Id of the run that it becomes. */
  readonly runId: string;
  readonly flowName: string;
  readonly #tasks = new Map<string, TaskDefinition>();
  /** Ids that no task has yet, with the first task that depends on each. */
  #missing: Map<string, string> | undefined;
  /** The last task of the list: the next one follows it. */
  #last: string | undefined;
  /** By name, the first number to try for a free id. */
  #numbers: Map<string, number> | undefined;

  constructor(runId: string, flowName: string) {
    this.runId = runId;
    this.flowName = flowName;
  }

  get ids(): readonly string[] {
    return [...this.#tasks.keys()];
  }

  /** Whether a task names one that does not exist yet. */
  get isIncomplete(): boolean {
    return this.#missing !== undefined && this.#missing.size > 0;
  }

  /** Adds a task at the end of the list. Its id gets a number if it is taken. */
  append(
    task: TaskDefinition,
    triggerRule: 'all_settled' | 'all_success',
    pool: string | undefined,
    perform: (scope: PerformScope) => unknown,
  ): string {
    const id = this.#freeId(task.id);
    const dependsOn = this.#last === undefined ? [] : [this.#last];
    const body = { kind: 'perform', perform } as const;
    this.#enter({ ...task, id, dependsOn, triggerRule, pool: task.pool ?? pool, body });
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
    this.#enter(bind(defineTask(this.flowName, id, options), bound), mayWait);
  }

  /** Throws FlowError if a task names one that does not exist. */
  check(): void {
    for (const [dependency, id] of this.#missing ?? [])
      throw unknownDependency(this.flowName, id, dependency, this.ids);
  }

  /** Returns the ids, each after its dependencies. */
  order(): string[] {
    return this.#graph().order();
  }

  toFlow(): Flow {
    return flowOf(new FlowDefinition(this.flowName, {}, [...this.#tasks.values()]));
  }

  #enter(task: TaskDefinition, mayWait = true): void {
    const { id, dependsOn } = task;
    const missing = dependsOn.filter((dependency) => dependency !== id && !this.#tasks.has(dependency));
    if (!mayWait && missing.length > 0) throw unknownDependency(this.flowName, id, missing[0], this.ids);
    this.#tasks.set(id, task);
    const cycle = dependsOn.includes(id) ? [id, id] : this.#missing?.has(id) ? this.#cycleOf(id) : undefined;
    if (cycle !== undefined) {
      this.#tasks.delete(id);
      throw cycleError(this.flowName, cycle);
    }
    this.#missing?.delete(id);
    if (missing.length === 0) return;
    this.#missing ??= new Map();
    for (const dependency of missing) if (!this.#missing.has(dependency)) this.#missing.set(dependency, id);
  }

  #freeId(name: string): string {
    if (!this.#tasks.has(name)) return name;
    this.#numbers ??= new Map();
    let number = this.#numbers.get(name) ?? 2;
    while (this.#tasks.has(`${name}-${number}`)) number++;
    this.#numbers.set(name, number + 1);
    return `${name}-${number}`;
  }

  /** Finds the path from a task along dependencies back to itself. */
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

/** Returns the same task with a body that runs in the captured context. */
function bind(task: TaskDefinition, bound: Bound): TaskDefinition {
  const { body } = task;
  if (body.kind !== 'perform') return task;
  const { perform } = body;
  return {
    ...task,
    body: { kind: 'perform', perform: (scope: PerformScope) => bound(scope, () => perform(scope)) },
  };
}
