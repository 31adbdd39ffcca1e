import type { AnyActorRef } from 'xstate';
import type { TaskEvent } from '../../machines/task.ts';
import { isA } from '../model/check.ts';
import type { FlowDefinition, TaskDefinition } from '../model/definition.ts';
import {
  EngineStoppedError,
  issuesOf,
  OutputError,
  SkipTask,
  TimeoutError,
  textOf,
  viewError,
} from '../model/error.ts';
import type { Logger } from '../model/logger.ts';
import type { Outcome } from '../model/perform.ts';
import { planRetry, type RetryDecision } from '../model/retry.ts';
import { type Checked, check } from '../model/schema.ts';
import type { Cause } from '../model/status.ts';
import { Timer, type Timers } from './timers.ts';
import type { ValueTexts } from './value-texts.ts';
import type { BodyLine } from './watchers.ts';

/** The part of a run that an attempt needs. */
export interface AttemptRun {
  readonly id: string;
  readonly definition: FlowDefinition;
  readonly input: unknown;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly random: () => number;
  /** Checks outputs for a store that writes values. */
  readonly texts: ValueTexts | undefined;
  readonly config: { /** The default of its tasks. */ readonly graceMs: number };
  now(): number;
  /** Calls back as the next turn begins. */
  next(callback: () => void): void;
  depsOf(index: number): Record<string, unknown>;
  outcomesOf(index: number): Record<string, Outcome>;
  /** A key unique to a task of this run. */
  keyOf(taskId: string): string;
  /** Takes a line that a body logged. */
  logged(line: BodyLine): void;
  /** Takes the error that a task threw, as thrown. */
  noteFailure(error: unknown, index: number): void;
}

/** The part of a task that an attempt needs. */
export interface AttemptTask {
  readonly run: AttemptRun;
  /** The task's place in definition order. */
  readonly index: number;
  readonly definition: TaskDefinition;
  readonly actor: AnyActorRef;
  /** Whole milliseconds since the first attempt started; known where the task may be retried. */
  readonly elapsedMs: number;
  send(event: TaskEvent): void;
  /** Takes the body's output after the task's schema. */
  returned(at: number, output: unknown): void;
  /** Frees the slot of the ended attempt. */
  leaveSlot(): void;
}

/** An early end of an attempt: its kind and cause. */
interface Ending {
  /** The effect on the task: it may retry, has failed, or is cancelled. */
  readonly as: 'attempt failed' | 'task failed' | 'task cancelled';
  readonly cause: Cause;
  /** The reason of the signal. */
  readonly error: Error;
  /** The reason given to `cancel`. */
  readonly reason?: unknown;
}

/**
 * One try of a task, wherever its body runs: bounds it, ends it when asked, and reports the outcome to the task once.
 * It is also the timer for its timeout, and then for its grace. A kind of attempt reaches the body: see `Carrier`.
 *
 * An ended attempt holds its slot until the body settles or the grace is over. Any report after that is ignored.
 */
export abstract class Attempt extends Timer {
  readonly task: AttemptTask;
  /** From 1. */
  readonly number: number;
  #controller: AbortController | undefined;
  #ending: Ending | undefined;
  #isClosed = false;
  /** What follows from its failure, once that was asked for. */
  #decision: RetryDecision | undefined;

  constructor(task: AttemptTask, number: number) {
    super();
    this.task = task;
    this.number = number;
  }

  /** Starts its time limit. */
  open(): void {
    const { definition, run } = this.task;
    const { timeoutMs } = definition;
    if (timeoutMs !== undefined) run.timers.set(this, timeoutMs, run.timers.latestMonotonic);
  }

  /**
   * Reaches the body, with a scope. Called once, as soon as the step that started the attempt is over; must not throw.
   * The end of the body is reported by `returned` or `threw`, once, after this call is over.
   */
  abstract begin(): void;

  /** Aborted when the body must end. Created on first read, aborted already if the attempt has been ended. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ending !== undefined) this.#controller.abort(this.#ending.error);
    }
    return this.#controller.signal;
  }

  /**
   * Asks the body to end, with the reason of the signal; must not throw. Called after `begin`, at most twice: the run
   * may be stopped after a first time. The end of the body is still to be reported.
   */
  protected abort(reason: Error): void {
    this.#controller?.abort(reason);
  }

