import type { InspectionEvent } from 'xstate';
import {
  badOption,
  boundRule,
  checkFunction,
  checkKeys,
  checkMethods,
  checkNumber,
  isA,
} from '../model/check.ts';
import type { Clock } from '../model/clock.ts';
import { slotRule } from '../model/define-task.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { RunSettings } from '../model/journal.ts';
import { checkRunId } from '../model/key.ts';
import type { Logger } from '../model/logger.ts';
import type { RunFilter, Store } from '../store/store.ts';
import type { Run } from './run.ts';

/** The options of an engine. */
export interface EngineSettings {
  /** Keeps the journals. Without a store they live with their runs, which cannot be recovered. */
  readonly store?: Store | undefined;
  /** The maximum of concurrent attempts of all runs. Default: no limit. */
  readonly concurrency?: number | undefined;
  /** Slots of named pools, shared by all runs. Default: none. */
  readonly pools?: Readonly<Record<string, number>> | undefined;
  /** The clock of runs that the engine starts; a spawned run uses its system's. Default: the time of day. */
  readonly clock?: Clock | undefined;
  /**
   * Receives XState's inspection events of runs that the engine starts. With a store that takes its time it may see more
   * than what is kept. Its errors go to the logger.
   */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
  /** Default: `console`. */
  readonly logger?: Logger | undefined;
  /** The number of settled runs kept, in the store too; the oldest go first. Default 1,000, and in a store that
   * engines share, such as that of `topple/sqlite`, all: it has an option of its own. */
  readonly keepSettled?: number | undefined;
  /** The source of jitter, from 0, below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

export interface StartOptions extends Omit<RunSettings, 'forwardEvents' | 'resumesWhenRecovered'> {
  /** The run's id: new to the store, without `/`. Default: a random UUID. */
  readonly id?: string | undefined;
  /**
   * What happens if the store has a run of this `id`. `reject`, the default: `start` rejects with `StoreConflictError`.
   * `join`: it gives that run, whether it is under way here or in another process, or has settled; its own options stay.
   * With another input (compared as the schema returns it, and the store gives it back) `start` rejects with `InputError`.
   */
  readonly onExisting?: 'reject' | 'join' | undefined;
  /**
   * Starts the run paused: accepted and kept, but no attempt starts before `resume`. With `until_recovered` a recovery
   * resumes it too: whoever was to do it is gone with its process. Default false.
   */
  readonly paused?: boolean | 'until_recovered' | undefined;
  /** Cancels the run when aborted, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ForkOptions {
  /** `seq` of the last entry that counts: what had settled by then is taken over. Default: the last one. */
  readonly seq?: number | undefined;
  /**
   * Instead of `seq`, an instant in epoch milliseconds: the last entry that counts is the last up to then, it included.
   * With a `seq`, child runs under way are taken over as of the instant of that entry.
   */
  readonly at?: number | undefined;
  /** Another input, checked by the schema. Outputs that are taken over were made of the old one. Default: the same. */
  readonly input?: unknown;
  /** The id of the new run: new to the store, without `/`. Default: a random UUID. */
  readonly id?: string | undefined;
}

export interface RecoverOptions {
  /**
   * Only the runs with these ids, even if they were set aside because their process was lost too often: then one more
   * loss sets them aside again. Not with `watch`. Default: all that were not set aside.
   */
  readonly ids?: readonly string[] | undefined;
  /**
   * What to do with a run that follows another version of its flow. `refuse` leaves it as it is, and logs how they
   * differ. `adopt` continues it with the version given: tasks that have settled stay as they are, tasks that are gone
   * are dropped, new ones are pending, and unsettled ones follow the new definition. Default `refuse`.
   */
  readonly onFlowChange?: 'refuse' | 'adopt' | undefined;
  /**
   * Called with each run as it is recovered, at once or later by `watch`, before any of its bodies is called. What it
   * throws is logged.
   */
  readonly onRecovered?: ((run: Run) => void) | undefined;
  /**
   * Goes on recovering, until the engine stops, runs of these flows whose engines die or release them. For a store that
   * several processes share. Default false.
   */
  readonly watch?: boolean | undefined;
}

export interface StopOptions {
  /** Milliseconds that attempts under way may continue; their output is kept. Default 0. */
  readonly graceMs?: number | undefined;
  /**
   * Milliseconds to wait for a store that takes its time: it may have to keep what the runs recorded last. Default
   * 10,000.
   */
  readonly storeTimeoutMs?: number | undefined;
}

const engineKeys = new Set([
  'store',
  'concurrency',
  'pools',
  'clock',
  'inspect',
  'logger',
  'keepSettled',
  'random',
  'flows',
]);
const logicKeys = new Set(['concurrency', 'totalTimeoutMs', 'forwardEvents']);
const filterKeys = new Set(['flow', 'settled', 'under', 'newestFirst', 'before', 'limit']);
const recoverKeys = new Set(['watch', 'ids', 'onFlowChange', 'onRecovered']);
const startKeys = new Set(['id', 'onExisting', 'paused', 'signal', 'concurrency', 'totalTimeoutMs']);

