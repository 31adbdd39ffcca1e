import { FlowDefinition, type TaskDefinition } from '../../model/definition.ts';
import type { Entry } from '../../model/journal.ts';
import type { Body, PerformScope } from '../../model/perform.ts';
import type { Supervisor } from './supervisor.ts';

/** A flow that tells a supervisor of its bodies. */
export interface ToldFlow {
  readonly definition: FlowDefinition;
  /** Takes each event of the run: of some bodies only these tell the end. */
  apply(entry: Entry): void;
}

/** The engine's own, where neither the flow nor a task says one. */
const defaultGraceMs = 5_000;

/**
 * Tells that the run begins, with its time limit and the longest grace that a body has, and gives the flow with bodies
 * that tell before they are called and when they have ended.
 */
export function tellRunning(
  definition: FlowDefinition,
  limitMs: number | undefined,
  supervisor: Supervisor,
): ToldFlow {
  /** The attempt that each running task is in. */
  const running = new Map<string, number>();
  const { name, settings, graph } = definition;
  const flowGraceMs = settings.graceMs ?? defaultGraceMs;
  const graceMs = definition.tasks.reduce((most, task) => Math.max(most, task.graceMs ?? flowGraceMs), 0);
  supervisor.tell({ type: 'started', graceMs, limitMs: limitMs ?? settings.totalTimeoutMs });
  const tasks = definition.tasks.map((task): TaskDefinition => ({ ...task, body: told(task.body) }));
  return { definition: new FlowDefinition(name, settings, tasks, graph), apply };

  function told(body: Body): Body {
    if (body.kind === 'actor')
      return {
        ...body,
        input: (scope) => {
          begin(scope);
          return body.input?.(scope);
        },
      };
    return {
      kind: 'perform',
      perform: (scope) => {
        begin(scope);
        const { taskId, attempt } = scope;
        const settle = (): void => end(taskId, attempt);
        try {
          const result = body.perform(scope);
          // To call `then` of anything else may be to do its work again: the events tell its end.
          if (result instanceof Promise) result.then(settle, settle);
          else if (!mayBeThenable(result)) settle();
          return result;
        } catch (error) {
          settle();
          throw error;
        }
      },
    };
  }

  function begin({ taskId, attempt }: PerformScope): void {
    running.set(taskId, attempt);
    supervisor.tell({ type: 'begun', taskId });
  }

  function end(taskId: string, attempt: number): void {
    if (running.get(taskId) !== attempt) return;
    running.delete(taskId);
    supervisor.tellSoon({ type: 'ended', taskId });
  }

  function apply(entry: Entry): void {
    if (!('taskId' in entry)) return;
    const { type, taskId } = entry;
    if (type === 'task.retrying') end(taskId, entry.attempt);
    else if (settled.has(type)) end(taskId, running.get(taskId) ?? 0);
  }
}

function mayBeThenable(value: unknown): boolean {
  const hasKeys = typeof value === 'function' || (typeof value === 'object' && value !== null);
  return hasKeys && 'then' in value;
}

const settled: ReadonlySet<string> = new Set(['task.done', 'task.failed', 'task.skipped', 'task.cancelled']);
