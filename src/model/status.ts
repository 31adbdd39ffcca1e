/** States of a task, named as in its machine. The last five are final. */
export type TaskStatus =
  | 'pending'
  | 'running'
  | 'retrying'
  | 'done'
  | 'failed'
  | 'skipped'
  | 'upstream_failed'
  | 'cancelled';

/** A task's final states. */
export type SettledStatus = Extract<
  TaskStatus,
  'done' | 'failed' | 'skipped' | 'upstream_failed' | 'cancelled'
>;

/** States of a run, named as in the orchestrator. The last three are final. */
export type RunStatus = 'running' | 'paused' | 'cancelling' | 'done' | 'failed' | 'cancelled';

/** A run's final states. */
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
  | 'lost';

/** Whether a task in this state has ended. */
export function isSettled(status: TaskStatus): status is SettledStatus {
  return status !== 'pending' && status !== 'running' && status !== 'retrying';
}

/** Whether a run in this state has ended. */
export function isSettledRun(status: RunStatus): status is SettledRunStatus {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}
