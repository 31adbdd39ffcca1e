import type { Cause, SettledRunStatus } from './status.ts';

/** What is wrong with a definition. */
export type FlowErrorCode =
  | 'cycle'
  | 'unknown_dependency'
  | 'unknown_task'
  | 'duplicate_task'
  | 'bad_id'
  | 'bad_body'
  | 'bad_option'
  | 'flow_changed';

/** What a FlowError is about. */
export interface FlowErrorDetails {
  readonly flow?: string | undefined;
  readonly taskId?: string | undefined;
  /** The ids that the error is about. */
  readonly ids?: readonly string[] | undefined;
  /** A cycle, from its first task back to itself. */
  readonly path?: readonly string[] | undefined;
  readonly option?: string | undefined;
  readonly value?: unknown;
  /** What was probably meant. */
  readonly suggestion?: string | undefined;
}

/** A definition or an option that will not do; thrown where it is given. */
export class FlowError extends Error implements FlowErrorDetails {
  override readonly name = 'FlowError';
  readonly code: FlowErrorCode;
  declare readonly flow?: string | undefined;
  declare readonly taskId?: string | undefined;
  declare readonly ids?: readonly string[] | undefined;
  declare readonly path?: readonly string[] | undefined;
  declare readonly option?: string | undefined;
  declare readonly value?: unknown;
  declare readonly suggestion?: string | undefined;

  constructor(code: FlowErrorCode, message: string, details: FlowErrorDetails = {}) {
    super(message);
    this.code = code;
    Object.assign(this, details);
  }
}

/** One finding of a Standard Schema: what is wrong, and where. */
export interface Issue {
  readonly message: string;
  /** Keys from the outside in; empty for the value itself. */
  readonly path: readonly (string | number)[];
}

/** A run's input did not match the flow's schema. Nothing was started. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly flow: string;
  readonly issues: readonly Issue[];

  constructor(flow: string, issues: readonly Issue[], options?: ErrorOptions) {
    super(`Input of flow \`${flow}\` is not valid: ${describeIssues(issues)}`, options);
    this.flow = flow;
    this.issues = issues;
  }
}

/** A task's output did not match its schema: the task fails, cause `output`. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
  readonly taskId: string;
  readonly issues: readonly Issue[];

  constructor(taskId: string, issues: readonly Issue[], options?: ErrorOptions) {
    super(`Output of task \`${taskId}\` is not valid: ${describeIssues(issues)}`, options);
    this.taskId = taskId;
    this.issues = issues;
  }
}

/** Thrown by a body: fails its task at once, whatever its retry policy says. */
export class FatalError extends Error {
  override readonly name: string = 'FatalError';
}

/** Thrown by a body: its next attempt waits this long, whatever the backoff says. It still counts as an attempt. */
export class RetryAfterError extends Error {
  override readonly name: string = 'RetryAfterError';
  /** In milliseconds. */
  readonly waitMs: number;

  constructor(waitMs: number, message = `Try again in ${waitMs} ms`, options?: ErrorOptions) {
    super(message, options);
    this.waitMs = waitMs;
  }
}

/** Thrown by a body: its task ends `skipped`. */
export class SkipTask extends Error {
  override readonly name: string = 'SkipTask';

  constructor(reason = 'The task skipped itself', options?: ErrorOptions) {
    super(reason, options);
  }
}

/** An attempt, a task or a run took longer than it may. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  /** The option whose limit passed. */
  readonly option: 'timeoutMs' | 'totalTimeoutMs';
  readonly limitMs: number;

  constructor(what: string, option: 'timeoutMs' | 'totalTimeoutMs', limitMs: number) {
    super(`${what} took longer than its \`${option}\` of ${limitMs} ms`);
    this.option = option;
    this.limitMs = limitMs;
  }
}

/** Reason of an attempt's signal when its run is cancelled. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  /** What was given to `cancel`. */
  readonly reason: unknown;

  constructor(reason?: unknown) {
    super(reason === undefined ? 'The run was cancelled' : `The run was cancelled: ${textOf(reason)}`);
    this.reason = reason;
  }
}

/** The engine was stopped. Its unsettled runs stay in the store, for `engine.recover`. */
export class EngineStoppedError extends Error {
  override readonly name = 'EngineStoppedError';

  constructor(message = 'The engine was stopped before the run settled; `engine.recover` takes it up again') {
    super(message);
  }
}

/** A run that is already known, or an append that another engine was faster with. */
export class StoreConflictError extends Error {
  override readonly name = 'StoreConflictError';
  readonly runId: string;

