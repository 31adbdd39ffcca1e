/** Statuses of a task. Each is a tag of the states of the task machine that show as it. The last five are final. */
export type TaskStatus =
  | 'pending'
  | 'waiting'
  | 'running'
  | 'retrying'
  | 'done'
  | 'failed'
  | 'skipped'
  | 'upstream_failed'
  | 'cancelled';

/** A task's final statuses. */
export type SettledStatus = Extract<
  TaskStatus,
  'done' | 'failed' | 'skipped' | 'upstream_failed' | 'cancelled'
>;

/** Statuses of a run. Each is a tag of the states of the orchestrator that show as it. The last three are final. */
export type RunStatus = 'running' | 'paused' | 'cancelling' | 'done' | 'failed' | 'cancelled';

/** A run's final statuses. */
export type SettledRunStatus = Extract<RunStatus, 'done' | 'failed' | 'cancelled'>;

/**
 * Why a task or a run ended as it did.
 *
 * - `exhausted`: the attempts, or the time for them, are used up
 * - `fatal`: the error said that a retry is useless
 * - `timeout`: a time limit passed
 * - `input`, `output`: a schema refused the value, or the function that makes it threw
 * - `cancelled`: requested by a person or a program
 * - `upstream`: a dependency failed · `rule`: the trigger rule said skip
 * - `lost`: the process that ran it is gone
 * - `tolerance`: more items of a map failed than it tolerates
 * - `condition`: the task's condition said no, or threw
 */
export type Cause =
  | 'exhausted'
  | 'fatal'
  | 'timeout'
  | 'input'
  | 'output'
  | 'cancelled'
  | 'upstream'
  | 'rule'
  | 'lost'
  | 'tolerance'
  | 'condition';

/** Whether a task of this status has ended. */
export function isSettled(status: TaskStatus): status is SettledStatus {
  return status !== 'pending' && status !== 'waiting' && status !== 'running' && status !== 'retrying';
}

/** Whether a run of this status has ended. */
export function isSettledRun(status: RunStatus): status is SettledRunStatus {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}
