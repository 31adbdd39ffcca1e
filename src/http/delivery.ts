import { definitionOf } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import { type Engine, type Logger, type Run, RunFailedError, type StartOptions } from '../index.ts';
import { textOf } from '../model/error.ts';
import { AcceptedRun } from './accepted-run.ts';
import { Batch } from './batch.ts';
import { captureContext, currentCall, type TaskOwner } from './context.ts';
import type { ResponseSentError } from './error.ts';
import { bindRun, inContext } from './flow-in-context.ts';
import { type Lull, soon } from './lull.ts';
import type { RouteOptions } from './options.ts';
import type { Pending } from './pending.ts';
import type { Awaited, ResponseProgress, Stalls } from './stalls.ts';
import { type Happening, isAwaited, isDecided, nextStanding, type Standing } from './standing.ts';
import { BackgroundTasks, type Collector } from './tasks.ts';

/** What a delivery needs of its background. */
export interface DeliveryCore {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly pending: Pending;
  readonly lull: Lull;
  readonly stalls: Stalls;
}

/** What an adapter knows of its response. */
export interface ResponseHooks {
  /** Whether anything of the response has been sent. Default: no. */
  readonly isSent?: (() => boolean) | undefined;
  /** Has `check` called before anything is sent, by what the handler does; what it throws is to reach the handler. */
  readonly beforeHead?: ((check: () => void) => void) | undefined;
  /** Has a task that uses the response from now on get a ResponseSentError. */
  readonly guard?: ((owner: TaskOwner) => void) | undefined;
  /**
   * Begins to follow how far the response is; called once, where it takes long. Default: it is not seen, and is waited
   * for as long as it takes.
   */
  readonly watch?: (() => ResponseProgress) | undefined;
}

/**
 * The tasks of one response, from its request on. The adapter tells what becomes of handler and response:
 * `handled` or `threw`, and `finished`, `disconnected` or `stalled`.
 */
export interface Delivery {
  readonly tasks: BackgroundTasks;
  /** The handler has returned. */
  handled(): void;
  /** The handler has thrown. */
  threw(error: unknown): void;
  /** Throws where tasks depend on others that are not there. To be called before anything is sent. */
  check(): void;
  /** The response has been handed to the socket. */
  finished(): void;
  /** The client has hung up before it had the whole response. */
  disconnected(): void;
  /** The client takes nothing of the response. */
  stalled(): void;
  /** Resolves when all that was set off has settled. Never rejects. */
  settled(): Promise<void>;
}

/** A delivery that collects tasks and has them run. */
export class ResponseDelivery implements Delivery, Collector, Awaited {
  readonly tasks: BackgroundTasks;
  /** Among the requests. */
  readonly number: number;
  readonly #core: DeliveryCore;
  readonly #options: RouteOptions;
  /** None once it is decided what becomes of the tasks: request and response need not wait for that. */
  #hooks: ResponseHooks;
  #standing: Standing = 'open';
  #whyDropped = '';
  /** Whether it began when no new work was taken any more. */
  readonly #isLate: boolean;
  #runId: string | undefined;
  /** The batch that is collected, as it is pending. */
  #next: AcceptedRun | undefined;
  /** What will never run, so that the handler can go on as if it did: later tasks may name earlier ones. */
  #dropped: Batch | undefined;
  /** The batch whose run is under way. */
  #current: AcceptedRun | undefined;
  /** Runs of flows, paused until the response has gone. */
  readonly #waiting: Run[] = [];
  readonly #live = new Set<Promise<void>>();
  /** Handler and response, while each is under way. */
  readonly #underWay = { handler: true, response: true };
  #watchesHead = false;
  #isWatched = false;
  #released: PromiseWithResolvers<void> | undefined;

  constructor(core: DeliveryCore, options: RouteOptions, hooks: ResponseHooks) {
    this.#core = core;
    this.#options = options;
    this.#hooks = hooks;
    this.#isLate = core.pending.isClosed;
    this.tasks = new BackgroundTasks(this);
    core.pending.requestBegan();
    this.number = core.lull.requestBegan();
  }

