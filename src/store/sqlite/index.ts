export type { ErrorView } from '../../model/error.ts';
export type { BodyOutline, FlowLimits, FlowOutline, TaskOutline } from '../../model/flow-outline.ts';
// Parts of the types below: declarations inferred from those name these.
export type {
  ChildCounts,
  ChildEnd,
  ChildUndo,
  Entry,
  FlowChange,
  ParentTask,
  RunEntry,
  RunFact,
  RunSettings,
  Stamp,
  TaskDelivered,
  TaskEntry,
  TaskFact,
  TaskRerun,
  TaskUndoFailed,
  TaskUndone,
} from '../../model/journal.ts';
export type { Cause, RunStatus, SettledRunStatus } from '../../model/status.ts';
export type { ClaimedRun, ClaimOptions, RunRequest, SharedStore, StoreWatcher } from '../shared.ts';
export type {
  Append,
  EntrySource,
  MaybePromise,
  RunFilter,
  RunSummary,
  Store,
  ValueFormat,
} from '../store.ts';
export { type Codec, createValueFormat } from '../values.ts';
// The store.
export type { SqliteStoreOptions } from './options.ts';
export { createSqliteStore, type SqliteStore } from './sqlite-store.ts';