  constructor(runId: string, message: string) {
    super(message);
    this.runId = runId;
  }
}

/** Why a run cannot go on from a journal. */
export type JournalErrorCode = 'malformed' | 'stale' | 'under_way';

export interface JournalErrorDetails {
  readonly runId?: string | undefined;
  /** Of `malformed`: the path to what is wrong, such as `run.entries[3].seq`. */
  readonly place?: string | undefined;
  /** Of `malformed`: what was found there. */
  readonly value?: unknown;
  /** Of `stale`: `seq` of the journal's last entry. */
  readonly seq?: number | undefined;
  /** Of `stale`: `seq` of the last entry that is known of the run. */
  readonly knownSeq?: number | undefined;
}

/** A persisted snapshot, or the journal of a store, that a run cannot go on from. No body has been called. */
export class JournalError extends Error implements JournalErrorDetails {
  override readonly name = 'JournalError';
  readonly code: JournalErrorCode;
  declare readonly runId?: string | undefined;
  declare readonly place?: string | undefined;
  declare readonly value?: unknown;
  declare readonly seq?: number | undefined;
  declare readonly knownSeq?: number | undefined;

  constructor(code: JournalErrorCode, message: string, details: JournalErrorDetails) {
    super(message);
    this.code = code;
    Object.assign(this, details);
  }
}

/** An error as views and journals show it. */
export interface ErrorView {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
}

/** A task whose failure failed its run. */
export interface TaskFailure {
  readonly taskId: string;
  readonly error: ErrorView;
  readonly cause?: Cause | undefined;
  /** Of an optional task: the first task that is not optional and could not run because of it. */
  readonly blocked?: string | undefined;
}

/** A run ended `failed` or `cancelled` where its outputs were asked for. */
export class RunFailedError extends Error {
  override readonly name = 'RunFailedError';
  readonly flow: string;
  readonly runId: string;
  readonly status: Exclude<SettledRunStatus, 'done'>;
  /**
   * Tasks that are not optional and failed themselves, and optional ones that kept such tasks from running; first
   * failure first. Not those that only followed.
   */
  readonly failures: readonly TaskFailure[];
  /** Why the run was cancelled, or the error of the run itself. */
  readonly reason?: unknown;

  constructor(
    flow: string,
    runId: string,
    status: Exclude<SettledRunStatus, 'done'>,
    failures: readonly TaskFailure[],
    reason?: unknown,
    options?: ErrorOptions,
  ) {
    super(`Run ${runId} of flow \`${flow}\` ${describeEnding(status, failures, reason)}`, options);
    this.flow = flow;
    this.runId = runId;
    this.status = status;
    this.failures = failures;
    this.reason = reason;
  }
}

/** Whatever was thrown, as plain data. Never throws, not even for an error whose `message` getter does. */
export function viewError(thrown: unknown): ErrorView {
  if (!isErrorLike(thrown))
    return { name: 'Error', message: `A value that is no error was thrown: ${textOf(thrown)}` };
  const name = readText(thrown, 'name') ?? 'Error';
  const message = readText(thrown, 'message') ?? 'The error could not be read';
  const stack = readText(thrown, 'stack');
  return stack === undefined ? { name, message } : { name, message, stack };
}

/** A value in a few words, for a sentence. Never throws. */
export function textOf(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (isErrorLike(value)) return readText(value, 'message') ?? 'an unreadable error';
    if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? 'an object';
    return String(value);
  } catch {
    return `an unreadable ${typeof value}`;
  }
}

function isErrorLike(value: unknown): value is object {
  try {
    return value instanceof Error || (typeof value === 'object' && value !== null && 'message' in value);
  } catch {
    return false;
  }
}

function readText(owner: object, key: string): string | undefined {
  try {
    const value: unknown = Reflect.get(owner, key);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function describeIssues(issues: readonly Issue[]): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}

function describeEnding(status: string, failures: readonly TaskFailure[], reason: unknown): string {
  const first = failures[0];
  if (first === undefined)
    return reason === undefined ? `was ${status}` : `ended ${status}: ${textOf(reason)}`;
  const rest = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
  const { taskId, error, blocked } = first;
  const kind = blocked === undefined ? 'task' : 'optional task';
  const effect = blocked === undefined ? '' : `, so \`${blocked}\` could not run`;
  return `ended ${status}: ${kind} \`${taskId}\` failed with ${error.name}: ${error.message}${effect}${rest}`;
}
