import { isSegment } from './child-id.ts';
import { createGraph, type Graph } from './graph.ts';
import { Hash } from './hash.ts';
import type { JournalVersion } from './journal.ts';
import type { Plan } from './ledger.ts';
import type { Body, Condition, ItemScope, PerformScope, WaitScope } from './perform.ts';
import type { RetryPolicy } from './retry.ts';
import type { Schema } from './schema.ts';
import { type TriggerRule, triggerRules } from './trigger-rule.ts';
import { type Compensate, type UndoAfter, type UndoDefinition, withoutEffect } from './undo.ts';

/** Options of a task besides its body and its dependencies. Durations are in milliseconds. */
export interface TaskSettings {
  /** When the task may start. Default `all_success`. */
  readonly triggerRule?: TriggerRule | undefined;
  /** Default: one attempt. */
  readonly retry?: RetryPolicy | undefined;
  /** Limits one attempt, from its start. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Limits all attempts and the waits between them, from the first start. Default: no limit. */
  readonly totalTimeoutMs?: number | undefined;
  /** Time for an ended attempt to react to its signal before it is given up. Default: the flow's, 5,000. */
  readonly graceMs?: number | undefined;
  /**
   * Lets the run be `done` even if this task failed or could not run. Applies to this task alone: a downstream task
   * that is not optional and cannot run without it fails the run. Default false.
   */
  readonly optional?: boolean | undefined;
  /** The task may end itself with `SkipTask`; downstream its output is then missing. Default false. */
  readonly skippable?: boolean | undefined;
  /** Among tasks that wait for a slot the highest priority goes first. Default 0. */
  readonly priority?: number | undefined;
  /** Name of a pool from which the task also needs a slot. Default: none. */
  readonly pool?: string | undefined;
  /** Expected duration, for critical paths and simulations. Default: not known. */
  readonly durationMs?: number | undefined;
  /** Checks the value that the body returns; dependents get the schema's result. Default: the value as returned. */
  readonly output?: Schema | undefined;
  /**
   * Undoes what the task did, once its run ends `failed` or `cancelled` and all tasks have settled: those downstream of it
   * are undone first. Default: nothing is undone.
   */
  readonly compensate?: Compensate<never, UndoAfter> | undefined;
  /**
   * Says whether the task runs, once its trigger rule says so and before it takes a slot; it may return a promise.
   * `false` skips the task, a throw fails it, without a retry. `totalTimeoutMs` limits it too. Default: it runs.
   */
  readonly when?: Condition | undefined;
}

/** A task as the engine reads it: checked, with defaults filled in. */
export interface TaskDefinition {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly triggerRule: TriggerRule;
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
  readonly totalTimeoutMs: number | undefined;
  readonly graceMs: number | undefined;
  readonly optional: boolean;
  readonly skippable: boolean;
  readonly priority: number;
  readonly pool: string | undefined;
  readonly durationMs: number | undefined;
  readonly output: Schema | undefined;
  readonly compensate: UndoDefinition | undefined;
  readonly when: Condition | undefined;
  readonly body: TaskBody;
}

/** A task's body: it runs by itself, is a run, or is a wait. */
export type TaskBody = Body | ChildBody | WaitBody | UndoBody;

/** A wait in the place of a body. Its task holds no slot and makes no attempt. */
export type WaitBody = DeliveryBody | SleepBody;

/** A wait for a value from outside. The time for it is `timeoutMs` of its task. */
export interface DeliveryBody {
  readonly kind: 'waitFor';
  /** Checks a value that is delivered. */
  readonly schema: Schema | undefined;
  readonly onTimeout: OnTimeout;
}

/** What becomes of a wait whose time is over: it fails, is skipped, or is done with a value. */
export type OnTimeout = 'fail' | 'skip' | { readonly value: unknown };

/** A wait for an instant: so long after the task is ready, or until what a function returns. */
export interface SleepBody {
  readonly kind: 'sleep';
  /** `undefined` where there is `until`. */
  readonly ms: number | undefined;
  /** Returns an instant, in epoch milliseconds or as a `Date`. Called once. */
  readonly until: ((scope: WaitScope) => unknown) | undefined;
}

/** A body that is a run: of a flow, or of the items of a list. Its task holds no slot. */
export type ChildBody = FlowBody | MapBody;