export function checkEngine(given: EngineSettings): void {
  const place = (option: string) => ({ option, owner: 'createEngine' });
  checkKeys(place('options'), given, engineKeys);
  const { concurrency, pools = {}, keepSettled, inspect, random } = given;
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (keepSettled !== undefined)
    checkNumber(place('keepSettled'), keepSettled, { min: 0, integer: true, infinity: true });
  for (const [name, slots] of Object.entries(pools)) checkNumber(place(`pools.${name}`), slots, slotRule);
  if (inspect !== undefined) checkFunction(place('inspect'), inspect);
  if (random !== undefined) checkFunction(place('random'), random);
  checkMethods(place('store'), given.store, ['append', 'lastSeq', 'read', 'list', 'remove']);
  checkMethods(place('clock'), given.clock, ['setTimeout', 'clearTimeout']);
  checkMethods(place('logger'), given.logger, ['error', 'warn', 'info']);
}

export function checkRecover(given: RecoverOptions, isShared: boolean): void {
  const place = (option: string) => ({ option, owner: 'engine.recover' });
  checkKeys(place('options'), given, recoverKeys);
  const { watch = false, ids, onFlowChange = 'refuse', onRecovered } = given;
  if (typeof watch !== 'boolean') throw badOption(place('watch'), 'true or false', watch);
  if (watch && !isShared)
    throw badOption(
      place('watch'),
      'left out, or the store one that engines share, such as that of `topple/sqlite`',
      watch,
    );
  if (ids !== undefined && (watch || !Array.isArray(ids) || !ids.every((id) => typeof id === 'string')))
    throw badOption(place('ids'), 'a list of ids of runs, and be left out with `watch`', ids);
  if (onFlowChange !== 'refuse' && onFlowChange !== 'adopt')
    throw badOption(place('onFlowChange'), '`refuse` or `adopt`', onFlowChange);
  if (onRecovered !== undefined) checkFunction(place('onRecovered'), onRecovered);
}

export function checkStart(definition: FlowDefinition, given: StartOptions): void {
  checkSettings(definition, given, startKeys);
  const place = (option: string) => ({ option, flow: definition.name });
  const { id, onExisting, paused, signal } = given;
  if (id !== undefined) checkRunId(place('id'), id);
  if (onExisting !== undefined && onExisting !== 'reject' && onExisting !== 'join')
    throw badOption(place('onExisting'), '`reject` or `join`', onExisting);
  if (onExisting === 'join' && id === undefined)
    throw badOption(place('id'), 'given with `onExisting: join`: it says which run to join', id);
  if (paused !== undefined && typeof paused !== 'boolean' && paused !== 'until_recovered')
    throw badOption(place('paused'), 'true, false or `until_recovered`', paused);
  if (signal !== undefined && !isA(signal, AbortSignal))
    throw badOption(place('signal'), 'an AbortSignal', signal);
}

export function checkFilter(given: RunFilter): void {
  const place = (option: string) => ({ option, owner: 'engine.runs' });
  checkKeys(place('filter'), given, filterKeys);
  const { flow, settled, under, newestFirst, before, limit } = given;
  if (flow !== undefined && typeof flow !== 'string')
    throw badOption(place('filter.flow'), 'the name of a flow', flow);
  if (under !== undefined && typeof under !== 'string')
    throw badOption(place('filter.under'), 'the id of a run', under);
  for (const [option, value] of Object.entries({ settled, newestFirst }))
    if (value !== undefined && typeof value !== 'boolean')
      throw badOption(place(`filter.${option}`), 'true or false', value);
  if (before !== undefined) checkNumber(place('filter.before'), before, { min: 0, infinity: true });
  if (limit !== undefined)
    checkNumber(place('filter.limit'), limit, { min: 1, integer: true, infinity: true });
}

export function checkLogic(definition: FlowDefinition, given: RunSettings): void {
  checkSettings(definition, given, logicKeys);
}

function checkSettings({ name }: FlowDefinition, given: RunSettings, known: ReadonlySet<string>): void {
  const place = (option: string) => ({ option, flow: name });
  checkKeys(place('options of the run'), given, known);
  const { concurrency, totalTimeoutMs, forwardEvents } = given;
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (totalTimeoutMs !== undefined) checkNumber(place('totalTimeoutMs'), totalTimeoutMs, boundRule);
  if (forwardEvents !== undefined && typeof forwardEvents !== 'boolean') {
    throw badOption(place('forwardEvents'), 'true or false', forwardEvents);
  }
}
