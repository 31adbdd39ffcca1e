import { definitionOf } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import {
  type Engine,
  FlowError,
  InputError,
  type Logger,
  type Run,
  RunFailedError,
  type StartOptions,
  StoreConflictError,
} from '../index.ts';
import { textOf } from '../model/error.ts';
import { AcceptedRun } from './accepted-run.ts';
import { Batch } from './batch.ts';
import { captureContext, currentCall, type TaskOwner } from './context.ts';
import { IdempotencyError, type ResponseSentError } from './error.ts';
import { bindRun, inContext } from './flow-in-context.ts';
import { type KeyedRequest, RequestKeys } from './idempotency.ts';
import type { RouteOptions, TasksStartOptions } from './options.ts';
import type { Pending } from './pending.ts';
import { type RequestsFirst, soon } from './requests-first.ts';
import type { Awaited, ResponseProgress, Stalls } from './stalls.ts';
import { type Happening, isAwaited, isDecided, nextStanding, type Standing } from './standing.ts';
import { BackgroundTasks, type Collector } from './tasks.ts';

/** The parts of a background that a delivery needs. */
export interface DeliveryCore {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly pending: Pending;
  readonly requests: RequestsFirst;
  readonly stalls: Stalls;
}

/** An adapter's access to its response. */
export interface ResponseHooks extends KeyedRequest {
  /** Tells whether any of the response has been sent. Default: no. */
  readonly isSent?: (() => boolean) | undefined;
  /** Arranges that `check` is called before anything is sent; its errors must reach the handler. */
  readonly beforeHead?: ((check: () => void) => void) | undefined;
  /** Makes tasks that use the response from now on get a ResponseSentError. */
  readonly guard?: ((owner: TaskOwner) => void) | undefined;
  /**
   * Begins to follow the progress of the response; called once, if it takes long. Default: progress is unknown, and
   * tasks wait for the response without limit.
   */
  readonly watch?: (() => ResponseProgress) | undefined;
}

/**
 * The tasks of one response, from its request on. The adapter reports the fate of handler and response: `handled` or
 * `threw`, and `finished`, `disconnected` or `stalled`.
 */
export interface Delivery {
  readonly tasks: BackgroundTasks;
  /** Reports that the handler has returned. */
  handled(): void;
  /** Reports that the handler has thrown. */
  threw(error: unknown): void;
  /** Throws if tasks depend on missing ones. Call it before anything is sent. */
  check(): void;
  /** Reports that the response has been handed to the socket. */
  finished(): void;
  /** Reports that the client disconnected before it had the whole response. */
  disconnected(): void;
  /** Reports that the client reads nothing of the response. */
  stalled(): void;
  /** Resolves when all its runs have settled. Never rejects. */
  settled(): Promise<void>;
}

/** A run that is paused until the response has gone. */
interface HeldRun {
  readonly run: Run;
  /** Whether other requests may join it. */
  readonly isKeyed: boolean;
}

/** Begins the reason of runs that others may join, and that were cancelled with their request. */
const DROPPED = 'the request came to nothing: ';

/** A delivery that collects tasks and runs them. */
export class ResponseDelivery implements Delivery, Collector, Awaited {
  readonly tasks: BackgroundTasks;
  /** Number of its request. */
  readonly number: number;
  readonly #core: DeliveryCore;
  readonly #options: RouteOptions<never>;
  /** Cleared once the fate of the tasks is decided, so that request and response can be collected. */
  #hooks: ResponseHooks;
  #standing: Standing = 'open';
  #whyDropped = '';
  /** Whether it began after the background was closed for new work. */
  readonly #isLate: boolean;
  #runId: string | undefined;
  /** The batch that handlers add to, as a pending run. */
  #next: AcceptedRun | undefined;
  /** Tasks that will never run. The handler continues as if they did: later tasks may name earlier ones. */
  #dropped: Batch | undefined;
  /** The batch whose run is under way. */
  #current: AcceptedRun | undefined;
  /** Runs of flows, paused until the response has gone. */
  readonly #waiting: HeldRun[] = [];
  readonly #keys: RequestKeys;
  readonly #live = new Set<Promise<void>>();
  /** Handler and response, while each is under way. */
  readonly #underWay = { handler: true, response: true };
  #watchesHead = false;
  #isWatched = false;
  #released: PromiseWithResolvers<void> | undefined;

