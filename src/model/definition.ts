import {
  badOption,
  boundRule,
  checkKeys,
  checkNumber,
  durationRule,
  type NumberRule,
  type Place,
  showValue,
} from './check.ts';
import { FlowError } from './error.ts';
import { createGraph, type Graph } from './graph.ts';
import { Hash } from './hash.ts';
import type { Plan } from './ledger.ts';
import type { Body } from './perform.ts';
import { checkRetry, type RetryPolicy } from './retry.ts';
import { isSchema, type Schema } from './schema.ts';
import { type TriggerRule, triggerRules } from './trigger-rule.ts';

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
  readonly body: Body;
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

const settings: { readonly [Name in keyof TaskSettings]-?: true } = {
  output: true,
  triggerRule: true,
  retry: true,
  timeoutMs: true,
  totalTimeoutMs: true,
  graceMs: true,
  optional: true,
  skippable: true,
  priority: true,
  pool: true,
  durationMs: true,
};

/** The names of all settings, for each form in which a task may be given. */
export const taskSettings = Object.keys(settings) as readonly (keyof TaskSettings)[];

const taskOptions = new Set(['dependsOn', 'perform', 'actor', 'input', ...taskSettings]);

const flowOptions = new Set([
  'input',
  'output',
  'concurrency',
  'pools',
  'totalTimeoutMs',
  'graceMs',
  'forwardEvents',
]);

/** The rule of a number of slots. */
export const slotRule: NumberRule = { min: 1, integer: true, infinity: true };

/** Checks one task. Its id and dependencies are checked when the graph is made. */
export function defineTask(flow: string, id: string, options: TaskOptions): TaskDefinition {
  checkKeys({ option: 'options', taskId: id, flow }, options, taskOptions);
  return readTask(flow, id, options);
}

/** Checks one task whose options have known names. */
export function readTask(flow: string, id: string, options: TaskOptions): TaskDefinition {
  const { dependsOn = noIds, triggerRule = 'all_success', retry, skippable = false, durationMs } = options;
  return completeTask(flow, options, {
    id,
    dependsOn,
    triggerRule,
    retry: retry === undefined ? undefined : checkRetry(id, retry),
    skippable,
    durationMs,
    body: defineBody(flow, id, options),
  });
}

/** The parts of a task that are read in another way where a flow is given as data. */
export type TaskParts = Pick<
  TaskDefinition,
  'id' | 'dependsOn' | 'triggerRule' | 'retry' | 'skippable' | 'durationMs' | 'body'
>;

/**
 * Adds the settings of a task to its parts, with defaults, and checks it. The retry policy and the body are valid; the
 * other types are not trusted.
 */
export function completeTask(
  flow: string,
  given: Omit<TaskSettings, 'triggerRule' | 'retry'>,
  parts: TaskParts,
): TaskDefinition {
  const { optional = false, priority = 0 } = given;
  return checkTask(flow, {
    id: parts.id,
    dependsOn: parts.dependsOn,
    triggerRule: parts.triggerRule,
    retry: parts.retry,
    timeoutMs: given.timeoutMs,
    totalTimeoutMs: given.totalTimeoutMs,
    graceMs: given.graceMs,
    optional,
    skippable: parts.skippable,
    priority,
    pool: given.pool,
    durationMs: parts.durationMs,
    output: given.output,
    body: parts.body,
  });
}

function checkTask(flow: string, task: TaskDefinition): TaskDefinition {
  const { id, dependsOn, triggerRule, optional, skippable, priority, pool, durationMs, output } = task;
  const place = (option: string) => ({ option, taskId: id, flow });
  if (!Array.isArray(dependsOn)) throw badOption(place('dependsOn'), 'an array of task ids', dependsOn);
  if (!triggerRules.includes(triggerRule)) {
    throw badOption(place('triggerRule'), `one of ${triggerRules.join(', ')}`, triggerRule);
  }
  checkBounds(task, place);
  if (durationMs !== undefined) checkNumber(place('durationMs'), durationMs, durationRule);
  if (typeof optional !== 'boolean') throw badOption(place('optional'), 'true or false', optional);
  if (typeof skippable !== 'boolean') throw badOption(place('skippable'), 'true or false', skippable);
  if (priority !== 0) checkNumber(place('priority'), priority, {});
  if (pool !== undefined && typeof pool !== 'string')
    throw badOption(place('pool'), 'the name of a pool', pool);
  if (output !== undefined && !isSchema(output))
    throw badOption(place('output'), 'a Standard Schema', output);
  return task;
}

/** All options of a task: settings, dependencies and body. */
export interface TaskOptions extends TaskSettings {
  readonly dependsOn?: readonly string[] | undefined;
  readonly perform?: unknown;
  readonly actor?: unknown;
  readonly input?: unknown;
}

