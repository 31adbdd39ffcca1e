import type { FlowDefinition } from '../model/definition.ts';
import { journalVersion, type RunSettings } from '../model/journal.ts';
import type { ModelFact } from './flow-world.ts';

/** An entry as the journal is to have it, by what a path says; but for its `seq`. */
export type ExpectedEntry = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly at: number;
};

/** What is said on a path beside what the model knows of it: values, errors, reasons. */
export interface Said {
  readonly runId: string;
  readonly input: unknown;
  readonly settings: RunSettings;
  /** What the run returns, where the flow says how it is made. */
  readonly result: unknown;
  /** Why the run was cancelled. */
  readonly reason: unknown;
  outputOf(task: number): unknown;
  /** What a task's last attempt failed with. */
  failureOf(task: number): object | undefined;
  /** When a task that has just failed is due again. */
  retryAt(task: number): number;
}

/** What a body says of how far it is. */
export const saidProgress = { fraction: 0.5, note: 'half' } as const;

/** Why a task skips itself. */
export const saidOfSkip = 'told to skip';

/** Makes a fact of the model, which knows no values and no time, the entry that is to come of it. */
export function expectEntry(
  { task, fact }: ModelFact,
  at: number,
  definition: FlowDefinition,
  said: Said,
): ExpectedEntry {
  const taskId = task < 0 ? {} : { taskId: definition.graph.ids[task] };
  const entry: ExpectedEntry = { ...fact, ...taskId, at, runId: said.runId };
  switch (fact.type) {
    case 'run.started': {
      const settings = Object.keys(said.settings).length > 0 ? said.settings : undefined;
      const flow = { version: journalVersion, flow: definition.name, flowHash: definition.hash };
      return { ...entry, ...flow, input: said.input, settings };
    }
    case 'run.cancelling':
    case 'run.cancelled':
    case 'task.cancelled':
      return { ...entry, reason: said.reason };
    case 'run.done':
      return { ...entry, output: said.result };
    case 'task.progress':
      return { ...entry, ...saidProgress };
    case 'task.retrying':
      return { ...entry, retryAt: said.retryAt(task), error: said.failureOf(task) };
    case 'task.done':
      return { ...entry, output: said.outputOf(task) };
    case 'task.failed':
      return { ...entry, error: said.failureOf(task) };
    case 'task.skipped':
      return { ...entry, reason: fact.cause === undefined ? saidOfSkip : undefined };
    default:
      return entry;
  }
}
