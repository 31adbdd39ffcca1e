import type { Engine, EngineOptions } from '../index.ts';
import { badOption, checkKeys, checkMethods, checkNumber } from '../model/check.ts';
import { slotRule } from '../model/definition.ts';

/** What becomes of tasks in the cases that are not plain. */
export interface TasksPolicy {
  /** Whether the list of `tasks.add` goes on after a task that failed. Default `continue`; Starlette's way is `stop`. */
  readonly onError?: 'continue' | 'stop' | undefined;
  /** What happens with tasks whose client hangs up before it has the whole response. Default `run`. */
  readonly onDisconnect?: 'run' | 'discard' | undefined;
  /** What happens with tasks whose handler throws after it has added them. Default `discard`. */
  readonly onHandlerError?: 'run' | 'discard' | undefined;
}

/** Options of one route. */
export interface RouteOptions extends TasksPolicy {
  /** What the runs of its tasks are called: the name of their flow. Default `background`. */
  readonly name?: string | undefined;
  /** Pool of the engine whose slots its tasks need, unless a task names its own: the concurrency of the route. Default: none. */
  readonly pool?: string | undefined;
}

/** Options of all routes, and of the engine that `createBackground` makes where none is given. */
export interface BackgroundOptions extends EngineOptions, TasksPolicy {
  /** Runs the tasks. Default: an engine of its own, made with the options of `createEngine` that are given here. */
  readonly engine?: Engine | undefined;
  /** Settled runs that an engine of its own keeps; each makes the collector's pauses longer. Default 100. */
  readonly keepSettled?: number | undefined;
  /** How many runs may be accepted and not settled; a request that wants one more gets a BusyError. Default: no limit. */
  readonly maxPending?: number | undefined;
  /**
   * How long a response that waits for its client may make no progress; then its tasks are done with as if the client
   * had hung up, and the response goes on. Noticed at most a quarter later. Default 30,000; at least 1; `Infinity`: for
   * ever.
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
] as const;
const backgroundOptions = new Set([
  ...policyOptions,
  ...engineOptions,
  'engine',
  'maxPending',
  'stallTimeoutMs',
]);
const routeOptions = new Set([...policyOptions, 'name', 'pool']);

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
  // Its clock and logger cannot be read from an engine: they are given here too.
  const stray = engineOptions.find(
    (name) => !['clock', 'logger'].includes(name) && options[name] !== undefined,
  );
  if (stray === undefined) return;
  throw badOption(place(stray), 'left to `createEngine` where an `engine` is given', options[stray]);
}

export function checkRoute(options: RouteOptions): void {
  const place = (option: string) => ({ option, owner: 'withTasks' });
  checkKeys(place('options'), options, routeOptions);
  checkPolicy(options, 'withTasks');
  for (const option of ['name', 'pool'] as const) {
    const value = options[option];
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw badOption(place(option), 'a string that is not empty', value);
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