  constructor(core: DeliveryCore, options: RouteOptions<never>, hooks: ResponseHooks) {
    this.#core = core;
    this.#options = options;
    this.#hooks = hooks;
    this.#keys = new RequestKeys(options.idempotency, hooks);
    this.#isLate = core.pending.isClosed;
    this.tasks = new BackgroundTasks(this);
    core.pending.requestBegan();
    this.number = core.requests.requestBegan();
  }

  // For adapters.

  handled(): void {
    this.#happened('handler returned');
    this.#ended('handler');
  }

  threw(error: unknown): void {
    this.#happened('handler threw', `the handler threw: ${textOf(error)}`);
    this.#ended('handler');
  }

  check(): void {
    if (isAwaited(this.#standing)) this.#next?.batch?.check();
  }

  finished(): void {
    this.#happened('response sent');
    this.#ended('response');
  }

  disconnected(): void {
    this.#happened('client gone', 'the client disconnected before it had the whole response');
    this.#ended('response');
  }

  stalled(): void {
    this.#happened('response stalled', 'the client did not read its response');
    this.#ended('response');
  }

  async settled(): Promise<void> {
    if (!isDecided(this.#standing)) {
      this.#released ??= Promise.withResolvers();
      await this.#released.promise;
    }
    // Tasks that a task adds are collected before its run has settled.
    while (this.#live.size > 0 || this.#next !== undefined)
      await Promise.all([...this.#live, new Promise<void>((resolve) => soon(resolve))]);
  }

  // For the tasks.

  get runId(): string {
    this.#runId ??= crypto.randomUUID();
    return this.#runId;
  }

  get isSent(): boolean {
    // A handler continues as usual when its client has disconnected.
    return this.#standing === 'sent' || (this.#standing !== 'dropped' && (this.#hooks.isSent?.() ?? false));
  }

  get pool(): string | undefined {
    return this.#options.pool;
  }

  get rule(): 'all_settled' | 'all_success' {
    return this.#options.onError === 'stop' ? 'all_success' : 'all_settled';
  }

  get batch(): Batch | undefined {
    return this.#next?.batch ?? this.#dropped;
  }

  collect(): Batch {
    if (this.#next !== undefined) return this.#next.batch as Batch;
    const { name = 'background' } = this.#options;
    if (this.#standing === 'dropped') {
      this.#dropped ??= new Batch(this.runId, name);
      return this.#dropped;
    }
    this.#admit();
    const batch = new Batch(isDecided(this.#standing) ? crypto.randomUUID() : this.runId, name);
    this.#next = new AcceptedRun(batch.runId, name, batch, (reason) => this.#cancelNext(reason));
    this.#core.pending.add(this.#next);
    // Include later tasks of the same moment.
    if (this.#standing === 'sent') soon(() => this.#flush());
    return batch;
  }

  watchHead(): void {
    if (this.#watchesHead) return;
    this.#watchesHead = true;
    this.#hooks.beforeHead?.(() => this.check());
  }

  start(flow: AnyFlow, input: unknown, options: TasksStartOptions): Promise<Run> {
    const starting = this.#startPaused(flow, input, options);
    // The handler may not await this promise: avoid an unhandled rejection. After the response, log it.
    starting.catch((error) => {
      if (!isAwaited(this.#standing))
        this.#core.logger.error('A flow could not be started after the response', error);
    });
    return starting;
  }

  async #startPaused(flow: AnyFlow, input: unknown, given: TasksStartOptions): Promise<Run> {
    const { idempotencyKey: _, caller: __, ...options } = given;
    this.#admit();
    const accepted = new AcceptedRun(options.id ?? '', definitionOf(flow).name);
    this.#core.pending.add(accepted);
    const naming = this.#nameOf(accepted, given);
    const key = naming && (await naming);
    accepted.id = key ?? options.id ?? crypto.randomUUID();
    try {
      return await this.#startAs(accepted, flow, input, options, key !== undefined);
    } catch (error) {
      if (key === undefined || !(error instanceof StoreConflictError)) throw error;
      return this.#join(accepted, flow, input);
    }
  }

  async #startAs(
    accepted: AcceptedRun,
    flow: AnyFlow,
    input: unknown,
    options: StartOptions,
    isKeyed: boolean,
  ): Promise<Run> {
    const { id } = accepted;
    // Nobody but this process knows when the response has gone.
    const paused = options.paused ? options.paused : 'until_recovered';
    const unbind = bindRun(id, captureContext(this));
    const starting = this.#core.engine.start(inContext(flow), input as never, { ...options, id, paused });
    this.#follow(accepted, starting, unbind);
    const run = await starting;
    const held = { run, isKeyed };
    if (this.#standing === 'dropped') this.#cancel(held);
    else if (!options.paused) this.#hold(held);
    return run;
  }

  /** Resumes a paused run once the response has gone. */
  #hold(held: HeldRun): void {
    if (this.#standing === 'sent') held.run.resume();
    else this.#waiting.push(held);
  }

  #cancel({ run, isKeyed }: HeldRun): void {
    run.cancel(isKeyed ? DROPPED + this.#whyDropped : this.#whyDropped);
  }

  /**
   * Joins the run of an earlier request. It is left as it is, whatever becomes of this request; only if it was cancelled
   * because that request came to nothing, it runs again.
   */
  async #join({ id, flow: name }: AcceptedRun, flow: AnyFlow, input: unknown): Promise<Run> {
    const { engine, pending } = this.#core;
    const run = await engine
      .start(inContext(flow), input as never, { id, onExisting: 'join' })
      .catch((error) => {
        throw joinRefusal(error);
      });
    const { status, reason } = run.view();
    if (status !== 'cancelled' || !String(reason).startsWith(DROPPED)) return run;
    const again = new AcceptedRun(id, name);
    pending.add(again);
    const unbind = bindRun(id, captureContext(this));
    run.rerun();
    run.pause();
    this.#follow(again, Promise.resolve(run), unbind);
    const held = { run, isKeyed: true };
    if (this.#standing === 'dropped') this.#cancel(held);
    else this.#hold(held);
    return run;
  }

  /** The id of the run that a key names; `undefined`, at once, without one. */
  #nameOf(accepted: AcceptedRun, given: TasksStartOptions): Promise<string | undefined> | undefined {
    const drop = (error: unknown): never => {
      this.#core.pending.drop(accepted);
      throw error;
    };
    try {
      return this.#keys.idOf(accepted.flow, given)?.catch(drop);
    } catch (error) {
      return drop(error);
    }
  }

  misused(error: ResponseSentError, taskId: string): void {
    this.#core.logger.error(
      `A callback of background task \`${taskId}\` used the ${error.use}: ${error.message}`,
      error,
    );
  }

  #admit(): void {
    const call = currentCall();
    this.#core.pending.admit(this.#isLate, call?.owner === this && call.isUnderWay);
    if (this.#isWatched || this.#hooks.watch === undefined) return;
    this.#isWatched = true;
    this.#core.stalls.add(this);
  }

  watch(): ResponseProgress {
    return this.#hooks.watch?.() ?? (() => undefined);
  }

  /** Releases request and response: the fate of the tasks is decided. */
  #letGo(): void {
    this.#hooks = none;
    if (this.#isWatched) this.#core.stalls.delete(this);
    this.#released?.resolve();
  }

  /** @param why reason to log if the tasks are dropped */
  #happened(happening: Happening, why = ''): void {
    const next = nextStanding(this.#standing, happening, this.#options);
    if (next === this.#standing) return;
    this.#standing = next;
    if (next === 'sent') this.#send();
    else if (next === 'dropped') this.#drop(why);
  }

  #send(): void {
    if (this.#next !== undefined || this.#live.size > 0) this.#hooks.guard?.(this);
    this.#letGo();
    if (this.#next !== undefined || this.#waiting.length > 0) {
      this.#core.requests.wait(this.number, () => {
        for (const { run } of this.#waiting.splice(0)) run.resume();
        this.#flush();
      });
    }
  }

  #drop(why: string): void {
    const { logger } = this.#core;
    this.#whyDropped = why;
    this.#letGo();
    const ids = [...(this.batch?.ids ?? []), ...this.#waiting.map(({ run }) => `run ${run.id}`)];
    if (ids.length > 0) logger.warn(`Background tasks were dropped: ${ids.join(', ')}. Reason: ${why}`);
    if (this.#next !== undefined) this.#core.pending.drop(this.#next);
    this.#dropped = this.#next?.batch;
    this.#next = undefined;
    for (const held of this.#waiting.splice(0)) this.#cancel(held);
  }

  /** Starts a run of the collected batch, unless one is under way. */
  #flush(): void {
    const accepted = this.#next;
    if (accepted?.batch === undefined || this.#current !== undefined) return;
    this.#next = undefined;
    this.#current = accepted;
    const { engine } = this.#core;
    const starting = start(() =>
      engine.start(accepted.batch?.toFlow() as AnyFlow, undefined, { id: accepted.id }),
    );
    this.#follow(accepted, starting, () => {
      this.#current = undefined;
      if (accepted.cancelled !== undefined) this.#cancelNext(accepted.cancelled);
      else this.#flush();
    });
  }

  /** Follows a run to its end, and logs failures. */
  #follow(accepted: AcceptedRun, starting: Promise<Run>, then?: () => void): void {
    const { pending, logger } = this.#core;
    const follow = async (): Promise<void> => {
      const run = await starting.catch((error) => {
        if (accepted.batch !== undefined)
          logger.error(`Background tasks ${list(accepted)} did not start`, error);
        return undefined;
      });
      if (run === undefined) return pending.drop(accepted);
      accepted.began(run);
      await run.outputs().catch((error) => {
        if (error instanceof RunFailedError && error.status === 'cancelled')
          accepted.cancelled ??= `its run was cancelled: ${oneLine(textOf(error.reason))}`;
        tellFailure(logger, accepted, error);
      });
      pending.settle(accepted);
    };
    const ended = follow().finally(() => {
      then?.();
      this.#live.delete(ended);
    });
    this.#live.add(ended);
  }

  /** Drops the tasks that were added during a run, because that run was cancelled. */
  #cancelNext(reason: string): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    this.#core.logger.warn(`Background tasks were dropped: ${list(next)}. Reason: ${reason}`);
    this.#core.pending.drop(next);
  }

  #ended(part: 'handler' | 'response'): void {
    if (!this.#underWay[part]) return;
    this.#underWay[part] = false;
    if (!this.#underWay.handler && !this.#underWay.response) this.#core.pending.requestEnded();
  }
}

/** The error of a request that cannot join the run of its key, for the client; another error as it is. */
function joinRefusal(cause: unknown): unknown {
  // The schema has accepted the input.
  if (cause instanceof InputError) return new IdempotencyError('reused', { cause });
  const isOfAnother = cause instanceof FlowError && cause.code === 'flow_changed';
  return isOfAnother ? new IdempotencyError('changed', { cause }) : cause;
}

/** Turns a synchronous throw into a rejection. */
async function start(begin: () => Promise<Run>): Promise<Run> {
  return begin();
}

function list({ batch, id }: AcceptedRun): string {
  return batch === undefined ? `run ${id}` : batch.ids.join(', ');
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function tellFailure(logger: Logger, { id, flow }: AcceptedRun, error: unknown): void {
  const where = `run ${id} of \`${flow}\``;
  if (!(error instanceof RunFailedError)) return logger.error(`Background ${where} did not settle`, error);
  // The reason may come from a client: it must not look like another line of the log.
  if (error.status === 'cancelled')
    return logger.warn(`Background ${where} was cancelled: ${oneLine(textOf(error.reason))}`);
  for (const failure of error.failures)
    logger.error(
      `Background task \`${failure.taskId}\` failed, in ${where}: ${failure.error.message}`,
      failure.error,
    );
  if (error.failures.length === 0) logger.error(`Background ${where} failed: ${textOf(error.reason)}`, error);
}

const none: ResponseHooks = {};
