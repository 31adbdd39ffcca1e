import { lazyOrchestratorMachine } from './orchestrator.ts';
import { lazyTaskMachine } from './task.ts';

export type { ErrorView, TaskFailure } from '../src/model/error.ts';
export { createGraph, type Graph, type ReachOptions, type TimedTask } from '../src/model/graph.ts';
export type { TaskNode } from '../src/model/graph-rows.ts';
export type {
  ChildCounts,
  ChildEnd,
  ChildUndo,
  ParentTask,
  RunFact,
  RunSettings,
  TaskFact,
} from '../src/model/journal.ts';
export { Ledger, type LedgerStatus, type Plan, type Verdict } from '../src/model/ledger.ts';
export type { Cause, RunStatus, SettledRunStatus, SettledStatus, TaskStatus } from '../src/model/status.ts';
export type { Decision, TriggerRule } from '../src/model/trigger-rule.ts';
export type {
  NoParams,
  OrchestratorContext,
  OrchestratorEffects,
  OrchestratorEvent,
  OrchestratorInput,
  OrchestratorState,
  RunResult,
} from './orchestrator.ts';
export type {
  Ending,
  TaskContext,
  TaskEffects,
  TaskEvent,
  TaskInput,
} from './task.ts';

/** The machine of a run: gives each task its verdict as soon as its trigger rule is certain, and ends when all have settled. */
export const orchestratorMachine = lazyOrchestratorMachine();

/** The machine of a task: from its verdict through its attempts to one of five endings. */
export const taskMachine = lazyTaskMachine();
