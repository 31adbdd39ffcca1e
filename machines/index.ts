export type { ErrorView, TaskFailure } from '../src/model/error.ts';
export { createGraph, type Graph, type ReachOptions, type TimedTask } from '../src/model/graph.ts';
export type { TaskNode } from '../src/model/graph-rows.ts';
export type { RunFact, RunSettings, TaskFact } from '../src/model/journal.ts';
export { Ledger, type LedgerStatus, type Plan, type Verdict } from '../src/model/ledger.ts';
export type { Cause, RunStatus, SettledRunStatus, SettledStatus, TaskStatus } from '../src/model/status.ts';
export type { Decision, TriggerRule } from '../src/model/trigger-rule.ts';
export {
  type NoParams,
  type OrchestratorContext,
  type OrchestratorEffects,
  type OrchestratorEvent,
  type OrchestratorInput,
  type OrchestratorState,
  orchestratorMachine,
  type RunResult,
} from './orchestrator.ts';
export {
  type Ending,
  type TaskContext,
  type TaskEffects,
  type TaskEvent,
  type TaskInput,
  taskMachine,
} from './task.ts';
