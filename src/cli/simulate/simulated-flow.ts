import { type AnyFlow, createFlowFromGraph, type GraphTask } from '../../index.ts';
import {
  type FlowDefinition,
  type ItemDefinition,
  isWaitBody,
  type TaskDefinition,
  type WaitBody,
} from '../../model/definition.ts';
import { performItems, performScripts, type Sleep, type TaskScript } from '../load/script.ts';
import { shuffled } from './chance.ts';
import { criticalPathPriorities, remainingPaths } from './order.ts';

type Scripts = ReadonlyMap<string, TaskScript>;

/** How the tasks of a simulation spend their time, and in which order they start. */
export interface Simulating {
  readonly sleep: Sleep;
  readonly order: 'fifo' | 'critical-path';
  /** Breaks ties at random. `undefined`: by definition order. */
  readonly chance: (() => number) | undefined;
  /** The pools that no flow has. */
  readonly unknownPools: readonly string[];
}

/** The same flow with scripts in the place of bodies, in its child runs too. */
export function simulatedFlow(
  definition: FlowDefinition,
  scripts: Scripts,
  how: Simulating,
  scale = 1,
): AnyFlow {
  const { settings, tasks, name } = definition;
  const { sleep, order, chance } = how;
  const ties = chance === undefined ? Int32Array.from(tasks.keys()) : shuffled(tasks.length, chance);
  const durationOf = (task: number): number => expectedMs(tasks[task] as TaskDefinition, scripts);
  const priorities = order === 'fifo' ? undefined : criticalPathPriorities(definition, durationOf, ties);
  // What the tasks of a child have is added to what their task has, and decides only where that is equal.
  const innerScale = order === 'fifo' ? 1 : scale / (tasks.length + 1);
  const perform = { perform: performScripts(scripts, sleep) };
  const bodies = new Map<string, object>();
  const given = Array.from(ties, (index) => {
    // Outputs are not simulated, so there is nothing for a schema to check.
    const { body, output: _, durationMs: __, when, ...rest } = tasks[index] as TaskDefinition;
    const script = scripts.get(rest.id);
    // No code of a module is called.
    const task = { ...rest, ...(when !== undefined && { when: script?.when ?? true }) };
    if (isWaitBody(body)) return waitOf(task, body, script);
    const child = childOf(body);
    const simulatedChild = child && simulatedFlow(child, script?.child ?? new Map(), how, innerScale);
    const ranked = (own: number): number =>
      priorities === undefined ? own : (priorities[index] as number) * scale;
    if (body.kind !== 'map') {
      bodies.set(task.id, simulatedChild === undefined ? perform : { flow: simulatedChild });
      return { ...task, priority: ranked(task.priority) };
    }
    const items = script?.items ?? [];
    const { concurrency, tolerate, item } = body;
    const each = simulatedChild ?? performItems(items, sleep);
    const input = simulatedChild && { input: () => undefined };
    bodies.set(task.id, { over: () => items.keys(), perform: each, ...input, concurrency, tolerate });
    return { ...task, ...optionsOf(item), priority: ranked(item.priority) };
  });
  return createFlowFromGraph(
    {
      name,
      tasks: given,
      concurrency: settings.concurrency,
      pools: { ...settings.pools, ...(scale === 1 && Object.fromEntries(how.unknownPools.map(unlimited))) },
      totalTimeoutMs: settings.totalTimeoutMs,
      graceMs: settings.graceMs,
    },
    bodies as never,
  );
}

function unlimited(pool: string): [string, number] {
  return [pool, Number.POSITIVE_INFINITY];
}

function childOf(body: TaskDefinition['body']): FlowDefinition | undefined {
  const run = body.kind === 'map' ? body.item.body : body;
  return run.kind === 'flow' ? run.flow : undefined;
}

function optionsOf({ retry, timeoutMs, graceMs, skippable, pool }: ItemDefinition) {
  return { retry, timeoutMs, graceMs, skippable, pool };
}

/** The time that a task takes if nothing waits for a slot, apart from a map's own limit. */
function expectedMs({ id, body }: TaskDefinition, scripts: Scripts): number {
  const script = scripts.get(id);
  const child = childOf(body);
  const childMs = child && longestMs(child, script?.child ?? new Map());
  if (body.kind === 'sleep') return body.ms ?? script?.durationMs ?? 0;
  if (body.kind !== 'map') return childMs ?? script?.durationMs ?? 0;
  const { items = [] } = script ?? {};
  const longest = childMs ?? items.reduce((most, { durationMs }) => Math.max(most, durationMs), 0);
  return (
    longest *
    Math.ceil(items.length / Math.min(body.concurrency ?? Number.POSITIVE_INFINITY, items.length || 1))
  );
}

function longestMs(definition: FlowDefinition, scripts: Scripts): number {
  const durationOf = (task: number): number => expectedMs(definition.tasks[task] as TaskDefinition, scripts);
  return remainingPaths(definition, durationOf).reduce((most, ms) => Math.max(most, ms), 0);
}

/** A wait as it is simulated: a value comes after the duration of its task, unless its time is over before. */
function waitOf(
  task: Waiting,
  body: WaitBody,
  script: TaskScript | undefined,
): GraphTask & { readonly id: string } {
  const { id, dependsOn, triggerRule, optional, when, timeoutMs = Number.POSITIVE_INFINITY } = task;
  const common = { id, dependsOn, triggerRule, optional, ...(when !== undefined && { when }) };
  const comesMs = script?.durationMs ?? 0;
  if (body.kind === 'sleep') return { ...common, sleep: body.ms ?? comesMs };
  if (comesMs <= timeoutMs) return { ...common, sleep: comesMs };
  return { ...common, timeoutMs, waitFor: { onTimeout: body.onTimeout } };
}

type Waiting = Pick<TaskDefinition, 'id' | 'dependsOn' | 'triggerRule' | 'optional' | 'timeoutMs'> &
  Pick<GraphTask, 'when'>;
