import { isThenable, showValue } from '../model/check.ts';
import type { DeliveryBody, SleepBody, TaskDefinition, WaitBody } from '../model/definition.ts';
import { CancelledError, issuesOf, OutputError, TimeoutError, viewError } from '../model/error.ts';
import type { ConditionScope, Outcome, WaitScope } from '../model/perform.ts';
import { type Alarm, Alarms } from './alarms.ts';
import type { Pending, PendingTask, Waits } from './pending.ts';
import type { Timer, Timers } from './timers.ts';

/** Asks conditions, and knows until when tasks wait. */
export class EngineWaits implements Waits {
  readonly #alarms = new WeakMap<Timers, Alarms>();

  ask(task: PendingTask): Pending {
    return new Question(task);
  }

  plan(task: PendingTask, readyAt: number): Pending {
    return new WaitPlan(task, readyAt);
  }

  until(task: PendingTask, at: number | undefined): Pending {
    const alarms = this.#alarmsOf(task.run.timers);
    const alarm = at === undefined ? undefined : alarms.set(at, () => waitedLong(task, at));
    return new Waiting(alarms, alarm);
  }

  /** One for each clock: the runs on it share it. */
  #alarmsOf(timers: Timers): Alarms {
    let alarms = this.#alarms.get(timers);
    if (alarms === undefined) {
      alarms = new Alarms(timers);
      this.#alarms.set(timers, alarms);
    }
    return alarms;
  }
}

/** A condition that is asked, once. */
class Question implements Pending {
  readonly #task: PendingTask;
  #controller: AbortController | undefined;
  #limit: Timer | undefined;
  #isClosed = false;

  constructor(task: PendingTask) {
    this.#task = task;
  }

