// Flows.

export type {
  ChildInput,
  ChildOptions,
  ElementOf,
  FlowMapOptions,
  FlowTaskOptions,
  GivenInputOf,
  ItemInput,
  MapOptions,
  PerformMapOptions,
} from './child-types.ts';
export type { ActorInput, GivenInput, TakenInput } from './flow.ts';
export {
  createFlow,
  createFlowFromGraph,
  type Flow,
  type FlowOptions,
  isFlow,
} from './flow.ts';
export type { FixedIds, IsListed, KnownIds, LooseId, RestIds, TextId } from './flow-ids.ts';
export type {
  Absence,
  AbsenceIn,
  AbsenceOf,
  ActorOptions,
  Added,
  AddedFlow,
  AddedMap,
  Answers,
  AnyFlow,
  BodiesFor,
  BodiesInside,
  BodyFor,
  ByTask,
  CommonOptions,
  ConditionOption,
  DepsOf,
  DoneDeps,
  FlowBodyFor,
  FlowLike,
  FlowTypes,
  InnerOf,
  InputOf,
  ItemScopeIn,
  Later,
  Listed,
  MapBodyFor,
  NoRun,
  OutcomesOf,
  OutputOf,
  OutputsOf,
  PerformOptions,
  ResultOf,
  ReturnedBy,
  ScopeIn,
  SkipsBy,
  StartArguments,
} from './flow-types.ts';
export type {
  GraphBodies,
  GraphBodiesById,
  GraphBody,
  GraphDeps,
  GraphIds,
  GraphOutput,
  GraphPerform,
  GraphTaskOf,
  GraphTasks,
  IsSureGraph,
  ListOf,
  MayMiss,
  NoOthers,
} from './graph-types.ts';
export type {
  ChildBody,
  DeliveryBody,
  FlowBody,
  FlowDefinition,
  FlowSettings,
  ItemBody,
  ItemDefinition,
  MapBody,
  OnTimeout,
  SleepBody,
  TaskBody,
  TaskDefinition,
  TaskSettings,
  Tolerance,
  WaitBody,
} from './model/definition.ts';
export type { BodyOutline, FlowLimits, FlowOutline, TaskOutline } from './model/flow-outline.ts';
export type { Graph, ReachOptions } from './model/graph.ts';
export type {
  GraphBackoff,
  GraphDefinition,
  GraphRetry,
  GraphTask,
  GraphWait,
} from './model/graph-definition.ts';
export type {
  Body,
  Condition,
  ConditionScope,
  ItemScope,
  Outcome,
  Perform,
  PerformScope,
  WaitScope,
} from './model/perform.ts';
export type { Backoff, BackoffStrategy, FailureInfo, RetryPolicy, RetryQuestion } from './model/retry.ts';
export type { Schema, SchemaInput, SchemaIssue, SchemaOutput, SchemaResult } from './model/schema.ts';
export {
  type RuleOfFailure,
  type RuleThatNeverSkips,
  type SkippedBy,
  type TriggerRule,
  triggerRules,
} from './model/trigger-rule.ts';
export type {
  AwaitedOf,
  DeliveryOptions,
  LateOption,
  SkipsLate,
  SleepOptions,
  WaitOptions,
} from './wait-types.ts';

// Engines and runs.

export type { RunResult } from '../machines/index.ts';
export { createEngine, type Engine, type EngineOptions } from './create-engine.ts';
export type { DeepEntry } from './engine/deep-path.ts';
export type { Subscription } from './engine/emitter.ts';
export type {
  EngineSettings,
  ForkOptions,
  RecoverOptions,
  StartOptions,
  StopOptions,
} from './engine/engine-options.ts';
export type {
  DeepOptions,
  EntriesOptions,
  EntryOf,
  EventsOptions,
  Run,
  RunActor,
  ViewOptions,
} from './engine/run.ts';
export type { RunCommand } from './engine/run-command.ts';
export type { FlowLogic, RunMachine, RunsFlow } from './engine/run-logic.ts';
export type { RunSnapshot, RunState } from './engine/run-snapshot.ts';
export type { BodyLine, EngineWatcher } from './engine/watchers.ts';
export type { Clock } from './model/clock.ts';
export type { Delivered, DeliverOptions } from './model/delivery.ts';
export type { Logger } from './model/logger.ts';

// What a run records and shows.

export type { EntryVisitor, Step } from './model/entry-list.ts';
export type {
  ChildCounts,
  ChildEnd,
  Entry,
  FlowChange,
  JournalVersion,
  ParentTask,
  RunEntry,
  RunFact,
  RunSettings,
  Stamp,
  TaskDelivered,
  TaskEntry,
  TaskFact,
  TaskRerun,
} from './model/journal.ts';
export type { Cause, RunStatus, SettledRunStatus, SettledStatus, TaskStatus } from './model/status.ts';
export type { ChildView, DeliveryView, RunView, TaskView } from './model/view.ts';

// Errors: those that bodies throw, and those that topple throws.

export type { FlowErrorDetails } from './model/error.ts';
export {
  CancelledError,
  DeliveryError,
  type DeliveryErrorCode,
  EngineStoppedError,
  type ErrorView,
  FatalError,
  FlowError,
  type FlowErrorCode,
  InputError,
  type Issue,
  JournalError,
  type JournalErrorCode,
  type JournalErrorDetails,
  NotUnderWayError,
  OutputError,
  RetryAfterError,
  RunFailedError,
  SkipTask,
  StoreConflictError,
  StoreError,
  type StoreErrorCode,
  type TaskFailure,
  TimeoutError,
  ValueError,
} from './model/error.ts';

// Stores.

export { createMemoryStore, type MemoryStore } from './store/memory.ts';
export type {
  Append,
  EntrySource,
  MaybePromise,
  RunFilter,
  RunSummary,
  Store,
  ValueFormat,
} from './store/store.ts';
