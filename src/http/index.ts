// The background of a server, and its tasks.
export { type Background, createBackground } from './background.ts';
export { type TaskOwner, taskScope } from './context.ts';
export { createTask, type TaskFunction, type TaskFunctionOptions } from './create-task.ts';
export type { Delivery, ResponseHooks } from './delivery.ts';
export type { DrainOptions, DrainReport, Leftover } from './drain.ts';
export { ArgumentsError, BusyError, IdempotencyError, ResponseSentError } from './error.ts';
export { createHealthHandler, type Health, type HealthHandler } from './health.ts';
export type { IdempotencyOptions, KeyedRequest, RunKey } from './idempotency.ts';
export type { BackgroundOptions, RouteOptions, TasksPolicy, TasksStartOptions } from './options.ts';
// Watching runs.
export type { Authorize, RunsAccess, RunsVerdict, VisibleRun } from './runs/access.ts';
export { bearerToken } from './runs/bearer-token.ts';
export { createRunsHandler, type RunsHandler, type RunsHandlerOptions } from './runs/handler.ts';
export type { ListedRun, RunList } from './runs/list.ts';
export type { MountingOptions } from './runs/mounting.ts';
export type { RunsAction, RunsCommand } from './runs/route.ts';
export type { ResponseProgress } from './stalls.ts';
export type {
  ActorTask,
  CommonTask,
  Dependency,
  DependencyId,
  DependencyOutput,
  DependencyOutputs,
  PerformTask,
  TaskDepsOf,
  TaskHandle,
  TaskScopeOf,
} from './task-types.ts';
export type { BackgroundTasks } from './tasks.ts';
