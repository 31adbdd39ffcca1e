import { rootIdOf } from '../../model/child-id.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import type { Entry } from '../../model/journal.ts';
import type { Body, PerformScope } from '../../model/perform.ts';
import { type MakeInput, replaceBodies } from '../../model/replace-bodies.ts';
import { taskPath } from '../../model/task-path.ts';
import type { Supervisor } from './supervisor.ts';

/** A flow that reports its bodies to a supervisor. */
export interface ToldFlow {
  readonly definition: FlowDefinition;
  /** Takes each event of the run; for some bodies only events tell the end. */
  apply(entry: Entry): void;
}

/** The engine's default, if neither the flow nor a task sets one. */
const defaultGraceMs = 5_000;

/**
 * Reports that the run begins, with its time limit and the longest grace of a body, and returns the flow with bodies
 * that report their beginning and end, in its child runs too, as does what makes the inputs of these and the lists of maps.
 *
 * @param isOneRun whether the flow has no other run here: then a task's id is enough of a name
 */
export function tellRunning(
  definition: FlowDefinition,
  limitMs: number | undefined,
  supervisor: Supervisor,
  isOneRun = true,
): ToldFlow {
  /** The current attempt of each running task, by its name. */
  const running = new Map<string, number>();
  supervisor.tell({
    type: 'started',
    graceMs: longestGrace(definition),
    limitMs: limitMs ?? definition.settings.totalTimeoutMs,
  });
  return { definition: replaceBodies(definition, told, toldWhile), apply };

  function told(body: Body): Body {
    if (body.kind === 'actor')
      return {
        ...body,
        input: (scope) => {
          begin(scope);
          return body.input?.(scope);
        },
      };
    return { kind: 'perform', perform: toldWhile(body.perform) };
  }

  function toldWhile(perform: MakeInput): MakeInput {
    return (scope) => {
      begin(scope);
      const name = nameOf(scope);
      const settle = (): void => end(name, scope.attempt);
      try {
        const result = perform(scope);
        // Calling `then` of anything else may repeat its work; for these, events tell the end.
        if (result instanceof Promise) result.then(settle, settle);
        else if (!mayBeThenable(result)) settle();
        return result;
      } catch (error) {
        settle();
        throw error;
      }
    };
  }

  function nameOf({ runId, taskId }: Pick<PerformScope, 'runId' | 'taskId'>): string {
    const path = taskPath(runId, taskId);
    return isOneRun ? path : `${rootIdOf(runId)}/${path}`;
  }

  function begin(scope: PerformScope): void {
    const name = nameOf(scope);
    running.set(name, scope.attempt);
    supervisor.tell({ type: 'begun', taskId: name });
  }

  function end(name: string, attempt: number): void {
    if (running.get(name) !== attempt) return;
    running.delete(name);
    supervisor.tellSoon({ type: 'ended', taskId: name });
  }

  function apply(entry: Entry): void {
    if (!('taskId' in entry)) return;
    const { type } = entry;
    const task = nameOf(entry);
    if (type === 'task.retrying') end(task, entry.attempt);
    else if (settled.has(type)) end(task, running.get(task) ?? 0);
  }
}

/** The longest grace of a body, those of child runs included. */
function longestGrace({ settings, tasks }: FlowDefinition): number {
  const flowGraceMs = settings.graceMs ?? defaultGraceMs;
  return tasks.reduce((most, { body, graceMs = flowGraceMs }) => {
    const item = body.kind === 'map' ? body.item : undefined;
    const run = item?.body ?? body;
    const own = run.kind === 'flow' ? longestGrace(run.flow) : (item?.graceMs ?? graceMs);
    return Math.max(most, own);
  }, 0);
}

function mayBeThenable(value: unknown): boolean {
  const hasKeys = typeof value === 'function' || (typeof value === 'object' && value !== null);
  return hasKeys && 'then' in value;
}

const settled: ReadonlySet<string> = new Set(['task.done', 'task.failed', 'task.skipped', 'task.cancelled']);
