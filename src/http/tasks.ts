import type { AnyActorLogic, OutputFrom } from 'xstate';
import type { AnyFlow, InputOf, ReturnedBy, StartArguments } from '../flow-types.ts';
import type { PerformScope, Run, TriggerRule } from '../index.ts';
import { badOption } from '../model/check.ts';
import type { TaskOptions } from '../model/define-task.ts';
import type { Batch } from './batch.ts';
import { captureContext, type TaskOwner } from './context.ts';
import { readTaskFunction } from './create-task.ts';
import type { TasksStartOptions } from './options.ts';
import type { ActorTask, Dependency, PerformTask, TaskHandle } from './task-types.ts';

/** Receives the tasks that handlers add. */
export interface Collector extends TaskOwner {
  readonly runId: string;
  /** Whether any of the response has been sent: later errors cannot precede it. */
  readonly isSent: boolean;
  /** Pool for tasks that name none. */
  readonly pool: string | undefined;
  /** Trigger rule of the next task of the list. */
  readonly rule: 'all_settled' | 'all_success';
  /** Tasks collected since the last run began. */
  readonly batch: Batch | undefined;
  /** Returns the batch to add to. Throws BusyError if there is no room for one. */
  collect(): Batch;
  /** Notes that a task depends on one that is still to come: checked before the response is sent. */
  watchHead(): void;
  start(flow: AnyFlow, input: unknown, options: TasksStartOptions): Promise<Run>;
}

/**
 * The tasks to run after a response. Handlers add to them. They start once the response has been handed to the socket,
 * and the client does not wait for them.
 *
 * Tasks that are added later, by a task or by a handler that continues, form a run of their own, which follows the one
 * under way.
 */
export class BackgroundTasks {
  readonly #collector: Collector;

  /** Called by adapters; `background.open()` makes one outside of them. @internal */
  constructor(collector: Collector) {
    this.#collector = collector;
  }

  /** Id of the future run of this response's tasks, known now so that the response can name it. */
  get runId(): string {
    return this.#collector.runId;
  }

  /**
   * Adds a function at the end of the list: it is called with the arguments when the one before it has settled.
   * Its error fails its own task and no other, unless `onError` is `stop`.
   *
   * @throws BusyError if there is no room; ArgumentsError if its schema (`createTask`) refuses the arguments
   */
  add<Args extends readonly unknown[], Output>(
    perform: (...args: Args) => Output,
    ...args: NoInfer<Args>
  ): TaskHandle<string, Awaited<Output>> {
    const task = readTaskFunction(perform);
    const checked = task.check(args);
    const { pool, rule } = this.#collector;
    const bound = captureContext(this.#collector);
    const run = (scope: PerformScope): unknown => bound(scope, () => task.perform(...checked));
    return { id: this.#collector.collect().append(task.definition, rule, pool, run) };
  }

  /**
   * Adds a task as `flow.task` does: beside the list, with its own dependencies, retries and limits. Its dependencies
   * may be added later, until the response is sent.
   *
   * @throws FlowError for a duplicate, a cycle or an invalid option; for a dependency that is never added, when the
   * response is sent, before any of it leaves. BusyError if there is no room
   */
  task<
    const Id extends string,
    Returned,
    const List extends readonly Dependency[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    Output = Awaited<Returned>,
  >(id: Id, options: PerformTask<List, Rule, Returned, Output>): TaskHandle<Id, Output>;
  task<
    const Id extends string,
    Logic extends AnyActorLogic,
    const List extends readonly Dependency[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    Output = OutputFrom<Logic>,
  >(id: Id, options: ActorTask<List, Rule, Logic, Output>): TaskHandle<Id, Output>;
  task(id: string, options: TaskOptions): TaskHandle {
    if (typeof id !== 'string') throw badOption({ option: 'id', owner: 'tasks.task' }, 'a string', id);
    const collector = this.#collector;
    const batch = collector.collect();
    batch.add(id, withPool(withIds(options), collector.pool), captureContext(collector), !collector.isSent);
    if (batch.isIncomplete) collector.watchHead();
    return { id };
  }

  /**
   * Starts a flow that runs after the response. When the promise resolves, the input is checked and the store has the
   * run, paused until the response has gone. If the handler throws after that, the run is cancelled. If the process dies
   * before that, the run goes on once it is recovered.
   *
   * With an idempotency key it may be the run of an earlier request, which this one changes nothing of.
   *
   * @throws InputError if the schema refuses the input; IdempotencyError if the key was used with another one, or names a
   * run of another version of the flow; BusyError if there is no room
   */
  start<F extends AnyFlow>(
    flow: F,
    ...given: StartArguments<InputOf<F>, TasksStartOptions>
  ): Promise<Run<ReturnedBy<F>>> {
    const [input, options] = given as [unknown?, TasksStartOptions?];
    return this.#collector.start(flow, input, options ?? {}) as Promise<Run<ReturnedBy<F>>>;
  }

  /**
   * Returns the ids of the tasks added so far, in an order in which they may run: each after its dependencies.
   *
   * @throws FlowError if a task depends on a missing one
   */
  order(): string[] {
    return this.#collector.batch?.order() ?? [];
  }

  /**
   * Takes a place among the pending runs now, as the first `add` or `task` would. Call it before the handler does
   * something that it cannot undo.
   *
   * @throws BusyError if there is no room
   */
  reserve(): void {
    this.#collector.collect();
  }
}

function withPool(options: TaskOptions, pool: string | undefined): TaskOptions {
  return pool === undefined || options.pool !== undefined ? options : { ...options, pool };
}

function withIds(options: TaskOptions): TaskOptions {
  const dependsOn = options?.dependsOn as readonly Dependency[] | undefined;
  if (!Array.isArray(dependsOn)) return options;
  return {
    ...options,
    dependsOn: dependsOn.map((dependency) => (typeof dependency === 'string' ? dependency : dependency?.id)),
  };
}
