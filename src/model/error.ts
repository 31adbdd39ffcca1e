import type { Cause, SettledRunStatus } from './status.ts';

/** The kind of defect in a definition or option. */
export type FlowErrorCode =
  | 'cycle'
  | 'unknown_dependency'
  | 'unknown_task'
  | 'duplicate_task'
  | 'bad_id'
  | 'bad_body'
  | 'bad_option'
  | 'unknown_flow'
  | 'unknown_run'
  | 'flow_changed';

/** The subjects of a FlowError. */
export interface FlowErrorDetails {
  readonly flow?: string | undefined;
  readonly taskId?: string | undefined;
  /** The ids concerned. */
  readonly ids?: readonly string[] | undefined;
  /** A cycle, from its first task back to itself. */
  readonly path?: readonly string[] | undefined;
  readonly option?: string | undefined;
  readonly value?: unknown;
  /** The id or name that was probably meant. */
  readonly suggestion?: string | undefined;
  /** How the flow differs from the version that a run follows, each difference in words. */
  readonly changes?: readonly string[] | undefined;
}

/** An invalid definition or option; thrown where it is given. */
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
  declare readonly changes?: readonly string[] | undefined;

  constructor(code: FlowErrorCode, message: string, details: FlowErrorDetails = {}) {
    super(message);
    this.code = code;
    Object.assign(this, details);
  }
}

/** One issue reported by a Standard Schema: what is wrong, and where. */
export interface Issue {
  readonly message: string;
  /** Keys from the outside in; empty for the value itself. */
  readonly path: readonly (string | number)[];
}

/**
 * A run's input did not match the flow's schema, and nothing was started; or a value delivered to a task did not match that
 * task's, and the task goes on waiting.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly flow: string;
  readonly issues: readonly Issue[];
  /** The task for which the value was; left out for the input of a run. */
  declare readonly taskId?: string | undefined;

  constructor(
    flow: string,
    issues: readonly Issue[],
    { taskId, ...options }: ErrorOptions & { readonly taskId?: string | undefined } = {},
  ) {
    const what = taskId === undefined ? 'Input' : `The value for task \`${taskId}\``;
    super(`${what} of flow \`${flow}\` is not valid: ${describeIssues(issues)}`, options);
    this.flow = flow;
    this.issues = issues;
    if (taskId !== undefined) this.taskId = taskId;
  }
}

/** Why a task takes no value. */
export type DeliveryErrorCode =
  /** Another value has come for it. */
  | 'delivered'
  /** It has settled, or its run ends early. */
  | 'settled'
  /** It does not wait for a value. */
  | 'no_wait'
  /** It is in a child run that is not there yet, or is in none. */
  | 'no_child';

/** A value was delivered to a task that takes none, or none any more. Nothing was kept. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly code: DeliveryErrorCode;
  readonly runId: string;
  readonly taskId: string;

  constructor(code: DeliveryErrorCode, runId: string, taskId: string, message: string) {
    super(message);
    this.code = code;
    this.runId = runId;
    this.taskId = taskId;
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

/** An attempt, a task or a run exceeded its time limit. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  /** The option whose limit was exceeded. */
  readonly option: 'timeoutMs' | 'totalTimeoutMs';
  readonly limitMs: number;

  constructor(what: string, option: 'timeoutMs' | 'totalTimeoutMs', limitMs: number) {
    super(`${what} took longer than its \`${option}\` of ${limitMs} ms`);
    this.option = option;
    this.limitMs = limitMs;
  }
}

/** The reason of an attempt's signal when its run is cancelled. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  /** The value given to `cancel`. */
  readonly reason: unknown;

  constructor(reason?: unknown) {
    super(reason === undefined ? 'The run was cancelled' : `The run was cancelled: ${textOf(reason)}`);
    this.reason = reason;
  }
}

/** The engine was stopped. Its unsettled runs stay in the store, for `engine.recover`. */
export class EngineStoppedError extends Error {
  override readonly name = 'EngineStoppedError';

  constructor(message = 'The engine was stopped before the run settled; `engine.recover` continues it') {
    super(message);
  }
}

/**
 * The run has not settled, and this engine does not run it: it was read from the store, which has it from an engine
 * that was stopped, has crashed, or still runs it.
 */
export class NotUnderWayError extends Error {
  override readonly name = 'NotUnderWayError';
  readonly runId: string;
  readonly flow: string;

