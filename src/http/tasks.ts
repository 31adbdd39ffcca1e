import type { AnyActorLogic, OutputFrom } from 'xstate';
import type { AnyFlow, InputOf, ReturnedBy, StartArguments } from '../flow-types.ts';
import type { PerformScope, Run, StartOptions, TriggerRule } from '../index.ts';
import { badOption } from '../model/check.ts';
import type { TaskOptions } from '../model/definition.ts';
import type { Batch } from './batch.ts';
import { captureContext, type TaskOwner } from './context.ts';
import { readTaskFunction } from './create-task.ts';
import type { ActorTask, Dependency, PerformTask, TaskHandle } from './task-types.ts';

/** Where tasks go that are added. */
export interface Collector extends TaskOwner {
  readonly runId: string;
  /** Whether anything of the response has been sent: nothing can be thrown before that any more. */
  readonly isSent: boolean;
  /** For tasks that name none. */
  readonly pool: string | undefined;
  /** When the next one of the list starts. */
  readonly rule: 'all_settled' | 'all_success';
  /** What has been collected since the last run began. */
  readonly batch: Batch | undefined;
  /** The batch to add to. Throws BusyError where there is no room for one. */
  collect(): Batch;
  /** A task depends on one that is still to come: to be checked before the response is sent. */
  watchHead(): void;
  start(flow: AnyFlow, input: unknown, options: StartOptions): Promise<Run>;
}

/**
 * What is to be done after the response. Handlers add to it; the work begins once the response has been handed to the
 * socket, and the client does not wait for it.
 *
 * Tasks that are added after that, by a task or by a handler that goes on, form a run of their own, which follows the
 * one under way.
 */
export class BackgroundTasks {
  readonly #collector: Collector;

  /** Made by the adapters; `background.open()` gives one outside of them. @internal */
  constructor(collector: Collector) {
    this.#collector = collector;
  }

  /** Id of the run that the tasks of this response will be; known now, so that the answer can name it. */
  get runId(): string {
    return this.#collector.runId;
  }

  /**
   * Adds a function at the end of the list: it is called with the arguments when the one before it has settled.
   * What it throws fails its own task and no other, unless `onError` is `stop`.
   *
   * @throws BusyError where there is no room; ArgumentsError where its schema (`createTask`) refuses them
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
   * Adds a task as `flow.task` does: beside the list, with dependencies, retries and limits of its own. Those that it
   * depends on may be added later, until the response is sent.
   *
   * @throws FlowError for a duplicate, a cycle or an option that will not do; a dependency that is never added is
   * thrown where the response is sent, before any of it is. BusyError where there is no room
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
   * Starts a flow, for after the response: its input is checked and the store has the run when this resolves, paused
   * until the response has gone. Where the handler throws after that, the run is cancelled.
   *
   * @throws InputError where the schema refuses the input; BusyError where there is no room
   */
  start<F extends AnyFlow>(flow: F, ...given: StartArguments<InputOf<F>>): Promise<Run<ReturnedBy<F>>> {
    const [input, options] = given as [unknown?, StartOptions?];
    return this.#collector.start(flow, input, options ?? {}) as Promise<Run<ReturnedBy<F>>>;
  }

  /**
   * Ids of the tasks added so far, in an order in which they may run: each after those that it depends on.
   *
   * @throws FlowError where one depends on a task that is not there
   */
  order(): string[] {
    return this.#collector.batch?.order() ?? [];
  }

  /**
   * Takes a place among the pending runs now, as the first `add` or `task` would: to be called before a handler does
   * what it could not take back.
   *
   * @throws BusyError where there is no room
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
