import { exponential } from './backoff.ts';
import { badOption, checkKeys } from './check.ts';
import { type ChildTaskOptions, defineFlowTask, defineMapTask } from './define-child.ts';
import { checkFlow, completeTask, defineBody, noIds, taskSettings } from './define-task.ts';
import { defineDeliveryTask, defineSleepTask } from './define-wait.ts';
import {
  FlowDefinition,
  type FlowSettings,
  type OnTimeout,
  type TaskDefinition,
  type TaskSettings,
} from './definition.ts';
import { FlowError } from './error.ts';
import type { Graph } from './graph.ts';
import { unknownTask } from './graph-check.ts';
import type { Body, Condition, Perform } from './perform.ts';
import { pick } from './record.ts';
import { type Backoff, checkRetry, type RetryPolicy } from './retry.ts';
import type { Schema } from './schema.ts';
import { parseTriggerRule, type TriggerRule } from './trigger-rule.ts';

/** A task of a flow that is given as data. */
export interface GraphTask extends Omit<TaskSettings, 'triggerRule' | 'retry' | 'when'> {
  /** Ids of any tasks of the flow. Default: none. */
  readonly dependsOn?: readonly string[] | undefined;
  /** Alias of `dependsOn`. */
  readonly needs?: readonly string[] | undefined;
  /** Alias of `durationMs`. */
  readonly duration?: number | undefined;
  /** Airflow's spellings are accepted too. Default `all_success`. */
  readonly triggerRule?: string | undefined;
  readonly retry?: GraphRetry | undefined;
  /** It waits for a value from outside, and has no body: `true`, or the options of `.waitFor` that are its own. */
  readonly waitFor?: boolean | GraphWait | undefined;
  /** It sleeps so many milliseconds from when it is ready, and has no body. */
  readonly sleep?: number | undefined;
  /** Whether it runs: as a function, or the answer itself; `throws` for a condition that throws. */
  readonly when?: Condition | boolean | 'throws' | undefined;
  /** For simulations: its first n attempts fail. Ignored in a run with bodies. */
  readonly fails?: number | 'always' | undefined;
  /** For simulations: it skips itself. Ignored in a run with bodies. */
  readonly skips?: boolean | undefined;
}

/** How a task waits for a value. Its limit is the task's `timeoutMs`. */
export interface GraphWait {
  readonly schema?: Schema | undefined;
  readonly onTimeout?: OnTimeout | undefined;
}

/** A retry policy as data. Without `backoff` the next attempt is due at once. */
export interface GraphRetry extends Omit<RetryPolicy, 'backoff'> {
  readonly backoff?: Backoff | GraphBackoff | undefined;
}

/** `initialMs · base^(n − 1)` after attempt n, at most `maxMs`. */
export interface GraphBackoff {
  readonly kind: 'exponential';
  readonly initialMs: number;
  /** Default 2. */
  readonly base?: number | undefined;
  /** Default: no bound. */
  readonly maxMs?: number | undefined;
}

/**
 * A flow as data. Definition order is the order of the tasks; since an object's integer-like keys come first, use a Map
 * or a list for large graphs with such ids.
 */
export interface GraphDefinition extends FlowSettings {
  /** Default `graph`. */
  readonly name?: string | undefined;
  readonly tasks:
    | Readonly<Record<string, GraphTask>>
    | ReadonlyMap<string, GraphTask>
    | readonly (GraphTask & { readonly id: string })[];
  /** Any other facts; ignored. */
  readonly meta?: unknown;
}

/** One body for all tasks, or a body for each, by id. */
export type Bodies =
  | ((scope: never) => unknown)
  | Readonly<Record<string, BodyOptions>>
  | ReadonlyMap<string, BodyOptions>;

type BodyOptions = ((scope: never) => unknown) | BodyParts;

/** A body, of any kind: a run of a flow has `flow`, a map `over`. */
type BodyParts = Pick<
  ChildTaskOptions,
  'perform' | 'actor' | 'input' | 'flow' | 'over' | 'concurrency' | 'tolerate'
>;