  /** Whether its body has been, or would be, asked to end. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  /** Whether it takes no more reports. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes an error for which no retry can help. */
  refused(error: unknown, cause: Cause): void {
    if (this.#isClosed) return;
    if (this.#ending !== undefined) return this.#close();
    this.#fail(error, cause);
  }

  /** Takes the failure after which no attempt follows, as was asked before. */
  failed(error: unknown, cause: Cause): void {
    if (this.#isClosed) return;
    if (this.#ending !== undefined) {
      if (this.#decision?.retry !== false) this.#decision = { retry: false, cause: 'exhausted' };
      return this.#close();
    }
    if (this.#decision?.retry === false) return this.#fail(error);
    this.#fail(error, cause);
  }

  /** Whether another attempt would follow if it failed with this error now. Asked once: that settles it. */
  retriesAfter(error: unknown, final?: Cause): boolean {
    const ending = this.#ending;
    if (ending === undefined ? final !== undefined : ending.as !== 'attempt failed') return false;
    this.#decision ??= this.#decide(ending?.error ?? error);
    return this.#decision.retry;
  }

  /** Takes the value that the body returned. */
  returned(value: unknown): void {
    if (this.#isClosed) return;
    if (this.#ending !== undefined) return this.#close();
    const { output } = this.task.definition;
    if (output === undefined) return this.#done(value);
    const checked = check(output, value);
    if (checked instanceof Promise) checked.then((late) => this.#checked(late));
    else this.#checked(checked);
  }

  /** Takes the error that the body threw. */
  threw(error: unknown): void {
    if (this.#isClosed) return;
    if (this.#ending !== undefined) return this.#close();
    const at = this.task.run.now();
    if (isA(error, SkipTask)) {
      this.#leave();
      this.task.send({ type: 'attempt.skipped', at, reason: textOf(error) });
    } else this.#fail(error);
  }

  /**
   * Asks the body to end. A repeated call before the body heeds its signal changes neither the signal nor the grace.
   */
  end(ending: Ending): void {
    const isFirst = this.#ending === undefined;
    this.#ending = ending;
    if (!isFirst) return;
    this.task.run.timers.cancel(this);
    this.startGrace();
    this.abort(ending.error);
  }

  /** Bounds the time that the body has left. */
  protected startGrace(): void {
    const { run, definition } = this.task;
    run.timers.set(this, definition.graceMs ?? run.config.graceMs);
  }

  /** Handles the end of the timeout, or of the grace. */
  override due(): void {
    if (this.#ending !== undefined) this.#close();
    else this.task.send({ type: 'attempt.expire', at: this.task.run.now() });
  }

  timeoutError(): TimeoutError {
    const { id, timeoutMs = 0 } = this.task.definition;
    return new TimeoutError(`Attempt ${this.number} of task \`${id}\``, 'timeoutMs', timeoutMs);
  }

  /** Ends the attempt without telling the task, whose actor is being stopped. */
  stop(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.task.run.timers.cancel(this);
    this.abort(new EngineStoppedError('The run was stopped'));
  }

  log(message: string, data: unknown): void {
    const { run, definition } = this.task;
    run.logger.info(`[${run.definition.name} ${run.id} ${definition.id} #${this.number}] ${message}`, data);
    run.logged({ taskId: definition.id, attempt: this.number, at: run.now(), message, data });
  }

  progress(fraction: number, note: string | undefined): void {
    if (this.#isClosed || this.#ending !== undefined) return;
    const between = Math.min(Math.max(Number(fraction) || 0, 0), 1);
    this.task.send({ type: 'attempt.progress', at: this.task.run.now(), fraction: between, note });
  }

  #checked(checked: Checked): void {
    if (this.#isClosed) return;
    if (this.#ending !== undefined) return this.#close();
    if (checked.ok) return this.#done(checked.value);
    this.#fail(new OutputError(this.task.definition.id, checked.issues), 'output');
  }

  #done(output: unknown): void {
    const { texts } = this.task.run;
    const refusal = texts === undefined ? undefined : this.#refusalBy(texts, output);
    if (refusal !== undefined) return this.#fail(refusal, 'output');
    this.#leave();
    this.task.returned(this.task.run.now(), output);
  }

  /** The error of an output that the store cannot write; `undefined` if it can. */
  #refusalBy(texts: ValueTexts, output: unknown): OutputError | undefined {
    try {
      texts.check(output);
      return undefined;
    } catch (error) {
      return new OutputError(this.task.definition.id, issuesOf(error), { cause: error });
    }
  }

  /** Fails for good if a cause is given; otherwise the retry policy decides. */
  #fail(error: unknown, final?: Cause): void {
    this.#leave();
    const { run, definition } = this.task;
    const at = run.now();
    const decision =
      final === undefined
        ? (this.#decision ?? this.#decide(error))
        : ({ retry: false, cause: final } as const);
    const shown = viewError(error);
    if (decision.retry) {
      this.task.send({
        type: 'attempt.failed',
        at,
        error: shown,
        cause: 'exhausted',
        retryAt: at + decision.waitMs,
      });
      return;
    }
    if ('defect' in decision)
      run.logger.error(`Task \`${definition.id}\`: ${decision.defect?.message}`, decision.defect);
    const cause = isA(error, TimeoutError) ? 'timeout' : decision.cause;
    run.noteFailure(error, this.task.index);
    this.task.send({ type: 'attempt.failed', at, error: shown, cause });
  }

  #decide(error: unknown): RetryDecision {
    const { run, definition, elapsedMs } = this.task;
    return planRetry(definition.retry, { attempt: this.number, elapsedMs, error, random: run.random });
  }

  /** Closes an ended attempt whose body settled or was abandoned. */
  #close(): void {
    const { as, cause, error, reason } = this.#ending as Ending;
    if (as === 'attempt failed') this.#fail(error);
    else if (as === 'task failed') this.#fail(error, cause);
    else {
      this.#leave();
      this.task.send({ type: 'attempt.cancelled', at: this.task.run.now(), cause, reason });
    }
  }

  #leave(): void {
    this.#isClosed = true;
    if (this.line !== undefined) this.task.run.timers.cancel(this);
    this.task.leaveSlot();
  }
}
