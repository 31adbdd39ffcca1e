import type { Clock, Engine, Logger } from '../index.ts';
import { badOption, boundRule, checkKeys, checkNumber } from '../model/check.ts';
import type { Pending, PendingRun } from './pending.ts';

export interface DrainOptions {
  /** How long accepted work may continue. Default 10,000. */
  readonly graceMs?: number | undefined;
  /** Reason for cancelled runs. Default `the server is shutting down`. */
  readonly reason?: string | undefined;
  /**
   * Fate of the runs that are left when the grace is over. `cancel`: all are cancelled. `keep`: runs of flows stay in
   * the engine's store, unsettled, for `engine.recover`; tasks of `add` and `task` are functions, which no store can
   * hold, and are cancelled. `keep` stops the engine. Default: `keep` if the engine's store outlives the process, as that
   * of `topple/sqlite` does, else `cancel`.
   */
  readonly leftovers?: 'cancel' | 'keep' | undefined;
  /** Ends the grace when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** A run that was accepted and did not settle in time. */
export interface Leftover {
  readonly runId: string;
  readonly flow: string;
  /** Ids of its tasks that had not settled. */
  readonly tasks: readonly string[];
  readonly became: 'cancelled' | 'kept';
}

export interface DrainReport {
  /** Runs that settled in the grace. */
  readonly settled: number;
  readonly leftovers: readonly Leftover[];
}

/** The parts of a background that drain together. */
export interface DrainCore {
  readonly engine: Engine;
  /** Whether the engine belongs to the background, which then stops it too. */
  readonly ownsEngine: boolean;
  readonly pending: Pending;
  readonly logger: Logger;
  readonly clock: Clock | undefined;
}

const drainOptions = new Set(['graceMs', 'reason', 'leftovers', 'signal']);

/**
 * Refuses new work, lets accepted work continue for the grace, and ends the rest: bodies under way get their signal,
 * and the `graceMs` of their task to heed it.
 */
export async function drain(core: DrainCore, given: DrainOptions): Promise<DrainReport> {
  const { engine, pending, logger } = core;
  const { graceMs = 10_000, reason = 'the server is shutting down' } = given;
  const { leftovers: policy = engine.isDurable ? 'keep' : 'cancel' } = given;
  const isKept = (run: PendingRun): boolean => policy === 'keep' && run.isRecoverable;
  const before = pending.settled;
  pending.close();
  await inGrace(core.clock, graceMs, given.signal, (signal) => pending.whenEmpty(signal));
  pending.end();
  const cancelled = pending.runs.filter((run) => !isKept(run));
  const ended = cancelled.map((run) => leftoverOf(run, 'cancelled'));
  for (const run of cancelled) run.cancel(reason);
  const settled = pending.settled - before;
  await pending.whenNone((run) => !isKept(run));
  // Kept runs continued meanwhile, and may have settled.
  const kept = pending.runs.map((run) => leftoverOf(run, 'kept'));
  const leftovers = [...ended, ...kept];
  for (const { runId, flow, tasks, became } of leftovers)
    logger.warn(
      `Run ${runId} of \`${flow}\` was ${became}. Not settled: ${tasks.join(', ')}. Reason: ${reason}`,
    );
  if (core.ownsEngine || policy === 'keep') await engine.stop();
  return { settled: settled, leftovers };
}

function leftoverOf(run: PendingRun, became: Leftover['became']): Leftover {
  return { runId: run.id, flow: run.flow, tasks: run.unsettled(), became };
}

/** Waits until the work is done, the grace is over or the signal is aborted. */
async function inGrace(
  clock: Clock = globalThis,
  graceMs: number,
  ended: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = new AbortController();
  const timer =
    graceMs === Number.POSITIVE_INFINITY
      ? undefined
      : clock.setTimeout(() => limit.abort(), Math.min(graceMs, LONGEST_MS));
  await work(ended === undefined ? limit.signal : AbortSignal.any([limit.signal, ended]));
  if (timer !== undefined) clock.clearTimeout(timer);
}

/** The longest wait that timers of Node and browsers support. */
const LONGEST_MS = 2 ** 31 - 1;

/** Throws FlowError for invalid options. */
export function checkDrain(given: DrainOptions, owner = 'background.drain'): void {
  const place = (option: string) => ({ option, owner });
  checkKeys(place('options'), given, drainOptions);
  const { graceMs, reason, leftovers, signal } = given;
  if (graceMs !== undefined) checkNumber(place('graceMs'), graceMs, boundRule);
  if (reason !== undefined && typeof reason !== 'string')
    throw badOption(place('reason'), 'a string', reason);
  if (leftovers !== undefined && leftovers !== 'cancel' && leftovers !== 'keep')
    throw badOption(place('leftovers'), '`cancel` or `keep`', leftovers);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw badOption(place('signal'), 'an AbortSignal', signal);
}
