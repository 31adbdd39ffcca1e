import type { Engine, EngineOptions, StartOptions } from '../index.ts';
import { badOption, checkKeys, checkMethods, checkNumber } from '../model/check.ts';
import { slotRule } from '../model/define-task.ts';
import { checkIdempotency, type IdempotencyOptions, type RunKey } from './idempotency.ts';

/** Fate of tasks in the special cases. */
export interface TasksPolicy {
  /** Whether the list of `tasks.add` continues after a failed task. Default `continue`; Starlette's way is `stop`. */
  readonly onError?: 'continue' | 'stop' | undefined;
  /** Fate of tasks whose client disconnects before it has the whole response. Default `run`. */
  readonly onDisconnect?: 'run' | 'discard' | undefined;
  /** Fate of tasks whose handler throws after it has added them. Default `discard`. */
  readonly onHandlerError?: 'run' | 'discard' | undefined;
}

/** Options of one route. */
export interface RouteOptions<Request = unknown> extends TasksPolicy {
  /** Flow name of its runs. Default `background`. */
  readonly name?: string | undefined;
  /**
   * Pool of the engine whose slots its tasks need, unless a task names its own: the concurrency of the route. Default:
   * none.
   */
  readonly pool?: string | undefined;
  /**
   * Reads an `Idempotency-Key` header: `tasks.start` then joins the run of an earlier request that had the same caller,
   * key and input. A key with another input is refused with an IdempotencyError, 422, and so is one whose run follows
   * another version of the flow, 409. Default: requests name no runs.
   */
  readonly idempotency?: IdempotencyOptions<Request> | undefined;
}

/** Options of a run that `tasks.start` starts. */
export interface TasksStartOptions extends Omit<StartOptions, 'onExisting'>, RunKey {}

/** Options of all routes, and of the engine that `createBackground` makes if none is given. */
export interface BackgroundOptions extends EngineOptions, TasksPolicy {
  /** Runs the tasks. Default: the background's own engine, made with the `createEngine` options given here. */
  readonly engine?: Engine | undefined;
  /**
   * Settled runs that the background's own engine keeps; each lengthens the pauses of the garbage collector. Default
   * 100.
   */
  readonly keepSettled?: number | undefined;
  /**
   * Limit for accepted runs that have not settled; a request that adds one more gets a BusyError. Default: no limit.
   */
  readonly maxPending?: number | undefined;
  /**
   * How long a response that waits for its client may make no progress. After that its tasks are treated as if the
   * client had disconnected, and the response continues. Noticed at most a quarter of that time later. Default 30,000;
   * at least 1; `Infinity`: for ever.
   */
  readonly stallTimeoutMs?: number | undefined;
}

const policyOptions = ['onError', 'onDisconnect', 'onHandlerError'] as const;
const engineOptions = [
  'store',
  'concurrency',
  'pools',
  'clock',
  'inspect',
  'logger',
  'keepSettled',
  'random',
  'flows',
] as const;
const backgroundOptions = new Set([
  ...policyOptions,
  ...engineOptions,
  'engine',
  'maxPending',
  'stallTimeoutMs',
]);
const routeOptions = new Set([...policyOptions, 'name', 'pool', 'idempotency']);

export function checkBackground(options: BackgroundOptions): void {
  const place = (option: string) => ({ option, owner: 'createBackground' });
  checkKeys(place('options'), options, backgroundOptions);
  checkPolicy(options, 'createBackground');
  if (options.maxPending !== undefined) checkNumber(place('maxPending'), options.maxPending, slotRule);
  const { stallTimeoutMs } = options;
  if (stallTimeoutMs !== undefined)
    checkNumber(place('stallTimeoutMs'), stallTimeoutMs, { min: 1, infinity: true });
  checkMethods(place('engine'), options.engine, ['start', 'stop']);
  if (options.engine === undefined) return;
  // The clock and logger of an engine cannot be read: they may be given here too.
  const stray = engineOptions.find(
    (name) => !['clock', 'logger'].includes(name) && options[name] !== undefined,
  );
  if (stray === undefined) return;
  throw badOption(place(stray), 'left to `createEngine` if an `engine` is given', options[stray]);
}

export function checkRoute(options: RouteOptions<never>): void {
  const place = (option: string) => ({ option, owner: 'withTasks' });
  checkKeys(place('options'), options, routeOptions);
  checkPolicy(options, 'withTasks');
  checkIdempotency(options.idempotency);
  for (const option of ['name', 'pool'] as const) {
    const value = options[option];
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw badOption(place(option), 'a non-empty string', value);
  }
}

function checkPolicy({ onError, onDisconnect, onHandlerError }: TasksPolicy, owner: string): void {
  const given = { onError, onDisconnect, onHandlerError };
  for (const option of policyOptions) {
    const value = given[option];
    const known = option === 'onError' ? ['continue', 'stop'] : ['run', 'discard'];
    if (value === undefined || known.includes(value)) continue;
    throw badOption({ option, owner }, known.map((word) => `\`${word}\``).join(' or '), value);
  }
}
