import { childJournalVersion, type FlowDefinition } from '../../model/definition.ts';
import type { ParentTask, RunSettings } from '../../model/journal.ts';
import type { ModelFact } from '../model/situation.ts';

/** An entry that a path expects in the journal, without its `seq`. */
export type ExpectedEntry = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly at: number;
};

/** The values, errors and reasons that a path adds to the facts of the model. */
export interface Said {
  readonly runId: string;
  readonly input: unknown;
  readonly settings: RunSettings;
  /** Whether what happens is told by the run above. */
  readonly isFromAbove: boolean;
  /** Of a child run. */
  readonly above: { readonly parent: () => ParentTask; readonly continues: string | undefined } | undefined;
  /** The run's result, if the flow says how it is made. */
  readonly result: unknown;
  /** The reason why the run was cancelled. */
  readonly reason: unknown;
  outputOf(task: number): unknown;
  deliveryOf(task: number): unknown;
  /** The instants until which a task waits. */
  waitOf(task: number): object;
  /** How many tasks of a task's child have settled, and how; `undefined` if it has none. */
  countsOf(task: number): object | undefined;
  /** The error of a task's last attempt. */
  failureOf(task: number): object | undefined;
  /** The error of a task's undo. */
  undoFailureOf(task: number): object | undefined;
  /** The instant of a failed task's retry. */
  retryAt(task: number): number;
}

/** The progress that a body reports. */
export const saidProgress = { fraction: 0.5, note: 'half' } as const;

/** The key of each delivery: a rerun forgets it. */
export const saidKey = 'told';

/** The reason why a task skips itself. */
export const saidOfSkip = 'told to skip';

/** Makes a fact of the model, which has no values and no time, into the entry that is expected of it. */
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
      const version = said.above === undefined ? definition.journalVersion : childJournalVersion(definition);
      const flow = { version, flow: definition.name, flowHash: definition.hash };
      const { above } = said;
      const child = above && { parent: above.parent(), continues: above.continues };
      return { ...entry, ...flow, input: said.input, settings, ...child };
    }
    case 'run.cancelling':
      return { ...entry, reason: said.reason, parent: said.isFromAbove ? said.above?.parent() : undefined };
    case 'run.compensating':
    case 'run.cancelled':
      return { ...entry, reason: said.reason };
    case 'task.cancelled':
      return { ...entry, reason: said.reason, child: said.countsOf(task) };
    case 'run.done':
      return { ...entry, output: said.result };
    case 'task.progress':
      return { ...entry, ...saidProgress };
    case 'task.waiting':
      return { ...entry, ...said.waitOf(task) };
    case 'task.delivered':
      return { ...entry, value: said.deliveryOf(task), key: saidKey };
    case 'task.retrying':
      return {
        ...entry,
        retryAt: said.retryAt(task),
        error: said.failureOf(task),
        child: said.countsOf(task),
      };
    case 'task.done':
      return { ...entry, output: said.outputOf(task), child: said.countsOf(task) };
    case 'task.failed':
      return { ...entry, error: said.failureOf(task), child: said.countsOf(task) };
    case 'task.undo_failed':
      return { ...entry, error: said.undoFailureOf(task) };
    case 'task.skipped':
      return { ...entry, reason: fact.cause === undefined ? saidOfSkip : undefined };
    case 'task.rerun':
      return { ...entry, parent: said.above?.parent() };
    default:
      return entry;
  }
}
