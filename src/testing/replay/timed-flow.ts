import type { FailureInfo } from '../../model/backoff.ts';
import {
  FlowDefinition,
  type ItemDefinition,
  isChildBody,
  isWaitBody,
  type TaskBody,
  type TaskDefinition,
} from '../../model/definition.ts';
import type { RunSettings } from '../../model/journal.ts';
import type { ConditionScope, Perform, PerformScope, UndoScope } from '../../model/perform.ts';
import type { RetryPolicy, RetryQuestion } from '../../model/retry.ts';
import { exploredTolerance } from '../model/child-flow.ts';
import type { Real } from './path-says.ts';
import { neverMs, type Timetable } from './timetable.ts';

/** The bodies of a flow for one path, and the answers for its retry policies. */
export interface PathBodies extends Real {
  /** The limits and waits of its run; `undefined` if several runs have the same, of which none passes. */
  timetable(): Timetable | undefined;
  now(): number;
  /** Called for each attempt; `undefined` for an item of a map, which its scope names. */
  perform(task: number | undefined): Perform;
  /** The wait after a failure; `undefined` for an item of a map. */
  backoff(task: number | undefined, failure: FailureInfo): number;
  /** Whether a failure is to be retried. */
  retryIf(task: number | undefined, error: unknown, question: RetryQuestion): boolean;
  /** Asks whether a task runs. */
  ask(task: number, scope: ConditionScope): Promise<boolean>;
  /** Called for each attempt to undo a task. */
  undo(task: number, scope: UndoScope): Promise<unknown>;
  /** Makes the input of a task's child. */
  inputOf(scope: PerformScope): unknown;
  /** The bodies of the child of a task. */
  inside(task: number): PathBodies;
}

/**
 * Makes the flow that the engine sees: its limits and waits are those that the timetable has at the instant at which
 * they are asked for, and checks of values or errors that are not real are left out. The flows of its tasks' children are
 * made so too.
 *
 * @param said the settings of the run itself: there the flow says something else, which must be ignored
 */
export function timedDefinition(
  definition: FlowDefinition,
  bodies: PathBodies,
  said: RunSettings = {},
): FlowDefinition {
  const { settings, graph, name } = definition;
  const { now } = bodies;
  // A task without a grace has the flow's, which is asked for next.
  let withoutGrace: number | undefined;
  const tasks = definition.tasks.map(
    (task, index): TaskDefinition => ({
      ...task,
      output: bodies.isReal(index) ? task.output : undefined,
      body: bodyOf(task.body, index, bodies),
      compensate: task.compensate && {
        ...task.compensate,
        perform: (scope) => bodies.undo(index, scope),
      },
      retry: retryOf(task.retry, index, bodies),
      // A limit always sets a timer, even if the path never reaches it.
      when: task.when && ((scope: ConditionScope) => bodies.ask(index, scope)),
      get timeoutMs() {
        if (isWaitBody(task.body)) return waitOf(task.timeoutMs, index, bodies);
        return bodies.timetable()?.timeoutMs(index, now()) ?? never(task.timeoutMs);
      },
      get totalTimeoutMs() {
        return bodies.timetable()?.expiresMs(index, now()) ?? never(task.totalTimeoutMs);
      },
      get graceMs() {
        withoutGrace = task.graceMs === undefined ? index : undefined;
        return task.graceMs === undefined ? undefined : graceOf(bodies, index);
      },
    }),
  );
  const allReal = bodies.hasInput && tasks.every((_, index) => bodies.isReal(index));
  return new FlowDefinition(
    name,
    {
      ...settings,
      input: bodies.hasInput ? settings.input : undefined,
      output: allReal ? settings.output : undefined,
      concurrency: said.concurrency === undefined ? settings.concurrency : 1,
      get totalTimeoutMs() {
        if (said.totalTimeoutMs !== undefined) return 1;
        return bodies.timetable()?.runMs(now()) ?? never(settings.totalTimeoutMs);
      },
      get graceMs() {
        return withoutGrace === undefined ? neverMs : graceOf(bodies, withoutGrace);
      },
    },
    tasks,
    graph,
  );
}

function bodyOf(body: TaskBody, task: number, bodies: PathBodies): TaskBody {
  if (body.kind === 'waitFor') return { ...body, schema: undefined };
  if (body.kind === 'sleep')
    return {
      kind: 'sleep',
      get ms() {
        return waitOf(0, task, bodies);
      },
      until: undefined,
    };
  if (!isChildBody(body)) return { kind: 'perform', perform: bodies.perform(task) };
  const inside = bodies.inside(task);
  const input = (scope: PerformScope): unknown => bodies.inputOf(scope);
  if (body.kind === 'flow') return { ...body, flow: timedDefinition(body.flow, inside), input };
  const { item, concurrency } = body;
  return {
    kind: 'map',
    over: bodies.perform(task),
    item: itemOf(item, inside),
    concurrency,
    tolerate: exploredTolerance(body),
  };
}

function itemOf(item: ItemDefinition, bodies: PathBodies): ItemDefinition {
  const { body, retry, timeoutMs } = item;
  return {
    ...item,
    output: undefined,
    retry: retryOf(retry, undefined, bodies),
    timeoutMs: never(timeoutMs),
    graceMs: neverMs,
    body:
      body.kind === 'perform'
        ? { kind: 'perform', perform: bodies.perform(undefined) }
        : {
            ...body,
            flow: timedDefinition(body.flow, bodies.inside(0)),
            input: (scope) => bodies.inputOf(scope),
          },
  };
}

function retryOf(retry: RetryPolicy | undefined, task: number | undefined, bodies: PathBodies): RetryPolicy {
  return {
    maxAttempts: retry?.maxAttempts ?? 1,
    backoff: (failure) => bodies.backoff(task, failure),
    retryIf: (error, asked) => bodies.retryIf(task, error, asked),
  };
}

function graceOf(bodies: PathBodies, task: number): number {
  return bodies.timetable()?.graceMs(task, bodies.now()) ?? neverMs;
}

function never(limitMs: number | undefined): number | undefined {
  return limitMs === undefined ? undefined : neverMs;
}

/** How long a task that has just become ready waits at most, if it waits for the clock at all. */
function waitOf(limitMs: number | undefined, task: number, bodies: PathBodies): number | undefined {
  if (limitMs === undefined || limitMs === Number.POSITIVE_INFINITY) return undefined;
  return bodies.timetable()?.longestWaitMs(task, bodies.now()) ?? neverMs;
}
