import type { FailureInfo } from '../../model/backoff.ts';
import { FlowDefinition, type TaskDefinition } from '../../model/definition.ts';
import type { RunSettings } from '../../model/journal.ts';
import type { Perform } from '../../model/perform.ts';
import type { RetryQuestion } from '../../model/retry.ts';
import type { Real } from './path-says.ts';
import { neverMs, type Timetable } from './timetable.ts';

/** The bodies of a flow for one path, and the answers for its retry policies. */
export interface PathBodies extends Real {
  /** Called for each attempt. */
  perform(task: number): Perform;
  /** The wait after a failure. */
  backoff(task: number, failure: FailureInfo): number;
  /** Whether a failure is to be retried. */
  retryIf(task: number, error: unknown, question: RetryQuestion): boolean;
}

/**
 * Makes the flow that the engine sees: its limits and waits are those that the timetable has at the instant at which
 * they are asked for, and checks of values or errors that are not real are left out.
 *
 * @param said the settings of the run itself: there the flow says something else, which must be ignored
 */
export function timedDefinition(
  definition: FlowDefinition,
  timetable: Timetable,
  now: () => number,
  bodies: PathBodies,
  said: RunSettings,
): FlowDefinition {
  const { settings, graph, name } = definition;
  // A task without a grace has the flow's, which is asked for next.
  let withoutGrace: number | undefined;
  const tasks = definition.tasks.map((task, index): TaskDefinition => {
    const backoff = (failure: FailureInfo): number => bodies.backoff(index, failure);
    const retryIf = (error: unknown, asked: RetryQuestion): boolean => bodies.retryIf(index, error, asked);
    return {
      ...task,
      output: bodies.isReal(index) ? task.output : undefined,
      body: { kind: 'perform', perform: bodies.perform(index) },
      retry: { maxAttempts: task.retry?.maxAttempts ?? 1, backoff, retryIf },
      // A limit always sets a timer, even if the path never reaches it.
      get timeoutMs() {
        return timetable.timeoutMs(index, now()) ?? (task.timeoutMs === undefined ? undefined : neverMs);
      },
      get totalTimeoutMs() {
        return timetable.expiresMs(index, now()) ?? (task.totalTimeoutMs === undefined ? undefined : neverMs);
      },
      get graceMs() {
        withoutGrace = task.graceMs === undefined ? index : undefined;
        return task.graceMs === undefined ? undefined : timetable.graceMs(index, now());
      },
    };
  });
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
        return timetable.runMs(now()) ?? (settings.totalTimeoutMs === undefined ? undefined : neverMs);
      },
      get graceMs() {
        return withoutGrace === undefined ? neverMs : timetable.graceMs(withoutGrace, now());
      },
    },
    tasks,
    graph,
  );
}