/** One run of another flow. */
export interface FlowBody {
  readonly kind: 'flow';
  readonly flow: FlowDefinition;
  /** Makes the run's input. Default: none. */
  readonly input: ((scope: PerformScope) => unknown) | undefined;
}

/** One run with a task for each item of a list. */
export interface MapBody {
  readonly kind: 'map';
  /** Gives the list, or a promise of it. */
  readonly over: (scope: PerformScope) => unknown;
  readonly item: ItemDefinition;
  /** Maximum number of concurrent attempts of items. */
  readonly concurrency: number | undefined;
  /** `undefined`: all items are tried, and any failure fails the map. */
  readonly tolerate: Tolerance | undefined;
}

/** The undo of a child run that was done: only the flow of an undo has it. */
export interface UndoBody {
  readonly kind: 'undo';
  /** The id of the child run. */
  readonly runId: string;
  /** Has the run undone, as an attempt of the engine's; must not throw. */
  readonly begin: (attempt: unknown) => void;
}

/** The failed items that a map still accepts: a number, or a share of the list from 0 to 1. One more ends it early. */
export type Tolerance = number | { readonly share: number };

/** What is done with each item of a map, and how. */
export interface ItemDefinition
  extends Pick<
    TaskDefinition,
    | 'retry'
    | 'timeoutMs'
    | 'graceMs'
    | 'skippable'
    | 'priority'
    | 'pool'
    | 'durationMs'
    | 'output'
    | 'compensate'
  > {
  readonly body: ItemBody;
}

export type ItemBody =
  | { readonly kind: 'perform'; readonly perform: (scope: ItemScope) => unknown }
  | {
      readonly kind: 'flow';
      readonly flow: FlowDefinition;
      readonly input: ((scope: ItemScope) => unknown) | undefined;
    };

/** Whether a body is a run. */
export function isChildBody(body: TaskBody): body is ChildBody {
  return body.kind === 'flow' || body.kind === 'map';
}

/** Whether the task of a body holds no slot: it waits for another run. */
export function isRunBody(body: TaskBody): body is ChildBody | UndoBody {
  return isChildBody(body) || body.kind === 'undo';
}

/** Whether a body is a wait. */
export function isWaitBody(body: TaskBody): body is WaitBody {
  return body.kind === 'waitFor' || body.kind === 'sleep';
}

/** Options of a flow. Limits apply to each of its runs. */
export interface FlowSettings {
  /** Checks a run's input before anything starts. Default: any input. */
  readonly input?: Schema | undefined;
  /** Makes the run's output from the tasks' outputs, by id. Default: these outputs. */
  readonly output?:
    | ((args: { readonly input: unknown; readonly deps: Record<string, unknown> }) => unknown)
    | undefined;
  /** Maximum number of attempts of one run at the same time. Default: no limit. */
  readonly concurrency?: number | undefined;
  /** Slots of each named pool, for each run. A pool not named here is looked up in the engine. */
  readonly pools?: Readonly<Record<string, number>> | undefined;
  /** Limits a run, from its start. Default: no limit. */
  readonly totalTimeoutMs?: number | undefined;
  /** Default `graceMs` of its tasks. Default 5,000. */
  readonly graceMs?: number | undefined;
  /** Sends a run's events to its parent if the run is an actor. Default false. */
  readonly forwardEvents?: boolean | undefined;
}

/** The number of tasks that are hashed in one go. */
const HASH_PIECE = 1_000;

/** A flow as the engine reads it. Immutable; costly parts are computed once, on first use. */
export class FlowDefinition {
  readonly name: string;
  readonly settings: FlowSettings;
  readonly tasks: readonly TaskDefinition[];
  #graph: Graph | undefined;
  #plan: Plan | undefined;
  #hash: string | undefined;
  #poolNames: Set<string> | undefined;
  #hasPlainTasks: boolean | undefined;
  #foreignPools: ReadonlyMap<string, string> | undefined;
  #hasChildren: boolean | undefined;
  #hasUndo: boolean | undefined;
  #version: JournalVersion | undefined;
  #waits: boolean | undefined;
  readonly #tolerance: number | undefined;