const taskKeys = new Set([
  'id',
  'dependsOn',
  'needs',
  'duration',
  ...taskSettings,
  'fails',
  'skips',
  'waitFor',
  'sleep',
  // Keys of other tools, ignored here.
  'meta',
  'rule',
  'if',
  'matrix',
  'timeoutMinutes',
]);

/** Makes a flow of data in linear time. Throws FlowError if it is no valid flow. */
export function defineGraph(given: GraphDefinition, bodies: Bodies): FlowDefinition {
  if (typeof given !== 'object' || given === null) {
    throw badOption({ option: 'definition', owner: 'createFlowFromGraph' }, 'an object with `tasks`', given);
  }
  const { name = 'graph', tasks, meta: _, ...settings } = given;
  checkFlow(name, settings);
  if (typeof tasks !== 'object' || tasks === null) {
    throw badOption({ option: 'tasks', flow: name }, 'an object, a Map or a list of tasks', tasks);
  }
  const bodyOf = readBodies(name, bodies);
  const policies = new Policies();
  const defined = readTasks(tasks, (id, task) => readGraphTask(name, id, task, bodyOf(id), policies));
  const definition = new FlowDefinition(name, settings, defined);
  checkBodies(definition.graph, name, bodies);
  return definition;
}

function readGraphTask(
  flow: string,
  id: string,
  task: GraphTask,
  body: Body | BodyParts,
  policies: Policies,
): TaskDefinition {
  checkKeys({ option: 'options', taskId: id, flow }, task, taskKeys);
  const { needs = noIds, dependsOn = needs, duration, durationMs = duration, triggerRule, retry } = task;
  const { skips = false, skippable = skips } = task;
  if (needs !== noIds && task.dependsOn !== undefined) {
    throw badOption({ option: 'needs', taskId: id, flow }, 'left out if `dependsOn` is given', needs);
  }
  const when = readCondition(flow, id, task.when);
  if (task.sleep !== undefined || (task.waitFor ?? false) !== false)
    return defineWait(flow, id, task, dependsOn, when, body);
  const parts = {
    id,
    dependsOn,
    triggerRule: triggerRule === undefined ? 'all_success' : readRule(triggerRule),
    retry: retry === undefined ? undefined : policies.read(flow, id, retry),
    skippable,
    durationMs,
  };
  const given = when === undefined ? (task as GraphTask & { readonly when?: undefined }) : { ...task, when };
  if ('kind' in body) return completeTask(flow, given, { ...parts, body });
  if (body.over === undefined && body.flow === undefined)
    return completeTask(flow, given, { ...parts, body: defineBody(flow, id, body) });
  return defineChild(flow, id, { ...settingsOf(given), ...parts }, body);
}

/** A task that waits: its options are those of `.waitFor` and `.sleep`. A body for all tasks is none of its own. */
function defineWait(
  flow: string,
  id: string,
  task: GraphTask,
  dependsOn: readonly string[],
  when: Condition | undefined,
  body: Body | BodyParts,
): TaskDefinition {
  if (!('kind' in body) && Object.keys(body).length > 0)
    throw new FlowError('bad_body', `Task \`${id}\` of flow \`${flow}\` waits: it takes no body.`, {
      flow,
      taskId: id,
    });
  const { waitFor = false, sleep, triggerRule, optional, timeoutMs } = task;
  const common = {
    dependsOn,
    ...(triggerRule !== undefined && { triggerRule: readRule(triggerRule) }),
    ...(optional !== undefined && { optional }),
    ...(when !== undefined && { when }),
  };
  if (sleep !== undefined && waitFor !== false)
    throw badOption({ option: 'sleep', taskId: id, flow }, 'left out if `waitFor` is given', sleep);
  if (sleep !== undefined) return defineSleepTask(flow, id, { ...common, ms: sleep });
  const { durationMs = task.duration } = task;
  return defineDeliveryTask(flow, id, {
    ...common,
    ...(typeof waitFor === 'object' && waitFor),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(durationMs !== undefined && { durationMs }),
  });
}