  constructor(runId: string, flow: string) {
    super(
      `Run ${runId} of flow \`${flow}\` has not settled, and is not under way on this engine, which only shows what the ` +
        'store has of it. Continue it with `engine.recover`, unless another engine runs it: then ask there',
    );
    this.runId = runId;
    this.flow = flow;
  }
}

/** The run is already known, or another engine has appended to it first. */
export class StoreConflictError extends Error {
  override readonly name = 'StoreConflictError';
  readonly runId: string;

  constructor(runId: string, message: string) {
    super(message);
    this.runId = runId;
  }
}

/** A value that a store cannot write: it could not be read back as it is. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  /** The place in the value, such as `.rows[3].socket`; empty for the value itself. */
  readonly path: string;
  /** What is wrong with it, to follow its place. */
  readonly defect: string;

  constructor(path: string, defect: string) {
    super(`${path === '' ? 'The value' : `\`${path}\` of the value`} ${defect}`);
    this.path = path;
    this.defect = defect;
  }
}

/** The issues that an error of writing a value stands for; throws any other error. */
export function issuesOf(error: unknown): readonly Issue[] {
  if (!(error instanceof ValueError)) throw error;
  const keys = error.path.matchAll(/\.([^.[(]+)(?![^.[]*\()|\[(\d+)\]|\["(.*?)"\]|([^.[]+)/g);
  const path = Array.from(keys, ([whole, name, index, quoted]) =>
    index === undefined ? (name ?? quoted ?? whole) : Number(index),
  );
  return [{ message: error.defect, path }];
}

/** The kind of failure of a store. */
export type StoreErrorCode =
  /** Another process held the lock for too long. Nothing was kept. */
  | 'busy'
  /** The disk, or the size allowed, is used up. Nothing was kept. */
  | 'full'
  | 'readonly'
  /** The file is damaged. */
  | 'corrupt'
  /** The file belongs to another program. It was left as it is. */
  | 'foreign'
  /** The file was written by a later topple. It was left as it is. */
  | 'newer'
  /** The file cannot be opened or created. */
  | 'cannot_open'
  /** The store was closed. */
  | 'closed'
  /** The store's thread ended, perhaps in the middle of its work. A new store can be opened on the same file. */
  | 'worker_died'
  /** A value cannot be written. Nothing was kept. */
  | 'value'
  /** No engine that is alive owns the run, or no longer. */
  | 'unowned'
  /** The engine that owns the run refused what it was asked. */
  | 'refused'
  /** Anything else; `cause` or the message has the details. */
  | 'failed';

/** A store could not do what it was asked. Of a run that ended by it, `cause` is what the store threw. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** Why: of a run that ended by it, the code of the store's own error. */
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why a run cannot continue from a journal. */
export type JournalErrorCode = 'malformed' | 'stale' | 'under_way';

export interface JournalErrorDetails {
  readonly runId?: string | undefined;
  /** For `malformed`: the path to the invalid part, such as `run.entries[3].seq`. */
  readonly place?: string | undefined;
  /** For `malformed`: the value found there. */
  readonly value?: unknown;
  /** For `stale`: `seq` of the journal's last entry. */
  readonly seq?: number | undefined;
  /** For `stale`: `seq` of the last known entry of the run. */
  readonly knownSeq?: number | undefined;
}

/** A persisted snapshot or a stored journal from which a run cannot continue. No body has been called. */
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

/** An error as shown in views and journals. */
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
  /** For an optional task: the first task that is not optional and could not run because of it. */
  readonly blocked?: string | undefined;
}

/** Outputs were requested of a run that ended `failed` or `cancelled`. */
export class RunFailedError extends Error {
  override readonly name = 'RunFailedError';
  readonly flow: string;
  readonly runId: string;
  readonly status: Exclude<SettledRunStatus, 'done'>;
  /**
   * Tasks that are not optional and failed themselves, and optional ones that kept such tasks from running; first
   * failure first. Excludes tasks that could not run because of others.
   */
  readonly failures: readonly TaskFailure[];
  /** The reason of the cancellation, or the error of the run itself. */
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

/** Any thrown value as plain data. Never throws, not even if an error's `message` getter does. */
export function viewError(thrown: unknown): ErrorView {
  if (!isErrorLike(thrown))
    return { name: 'Error', message: `A value that is not an error was thrown: ${textOf(thrown)}` };
  const name = readText(thrown, 'name') ?? 'Error';
  const message = readText(thrown, 'message') ?? 'The error could not be read';
  const stack = readText(thrown, 'stack');
  return stack === undefined ? { name, message } : { name, message, stack };
}

/** A value as short text for a sentence. Never throws. */
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