  /** @param items of the run of a map: what else it has from that */
  constructor(
    name: string,
    settings: FlowSettings,
    tasks: readonly TaskDefinition[],
    graph?: Graph,
    items?: { readonly hash: string; readonly tolerance: number | undefined },
  ) {
    this.name = name;
    this.settings = settings;
    this.tasks = tasks;
    this.#graph = graph;
    this.#hash = items?.hash;
    this.#tolerance = items?.tolerance;
  }

  /** Throws FlowError if the tasks are no valid graph. */
  get graph(): Graph {
    this.#graph ??= createGraph(this.name, this.tasks);
    return this.#graph;
  }

  get plan(): Plan {
    this.#plan ??= planOf(this.graph, this.tasks, this.#tolerance);
    return this.#plan;
  }

  /** The ids of a task's dependencies, in the order in which they were given. */
  dependsOn(task: number): readonly string[] {
    return (this.tasks[task] as TaskDefinition).dependsOn;
  }

  /** Whether the body of a task is a run. */
  isChild(task: number): boolean {
    return isRunBody((this.tasks[task] as TaskDefinition).body);
  }

  /** The id of the run that is the body of a task, where it is no child of a run of this flow. */
  foreignRunOf(task: number): string | undefined {
    const { body } = this.tasks[task] as TaskDefinition;
    return body.kind === 'undo' ? body.runId : undefined;
  }