  // What adapters tell.

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
    this.#happened('client gone', 'the client hung up before it had its response');
    this.#ended('response');
  }

  stalled(): void {
    this.#happened('response stalled', 'the client did not take its response');
    this.#ended('response');
  }

  async settled(): Promise<void> {
    if (!isDecided(this.#standing)) {
      this.#released ??= Promise.withResolvers();
      await this.#released.promise;
    }
    // What is added in a task's course is collected before its run has settled.
    while (this.#live.size > 0 || this.#next !== undefined)
      await Promise.all([...this.#live, new Promise<void>((resolve) => soon(resolve))]);
  }

  // What the tasks ask for.

  get runId(): string {
    this.#runId ??= crypto.randomUUID();
    return this.#runId;
  }

  get isSent(): boolean {
    // A handler whose client has hung up goes on as it would have.
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
    // Later ones of the same moment go along.
    if (this.#standing === 'sent') soon(() => this.#flush());
    return batch;
  }

  watchHead(): void {
    if (this.#watchesHead) return;
    this.#watchesHead = true;
    this.#hooks.beforeHead?.(() => this.check());
  }

  start(flow: AnyFlow, input: unknown, options: StartOptions): Promise<Run> {
    const starting = this.#startPaused(flow, input, options);
    // Of a promise that nobody may await, the rejection is no news to Node; once the response has gone, it is to us.
    starting.catch((error) => {
      if (!isAwaited(this.#standing))
        this.#core.logger.error('A flow was not started after the response', error);
    });
    return starting;
  }

  async #startPaused(flow: AnyFlow, input: unknown, options: StartOptions): Promise<Run> {
    const { name } = definitionOf(flow);
    const { engine, pending } = this.#core;
    this.#admit();
    const id = options.id ?? crypto.randomUUID();
    const accepted = new AcceptedRun(id, name);
    pending.add(accepted);
    const unbind = bindRun(id, captureContext(this));
    const starting = engine.start(inContext(flow), input as never, { ...options, id, paused: true });
    this.#follow(accepted, starting, unbind);
    const run = await starting;
    if (this.#standing === 'dropped') run.cancel(this.#whyDropped);
    else if (options.paused !== true) {
      if (this.#standing === 'sent') run.resume();
      else this.#waiting.push(run);
    }
    return run;
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

  /** It is decided what becomes of the tasks. */
  #letGo(): void {
    this.#hooks = none;
    if (this.#isWatched) this.#core.stalls.delete(this);
    this.#released?.resolve();
  }

  /** @param why what is said of the tasks if they are dropped for it */
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
      this.#core.lull.wait(this.number, () => {
        for (const run of this.#waiting.splice(0)) run.resume();
        this.#flush();
      });
    }
  }

  #drop(why: string): void {
    const { logger } = this.#core;
    this.#whyDropped = why;
    this.#letGo();
    const ids = [...(this.batch?.ids ?? []), ...this.#waiting.map(({ id }) => `run ${id}`)];
    if (ids.length > 0) logger.warn(`Background tasks were dropped, for ${why}: ${ids.join(', ')}`);
    if (this.#next !== undefined) this.#core.pending.drop(this.#next);
    this.#dropped = this.#next?.batch;
    this.#next = undefined;
    for (const run of this.#waiting.splice(0)) run.cancel(why);
  }

  /** The batch that is collected becomes a run, unless one is under way. */
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

  /** Sees a run to its end, and tells the logger of what went wrong. */
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

  /** What was added while a run went on does not follow it where that was cancelled. */
  #cancelNext(reason: string): void {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    this.#core.logger.warn(`Background tasks were dropped, for ${reason}: ${list(next)}`);
    this.#core.pending.drop(next);
  }

  #ended(part: 'handler' | 'response'): void {
    if (!this.#underWay[part]) return;
    this.#underWay[part] = false;
    if (!this.#underWay.handler && !this.#underWay.response) this.#core.pending.requestEnded();
  }
}

/** What throws at once rejects too. */
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
  // The reason may be a client's: it must not look like another line of the log.
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