function readCondition(flow: string, id: string, when: GraphTask['when']): Condition | undefined {
  if (when === undefined || typeof when === 'function') return when;
  if (typeof when === 'boolean') return () => when;
  if (when !== 'throws')
    throw badOption({ option: 'when', taskId: id, flow }, 'a function, true, false, or `throws`', when);
  return () => {
    throw new Error(`the condition of \`${id}\` is set to throw`);
  };
}

/** A task that is a run: its options are those of `.flow` and `.map`. */
function defineChild(
  flow: string,
  id: string,
  options: ChildTaskOptions & { readonly id: string },
  body: BodyParts,
): TaskDefinition {
  const { id: _, skippable, ...rest } = { ...options, ...body };
  const isGiven = ([, value]: [string, unknown]): boolean => value !== undefined;
  const given = {
    ...Object.fromEntries(Object.entries(rest).filter(isGiven)),
    ...(skippable === true && { skippable }),
  };
  return body.over === undefined ? defineFlowTask(flow, id, given) : defineMapTask(flow, id, given);
}

function settingsOf(task: Omit<GraphTask, 'when'> & Pick<TaskSettings, 'when'>): TaskSettings {
  return Object.fromEntries(taskSettings.map((name) => [name, task[name]])) as TaskSettings;
}

/** Returns the text as it is if it is no rule; it is then refused with a list of the rules. */
function readRule(text: string): TriggerRule {
  return (typeof text === 'string' ? parseTriggerRule(text) : undefined) ?? (text as TriggerRule);
}

/** Reads and checks retry policies, once for consecutive tasks that share one. */
class Policies {
  #given: GraphRetry | undefined;
  #policy: RetryPolicy | undefined;

  read(flow: string, taskId: string, given: GraphRetry): RetryPolicy {
    if (this.#policy === undefined || given !== this.#given) {
      this.#policy = checkRetry(taskId, readRetry(given), flow);
      this.#given = given;
    }
    return this.#policy;
  }
}

/** Reads and checks a retry policy that is given as data. Throws FlowError. */
export function readGraphRetry(taskId: string, flow: string, given: GraphRetry): RetryPolicy {
  return checkRetry(taskId, readRetry(given), flow);
}

function readRetry(retry: GraphRetry): RetryPolicy {
  if (typeof retry !== 'object' || retry === null) return retry;
  const { backoff = 0 } = retry;
  if (typeof backoff !== 'object' || backoff === null) return { backoff, ...(retry as RetryPolicy) };
  const { kind, ...strategy } = backoff;
  if (kind !== 'exponential') throw badOption({ option: 'retry.backoff.kind' }, '`exponential`', kind);
  return { ...retry, backoff: exponential(strategy) };
}

function readTasks(
  tasks: GraphDefinition['tasks'],
  read: (id: string, task: GraphTask) => TaskDefinition,
): TaskDefinition[] {
  if (Array.isArray(tasks))
    return tasks.map((task: GraphTask & { readonly id: string }) => read(task?.id, task));
  if (tasks instanceof Map) return Array.from(tasks, ([id, task]) => read(id, task));
  const byId = tasks as Readonly<Record<string, GraphTask>>;
  return Object.keys(byId).map((id) => read(id, byId[id] as GraphTask));
}

function readBodies(flow: string, bodies: Bodies): (id: string) => Body | BodyParts {
  if (typeof bodies === 'function') {
    const all: Body = { kind: 'perform', perform: bodies as Perform };
    return () => all;
  }
  if (typeof bodies !== 'object' || bodies === null) {
    throw new FlowError(
      'bad_body',
      `Flow \`${flow}\` needs bodies: a function for all tasks, or one for each, by id.`,
      { flow },
    );
  }
  return (id) => {
    const body = bodies instanceof Map ? bodies.get(id) : pick(bodies as Record<string, BodyOptions>, id);
    return typeof body === 'function' ? { perform: body } : (body ?? {});
  };
}

/** Refuses bodies under unknown ids, which are probably typing errors. */
function checkBodies(graph: Graph, flow: string, bodies: Bodies): void {
  if (typeof bodies === 'function') return;
  for (const id of bodies instanceof Map ? bodies.keys() : Object.keys(bodies)) {
    if (graph.indexOf(id) < 0) throw unknownTask(flow, id, graph.ids);
  }
}