  /** Whether no task is more than a body of its own. One look at each tells most flows that they have nothing else. */
  get #isPlain(): boolean {
    this.#hasPlainTasks ??= this.tasks.every(
      ({ when, compensate, body: { kind } }) =>
        when === undefined && compensate === undefined && (kind === 'perform' || kind === 'actor'),
    );
    return this.#hasPlainTasks;
  }

  /** Whether the body of any task is a run. */
  get hasChildren(): boolean {
    this.#hasChildren ??= !this.#isPlain && this.tasks.some(({ body }) => isChildBody(body));
    return this.#hasChildren;
  }

  /** Whether anything can be undone in its runs, or in those below. */
  get hasUndo(): boolean {
    if (this.#isPlain) return false;
    for (const flow of this.#innermostFirst((known) => known.#hasUndo !== undefined))
      flow.#hasUndo = flow.tasks.some(canUndo);
    return this.#hasUndo as boolean;
  }

  /** The version of the journals of its runs. */
  get journalVersion(): JournalVersion {
    if (this.waits || this.hasUndo) return 3;
    this.#version ??= this.hasChildren || !this.graph.ids.every(isSegment) ? 2 : 1;
    return this.#version;
  }

  /** Whether a task waits or has a condition, here or in a child run. */
  get waits(): boolean {
    if (this.#isPlain) return false;
    for (const flow of this.#innermostFirst((known) => known.#waits !== undefined))
      flow.#waits = flow.tasks.some(
        ({ when, body }) => when !== undefined || isWaitBody(body) || innerFlow(body)?.waits === true,
      );
    return this.#waits as boolean;
  }

  /** The pools from which its own tasks want slots. */
  get poolNames(): ReadonlySet<string> {
    if (this.#poolNames === undefined) {
      this.#poolNames = new Set();
      for (const { pool } of this.tasks) if (pool !== undefined) this.#poolNames.add(pool);
    }
    return this.#poolNames;
  }

  /**
   * The pools from which its tasks, and those of its child runs, want slots and which the flow does not have itself; each
   * with the id of a task that wants one.
   */
  get foreignPools(): ReadonlyMap<string, string> {
    for (const flow of this.#innermostFirst((known) => known.#foreignPools !== undefined))
      flow.#foreignPools = foreignPoolsOf(flow);
    return this.#foreignPools as ReadonlyMap<string, string>;
  }

  /**
   * Changes with tasks, dependencies and trigger rules: a journal can be recovered only with the flow for which it was
   * written.
   */
  get hash(): string {
    for (const _ of this.hashing());
    return this.#hash as string;
  }

  /** Computes the hash, if it is not known, and yields now and then, so that the caller can pause. */
  *hashing(): Generator<void> {
    for (const flow of this.#innermostFirst((known) => known.#hash !== undefined)) yield* flow.#hashing();
  }

  *#hashing(): Generator<void> {
    const hash = new Hash();
    for (let task = 0; task < this.tasks.length; task++) {
      addTask(hash, this.plan, task);
      addChild(hash, (this.tasks[task] as TaskDefinition).body);
      if (task % HASH_PIECE === HASH_PIECE - 1) yield;
    }
    this.#hash = hash.toString();
  }

  /** It and the flows below that are not known, each after those below it. Flows may be nested too deep for recursion. */
  #innermostFirst(isKnown: (flow: FlowDefinition) => boolean): readonly FlowDefinition[] {
    if (isKnown(this)) return [];
    if (!this.hasChildren) return [this];
    const opened = new Set<FlowDefinition>();
    const ordered = new Set<FlowDefinition>();
    const open: FlowDefinition[] = [this];
    for (let flow = open.at(-1); flow !== undefined; flow = open.at(-1)) {
      const isOpened = opened.has(flow);
      if (isOpened) ordered.add(open.pop() as FlowDefinition);
      opened.add(flow);
      if (isOpened || !flow.hasChildren) continue;
      for (const { body } of flow.tasks) {
        const below = innerFlow(body);
        if (below !== undefined && !opened.has(below) && !isKnown(below)) open.push(below);
      }
    }
    return [...ordered];
  }

  /**
   * The same flow with other bodies, by task id. A body that replaces a run must fit a task that is none.
   *
   * @param undos what undoes those bodies. Default: nothing is to be done for that
   */
  withBodies(
    bodies: ReadonlyMap<string, TaskBody>,
    undos?: ReadonlyMap<string, UndoDefinition | undefined>,
  ): FlowDefinition {
    const tasks = this.tasks.map((task) => {
      const body = bodies.get(task.id);
      if (body === undefined) return task;
      return { ...task, body, compensate: undos?.get(task.id) ?? withoutEffect(task.compensate) };
    });
    return new FlowDefinition(this.name, this.settings, tasks, this.graph);
  }
}

/** The version of the journals of a flow's runs as child runs: their ids say more than those of roots. */
export function childJournalVersion({ journalVersion }: FlowDefinition): JournalVersion {
  return journalVersion > 2 ? journalVersion : 2;
}

function planOf(graph: Graph, tasks: readonly TaskDefinition[], tolerance: number | undefined): Plan {
  const optional = new Uint8Array(tasks.length);
  const rules = tasks.map((task, index) => {
    if (task.optional) optional[index] = 1;
    return task.triggerRule;
  });
  return tolerance === undefined ? { graph, rules, optional } : { graph, rules, optional, tolerance };
}

function addTask(hash: Hash, { graph, rules }: Plan, task: number): void {
  const { ids, upstreamStart, upstreamList } = graph;
  const end = upstreamStart[task + 1] as number;
  hash.addText(ids[task] as string);
  hash.addInteger(triggerRules.indexOf(rules[task] as TriggerRule));
  hash.addInteger(end);
  for (let edge = upstreamStart[task] as number; edge < end; edge++)
    hash.addInteger(upstreamList[edge] as number);
}

/** A child belongs to its parent's version: a flow that differs is refused at the door, with its children. */
function addChild(hash: Hash, body: TaskBody): void {
  if (!isChildBody(body)) return;
  hash.addText(body.kind);
  const inner = innerFlow(body);
  if (inner !== undefined) hash.addText(inner.hash);
}

/** The flow whose runs are the body of a task, or of each of its items. */
function innerFlow(body: TaskBody): FlowDefinition | undefined {
  const inner = body.kind === 'map' ? body.item.body : body;
  return inner.kind === 'flow' ? inner.flow : undefined;
}

/** Whether a task has an undo, or is a run in which something has. */
export function canUndo({ body, compensate }: TaskDefinition): boolean {
  if (compensate !== undefined) return true;
  return (body.kind === 'map' && body.item.compensate !== undefined) || innerFlow(body)?.hasUndo === true;
}

function foreignPoolsOf({ settings, tasks }: FlowDefinition): ReadonlyMap<string, string> {
  const foreign = new Map<string, string>();
  const want = (pool: string, taskId: string): void => {
    if (!Object.hasOwn(settings.pools ?? {}, pool) && !foreign.has(pool)) foreign.set(pool, taskId);
  };
  for (const { id, pool, body } of tasks) {
    if (pool !== undefined) want(pool, id);
    if (body.kind === 'map' && body.item.pool !== undefined) want(body.item.pool, id);
    for (const name of innerFlow(body)?.foreignPools.keys() ?? []) want(name, id);
  }
  return foreign;
}