  begin(): void {
    if (this.#isClosed) return;
    const { run, definition } = this.#task;
    const { when, totalTimeoutMs } = definition;
    if (totalTimeoutMs !== undefined) this.#limit = run.timers.after(totalTimeoutMs, () => this.#expire());
    try {
      const answer: unknown = when?.(new AskedScope(this.#task, () => this.#signal));
      if (!isThenable(answer)) return run.next(() => this.#take(answer));
      Promise.resolve(answer).then(
        (late) => this.#take(late),
        (error) => this.#threw(error),
      );
    } catch (error) {
      run.next(() => this.#threw(error));
    }
  }

  stop(): void {
    if (this.#isClosed) return;
    this.#close();
    this.#controller?.abort(new CancelledError(`Task \`${this.#task.definition.id}\` has ended`));
  }

  get #signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  #take(answer: unknown): void {
    if (this.#isClosed) return;
    if (typeof answer !== 'boolean')
      return this.#threw(
        new TypeError(
          `\`when\` of task \`${this.#task.definition.id}\` must return true or false, but returned ${showValue(answer)}`,
        ),
      );
    this.#close();
    const at = this.#task.run.now();
    if (answer) this.#task.send({ type: 'condition.true', at });
    else this.#task.send({ type: 'condition.false', at, cause: 'condition' });
  }

  #threw(error: unknown): void {
    if (this.#isClosed) return;
    this.#close();
    const { run, index } = this.#task;
    run.noteFailure(error, index);
    this.#task.send({ type: 'condition.threw', at: run.now(), error: viewError(error), cause: 'condition' });
  }

  #expire(): void {
    const { run, index, definition } = this.#task;
    if (this.#isClosed || run.isEnding) return;
    const { id, totalTimeoutMs = 0 } = definition;
    const error = new TimeoutError(`The condition of task \`${id}\``, 'totalTimeoutMs', totalTimeoutMs);
    this.#close();
    this.#controller?.abort(error);
    run.noteFailure(error, index);
    this.#task.send({ type: 'task.expire', at: run.now(), cause: 'timeout', error: viewError(error) });
  }

  #close(): void {
    this.#isClosed = true;
    this.#task.run.timers.cancel(this.#limit);
  }
}

/** Until when a task waits, while that is found. */
class WaitPlan implements Pending {
  readonly #task: PendingTask;
  readonly #readyAt: number;
  #isClosed = false;

  constructor(task: PendingTask, readyAt: number) {
    this.#task = task;
    this.#readyAt = readyAt;
  }

  begin(): void {
    const { run, index, definition } = this.#task;
    const delivery = run.deliveryFor(index);
    if (delivery !== undefined) return this.#task.delivered(run.now(), delivery.value);
    const body = definition.body as WaitBody;
    if (body.kind === 'waitFor') return this.#plan(undefined, this.#after(definition.timeoutMs));
    if (body.until === undefined) return this.#plan(this.#after(body.ms), undefined);
    // What its dependencies left must be kept before the user's code sees it. The run ends where it cannot be.
    run.whenKept().then(
      () => this.#compute(body),
      () => {},
    );
  }

  stop(): void {
    this.#isClosed = true;
  }

  #compute({ until }: SleepBody): void {
    if (this.#isClosed) return;
    const { run, index, definition } = this.#task;
    try {
      const instant = until?.(new WaitingScope(this.#task));
      const at = instant instanceof Date ? instant.getTime() : instant;
      if (typeof at !== 'number' || Number.isNaN(at))
        throw new TypeError(
          `\`until\` of task \`${definition.id}\` must return an instant, a Date or epoch milliseconds, but returned ${showValue(instant)}`,
        );
      this.#plan(at, undefined);
    } catch (error) {
      run.noteFailure(error, index);
      this.#task.send({ type: 'wait.failed', at: run.now(), error: viewError(error), cause: 'input' });
    }
  }

  #plan(until: number | undefined, timeoutAt: number | undefined): void {
    this.#isClosed = true;
    this.#task.send({
      type: 'wait.planned',
      at: this.#task.run.now(),
      ...(until !== undefined && Number.isFinite(until) && { until }),
      ...(timeoutAt !== undefined && { timeoutAt }),
    });
  }

  #after(ms: number | undefined): number | undefined {
    return ms === undefined || ms === Number.POSITIVE_INFINITY ? undefined : this.#readyAt + ms;
  }
}

/** A wait, with its alarm if it has one. */
class Waiting implements Pending {
  readonly #alarms: Alarms;
  readonly #alarm: Alarm | undefined;

  constructor(alarms: Alarms, alarm: Alarm | undefined) {
    this.#alarms = alarms;
    this.#alarm = alarm;
  }

  begin(): void {}

  stop(): void {
    if (this.#alarm !== undefined) this.#alarms.cancel(this.#alarm);
  }
}

/** The instant has come until which a task waits. */
function waitedLong(task: PendingTask, instant: number): void {
  const { run, definition } = task;
  if (run.isEnding) return;
  const at = run.now();
  const body = definition.body as WaitBody;
  if (body.kind === 'sleep') return task.send({ type: 'wait.over', at, output: instant });
  if (body.onTimeout === 'skip') return task.send({ type: 'task.skip', at, cause: 'timeout' });
  if (body.onTimeout === 'fail') return expire(task, definition, at);
  overWith(task, body, at);
}

function expire(task: PendingTask, { id, timeoutMs = 0 }: TaskDefinition, at: number): void {
  const error = new TimeoutError(`The wait of task \`${id}\``, 'timeoutMs', timeoutMs);
  task.run.noteFailure(error, task.index);
  task.send({ type: 'task.expire', at, cause: 'timeout', error: viewError(error) });
}

/** Ends a wait with the value for this case, if the store can write it. */
function overWith(task: PendingTask, { onTimeout }: DeliveryBody, at: number): void {
  const { value } = onTimeout as { readonly value: unknown };
  const { run, index, definition } = task;
  try {
    run.texts?.check(value);
  } catch (thrown) {
    const error = new OutputError(definition.id, issuesOf(thrown), { cause: thrown });
    run.noteFailure(error, index);
    return task.send({ type: 'wait.failed', at, error: viewError(error), cause: 'output' });
  }
  task.send({ type: 'wait.over', at, output: value });
}

/** What a function that says until when a task sleeps gets. Each part is made on first read. */
class WaitingScope implements WaitScope {
  readonly #task: PendingTask;
  #deps: Record<string, unknown> | undefined;
  #outcomes: Record<string, Outcome> | undefined;

  constructor(task: PendingTask) {
    this.#task = task;
  }

  get input(): unknown {
    return this.#task.run.input;
  }

  get deps(): Record<string, unknown> {
    this.#deps ??= this.#task.run.depsOf(this.#task.index);
    return this.#deps;
  }

  get outcomes(): Record<string, Outcome> {
    this.#outcomes ??= this.#task.run.outcomesOf(this.#task.index);
    return this.#outcomes;
  }

  get runId(): string {
    return this.#task.run.id;
  }

  get taskId(): string {
    return this.#task.definition.id;
  }
}

/** What a condition gets. */
class AskedScope extends WaitingScope implements ConditionScope {
  readonly #signalOf: () => AbortSignal;

  constructor(task: PendingTask, signalOf: () => AbortSignal) {
    super(task);
    this.#signalOf = signalOf;
    // Some may settle while it is asked; it sees them as they were when that began.
    void this.deps;
    void this.outcomes;
  }

  get signal(): AbortSignal {
    return this.#signalOf();
  }
}
