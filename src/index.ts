// Flows.

// Engines and runs.
export type { RunResult } from '../machines/orchestrator.ts';
export { createEngine, type Engine, type EngineOptions } from './create-engine.ts';
export type { Subscription } from './engine/emitter.ts';
export type { StartOptions, StopOptions } from './engine/engine.ts';
export type { EntryOf, EventsOptions, Run, RunActor } from './engine/run.ts';
export type { RunCommand } from './engine/run-command.ts';
export type { FlowLogic } from './engine/run-logic.ts';
export {
  createFlow,
  createFlowFromGraph,
  type Flow,
  type FlowOptions,
  type GraphBodies,
  isFlow,
} from './flow.ts';
export type { Clock } from './model/clock.ts';
export type { TaskSettings } from './model/definition.ts';
// Errors: thrown by bodies, and thrown by topple.
export {
  CancelledError,
  EngineStoppedError,
  type ErrorView,
  FatalError,
  FlowError,
  type FlowErrorCode,
  InputError,
  type Issue,
  OutputError,
  RetryAfterError,
  RunFailedError,
  SkipTask,
  StoreConflictError,
  type TaskFailure,
  TimeoutError,
} from './model/error.ts';
export type { Graph, ReachOptions } from './model/graph.ts';
export type { GraphBackoff, GraphDefinition, GraphRetry, GraphTask } from './model/graph-definition.ts';
// What is known of a run.
export type { Entry, RunEntry, RunSettings, TaskEntry } from './model/journal.ts';
export type { Logger } from './model/logger.ts';
export type { Outcome, PerformScope } from './model/perform.ts';
export type { Backoff, FailureInfo, RetryPolicy } from './model/retry.ts';
export type { Schema } from './model/schema.ts';
export type { Cause, RunStatus, SettledRunStatus, SettledStatus, TaskStatus } from './model/status.ts';
export { type TriggerRule, triggerRules } from './model/trigger-rule.ts';
export type { RunView, TaskView } from './model/view.ts';
// Where it is kept.
export { createMemoryStore } from './store/memory.ts';
export type { RunFilter, RunSummary, Store } from './store/store.ts';
