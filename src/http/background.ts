import { createEngine, type Engine, type EngineOptions, type Logger } from '../index.ts';
import { guardLogger } from '../model/logger.ts';
import { type Delivery, ResponseDelivery, type ResponseHooks } from './delivery.ts';
import { checkDrain, type DrainOptions, type DrainReport, drain } from './drain.ts';
import type { Health } from './health.ts';
import { type BackgroundOptions, checkBackground, checkRoute, type RouteOptions } from './options.ts';
import { Pending } from './pending.ts';
import { RequestsFirst } from './requests-first.ts';
import { Stalls } from './stalls.ts';

/** The background of a server: it runs the tasks that handlers add. */
export interface Background {
  /** Runs the tasks. Use it to find runs by id, and to start others. */
  readonly engine: Engine;
  /** Receives messages about tasks that failed or were dropped. */
  readonly logger: Logger;
  /** Runs that were accepted and have not settled. */
  readonly pending: number;
  /** Whether a request that adds work now gets a BusyError: `maxPending` is reached, or the background is draining. */
  readonly isBusy: boolean;
  /** Returns the state of the background, for load balancers: `createHealthHandler` serves it. */
  health(): Health;
  /**
   * Opens the tasks of one response, for your own adapter or for work that follows no response.
   *
   * @throws FlowError for an invalid option
   */
  open(options?: RouteOptions<never>, hooks?: ResponseHooks): Delivery;
  /**
   * Refuses work of new requests, gives requests and runs under way `graceMs`, and ends the rest. Resolves with a
   * report that names the runs it ended. A second call gets the result of the first. Stops the engine if it is the
   * background's own.
   *
   * @throws FlowError for an invalid option
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
}

/**
 * Makes the background of a server.
 *
 * @throws FlowError for an invalid option
 */
export function createBackground(options: BackgroundOptions = {}): Background {
  checkBackground(options);
  const { engine: given, maxPending = Number.POSITIVE_INFINITY, stallTimeoutMs = 30_000, ...rest } = options;
  const { onError, onDisconnect, onHandlerError, ...engineOptions } = rest;
  const engine = given ?? createEngine({ keepSettled: KEPT, ...engineOptions } satisfies EngineOptions);
  const pending = new Pending(maxPending);
  const { clock } = options;
  const logger = guardLogger(options.logger ?? console);
  const requests = new RequestsFirst(clock);
  const stalls = new Stalls(stallTimeoutMs, clock);
  const core = { engine, pending, logger, clock, requests, stalls, ownsEngine: given === undefined };
  const defaults = { onError, onDisconnect, onHandlerError };
  const checked = new WeakSet<RouteOptions<never>>();
  let draining: Promise<DrainReport> | undefined;
  return {
    engine,
    logger,
    get pending() {
      return pending.size;
    },
    get isBusy() {
      return pending.isFull || pending.isClosed;
    },
    health() {
      const status = pending.isClosed ? 'draining' : 'ready';
      const limit = maxPending === Number.POSITIVE_INFINITY ? null : maxPending;
      return { status, pending: pending.size, limit };
    },
    open(route = defaults, hooks = none) {
      if (route !== defaults && !checked.has(route)) {
        checkRoute(route);
        checked.add(route);
      }
      return new ResponseDelivery(core, route === defaults ? defaults : { ...defaults, ...route }, hooks);
    },
    drain(how = none) {
      try {
        checkDrain(how);
      } catch (error) {
        return Promise.reject(error);
      }
      draining ??= drain(core, how);
      return draining;
    },
  };
}

/**
 * Number of settled runs that the background's own engine keeps. The garbage collector copies each until it is old:
 * with 1,000 of them, the default of an engine, a minor collection took 6 ms, with 100 half a millisecond.
 */
const KEPT = 100;

const none = {};