/** Checks a body: `perform`, or `actor` with an optional `input`. */
export function defineBody(
  flow: string,
  id: string,
  { perform, actor, input }: Pick<TaskOptions, 'perform' | 'actor' | 'input'>,
): Body {
  if (typeof perform === 'function' && actor === undefined)
    return { kind: 'perform', perform: perform as never };
  const isLogic =
    typeof actor === 'object' && actor !== null && 'transition' in actor && 'getInitialSnapshot' in actor;
  if (isLogic && perform === undefined && (input === undefined || typeof input === 'function')) {
    return { kind: 'actor', logic: actor, input: input as never };
  }
  const found = perform !== undefined && actor !== undefined ? 'both' : describeBody(perform, actor, input);
  throw new FlowError(
    'bad_body',
    `Task \`${id}\` of flow \`${flow}\` needs a body: \`perform\`, a function, or \`actor\`, an XState logic ` +
      `with an optional \`input\` function; found ${found}.`,
    { flow, taskId: id },
  );
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

  constructor(name: string, settings: FlowSettings, tasks: readonly TaskDefinition[], graph?: Graph) {
    this.name = name;
    this.settings = settings;
    this.tasks = tasks;
    this.#graph = graph;
  }

  /** Throws FlowError if the tasks are no valid graph. */
  get graph(): Graph {
    this.#graph ??= createGraph(this.name, this.tasks);
    return this.#graph;
  }

  get plan(): Plan {
    this.#plan ??= planOf(this.graph, this.tasks);
    return this.#plan;
  }

  /** The pools from which tasks want slots. */
  get poolNames(): ReadonlySet<string> {
    if (this.#poolNames === undefined) {
      this.#poolNames = new Set();
      for (const { pool } of this.tasks) if (pool !== undefined) this.#poolNames.add(pool);
    }
    return this.#poolNames;
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
    if (this.#hash !== undefined) return;
    const hash = new Hash();
    for (let task = 0; task < this.tasks.length; task++) {
      addTask(hash, this.plan, task);
      if (task % HASH_PIECE === HASH_PIECE - 1) yield;
    }
    this.#hash = hash.toString();
  }

  /** The same flow with other bodies, by task id. */
  withBodies(bodies: ReadonlyMap<string, Body>): FlowDefinition {
    const tasks = this.tasks.map((task) => {
      const body = bodies.get(task.id);
      return body === undefined ? task : { ...task, body };
    });
    return new FlowDefinition(this.name, this.settings, tasks, this.graph);
  }
}

/** Checks the options of a flow. */
export function checkFlow(name: string, settings: FlowSettings): void {
  if (typeof name !== 'string' || name === '') {
    throw new FlowError(
      'bad_id',
      `A flow's name must be a string that is not empty, but is ${showValue(name)}.`,
      {
        value: name,
      },
    );
  }
  const place = (option: string) => ({ option, flow: name });
  checkKeys(place('options'), settings, flowOptions);
  const { input, output, concurrency, pools = {}, forwardEvents } = settings;
  if (input !== undefined && !isSchema(input)) throw badOption(place('input'), 'a Standard Schema', input);
  if (output !== undefined && typeof output !== 'function')
    throw badOption(place('output'), 'a function', output);
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (forwardEvents !== undefined && typeof forwardEvents !== 'boolean') {
    throw badOption(place('forwardEvents'), 'true or false', forwardEvents);
  }
  checkBounds(settings, place);
  for (const [pool, slots] of Object.entries(pools)) checkNumber(place(`pools.${pool}`), slots, slotRule);
}

/** The dependencies of a task that has none. */
export const noIds: readonly string[] = [];

function checkBounds(
  options: Pick<TaskSettings, 'timeoutMs' | 'totalTimeoutMs' | 'graceMs'>,
  place: (option: string) => Place,
): void {
  const { timeoutMs, totalTimeoutMs, graceMs } = options;
  if (timeoutMs !== undefined) checkNumber(place('timeoutMs'), timeoutMs, boundRule);
  if (totalTimeoutMs !== undefined) checkNumber(place('totalTimeoutMs'), totalTimeoutMs, boundRule);
  if (graceMs !== undefined) checkNumber(place('graceMs'), graceMs, boundRule);
}

function describeBody(perform: unknown, actor: unknown, input: unknown): string {
  if (perform !== undefined)
    return `a \`perform\` that is ${perform === null ? 'null' : `of type ${typeof perform}`}`;
  if (actor === undefined) return 'neither';
  return input === undefined ? 'an `actor` that is not XState logic' : 'an `input` that is not a function';
}

function planOf(graph: Graph, tasks: readonly TaskDefinition[]): Plan {
  const optional = new Uint8Array(tasks.length);
  const rules = tasks.map((task, index) => {
    if (task.optional) optional[index] = 1;
    return task.triggerRule;
  });
  return { graph, rules, optional };
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
