import type { AnyActorLogic, NonReducibleUnknown, OutputFrom } from 'xstate';
import type {
  ChildInput,
  ElementOf,
  FlowMapOptions,
  FlowTaskOptions,
  ItemInput,
  PerformMapOptions,
} from './child-types.ts';
import { EngineRuns } from './engine/engine.ts';
import { quiet, type Run } from './engine/run.ts';
import type { FlowLogic, RunMachine } from './engine/run-logic.ts';
import type {
  Absence,
  AbsenceOf,
  ActorOptions,
  Added,
  AddedFlow,
  AddedMap,
  Answers,
  AnyFlow,
  BodiesFor,
  ByTask,
  FlowTypes,
  InnerOf,
  OutputsOf,
  PerformOptions,
  ResultOf,
  ReturnedBy,
  SkipsBy,
  StartArguments,
} from './flow-types.ts';
import type {
  GraphBodies,
  GraphBodiesById,
  GraphBody,
  GraphIds,
  GraphPerform,
  GraphTasks,
  NoOthers,
} from './graph-types.ts';
import { showValue } from './model/check.ts';
import { defineFlowTask, defineMapTask } from './model/define-child.ts';
import { checkFlow, defineTask } from './model/define-task.ts';
import { defineDeliveryTask, defineSleepTask, type WaitOptions } from './model/define-wait.ts';
import {
  FlowDefinition,
  type FlowSettings,
  type TaskDefinition,
  type Tolerance,
} from './model/definition.ts';
import { FlowError } from './model/error.ts';
import { brandLogic, flowBrand } from './model/flow-brand.ts';
import type { Graph } from './model/graph.ts';
import { cycleError, duplicateTask, unknownDependency } from './model/graph-check.ts';
import { type Bodies, defineGraph, type GraphDefinition } from './model/graph-definition.ts';
import { provideBodies } from './model/provide-bodies.ts';
import type { Schema, SchemaInput, SchemaOutput } from './model/schema.ts';
import type { TriggerRule } from './model/trigger-rule.ts';
import type { AwaitedOf, DeliveryOptions, LateOption, SkipsLate, SleepOptions } from './wait-types.ts';

/** Options of a flow, with its input typed by a schema. */
export interface FlowOptions<InputSchema, Returned> extends Omit<FlowSettings, 'input' | 'output'> {
  /** Checks a run's input before anything starts; tasks get what it returns. Default: any input. */
  readonly input?: InputSchema | undefined;
  /**
   * Makes the run's output from the tasks' outputs, by id. It must return at once. Default: these outputs. To have
   * `deps` typed, call the method of the same name after the last task instead.
   */
  readonly output?:
    | ((args: {
        readonly input: TakenInput<InputSchema>;
        readonly deps: Record<string, unknown>;
      }) => Returned)
    | undefined;
}

/** The input with which a run is started, by the schema of the input. */
export type GivenInput<InputSchema> = [InputSchema] extends [Schema] ? SchemaInput<InputSchema> : unknown;
/** The input that tasks get, by its schema. */
export type TakenInput<InputSchema> = [InputSchema] extends [Schema] ? SchemaOutput<InputSchema> : unknown;

/** XState's type for any input; with `unknown`, the function that `invoke` takes as `input` would lose its type. */
export type ActorInput<Input> = unknown extends Input ? NonReducibleUnknown : Input;

/**
 * An immutable definition of tasks and their dependencies, from which runs are started. Each method returns a new flow.
 */
export class Flow<Input = unknown, Taken = Input, Tasks = unknown, Made = ByTask> {
  readonly name: string;
  /** Carries the types; there is no value. */
  declare readonly types?: FlowTypes<Input, Tasks, ResultOf<Tasks, Made>>;
  readonly #settings: FlowSettings;
  readonly #tasks: TaskList;
  #definition: FlowDefinition | undefined;
  #logic: AnyActorLogic | undefined;
  #machine: ReturnType<EngineRuns['machine']> | undefined;

  static {
    // Not a property in the types: declarations could not name its key.
    Object.defineProperty(Flow.prototype, flowBrand, { value: true });
  }

  /** Use `createFlow`. @internal */
  constructor(name: string, settings: FlowSettings, tasks: TaskList, definition?: FlowDefinition) {
    this.name = name;
    this.#settings = settings;
    this.#tasks = tasks;
    this.#definition = definition;
  }

  /**
   * Adds a task. Its dependencies must already be in the flow, so a flow built this way has no cycles.
   *
   * @throws FlowError if the id, a dependency, an option or the body is invalid
   */
  task<
    const Id extends string,
    Returned,
    const Ids extends readonly string[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    const Optional extends boolean = false,
    const Skippable extends boolean = false,
    Output = Awaited<Returned>,
    Answer extends Answers = never,
    Absent extends Absence = AbsenceOf<Tasks, Ids, Rule, Optional, Skippable | SkipsBy<Answer>>,
  >(
    id: Id,
    options: PerformOptions<Tasks, Taken, Ids, Rule, Optional, Skippable, Returned, Output, Answer>,
  ): Flow<Input, Taken, Tasks & Added<Id, Output, Ids, Rule, Absent>, Made>;
  task<
    const Id extends string,
    Logic extends AnyActorLogic,
    const Ids extends readonly string[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    const Optional extends boolean = false,
    const Skippable extends boolean = false,
    Output = OutputFrom<Logic>,
    Answer extends Answers = never,
    Absent extends Absence = AbsenceOf<Tasks, Ids, Rule, Optional, Skippable | SkipsBy<Answer>>,
  >(
    id: Id,
    options: ActorOptions<Tasks, Taken, Ids, Rule, Optional, Skippable, Logic, Output, Answer>,
  ): Flow<Input, Taken, Tasks & Added<Id, Output, Ids, Rule, Absent>, Made>;
  task(id: string, options: object): never {
    // The overloads type the result; the implementation cannot express their types.
    return new Flow(
      this.name,
      this.#settings,
      this.#tasks.with(this.name, defineTask(this.name, id, options)),
    ) as never;
  }

  /**
   * Adds a task that is one run of another flow, a child run. Its output is the output of that run.
   *
   * @throws FlowError if the id, a dependency or an option is invalid
   */
  flow<
    const Id extends string,
    F extends AnyFlow,
    const Ids extends readonly string[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    const Optional extends boolean = false,
    Output = ReturnedBy<F>,
    Inner = InnerOf<F>,
    Answer extends Answers = never,
    Absent extends Absence = AbsenceOf<Tasks, Ids, Rule, Optional, SkipsBy<Answer>>,
  >(
    id: Id,
    options: FlowTaskOptions<Tasks, Taken, Ids, Rule, Optional, F, Answer> & ChildInput<F>,
  ): Flow<Input, Taken, Tasks & AddedFlow<Id, Output, Inner, Ids, Rule, Absent>, Made> {
    const task = defineFlowTask(this.name, id, options as object);
    return new Flow(this.name, this.#settings, this.#tasks.with(this.name, task)) as never;
  }

  /**
   * Adds a task that does the same with each item of a list, which is known when the task starts. Its output is the list
   * of the items' outputs, in the order of the items.
   *
   * @throws FlowError if the id, a dependency or an option is invalid
   */
  map<
    const Id extends string,
    Item,
    Returned,
    const Ids extends readonly string[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    const Optional extends boolean = false,
    const Skippable extends boolean = false,
    const Tolerate extends Tolerance | undefined = undefined,
    Output = Awaited<Returned>,
    Answer extends Answers = never,
    Absent extends Absence = AbsenceOf<Tasks, Ids, Rule, Optional, SkipsBy<Answer>>,
  >(
    id: Id,
    options: PerformMapOptions<
      Tasks,
      Taken,
      Ids,
      Rule,
      Optional,
      Item,
      Skippable,
      Tolerate,
      Returned,
      Output,
      Answer
    >,
  ): Flow<
    Input,
    Taken,
    Tasks & AddedMap<Id, Item, Output, ElementOf<Output, Skippable, Tolerate>, never, Ids, Rule, Absent>,
    Made
  >;
  map<
    const Id extends string,
    Item,
    F extends AnyFlow,
    const Ids extends readonly string[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    const Optional extends boolean = false,
    const Skippable extends boolean = false,
    const Tolerate extends Tolerance | undefined = undefined,
    Output = ReturnedBy<F>,
    Inner = InnerOf<F>,
    Answer extends Answers = never,
    Absent extends Absence = AbsenceOf<Tasks, Ids, Rule, Optional, SkipsBy<Answer>>,
  >(
    id: Id,
    options: FlowMapOptions<Tasks, Taken, Ids, Rule, Optional, Item, Skippable, Tolerate, F, Output, Answer> &
      ItemInput<F, Item>,
  ): Flow<
    Input,
    Taken,
    Tasks & AddedMap<Id, Item, Output, ElementOf<Output, Skippable, Tolerate>, Inner, Ids, Rule, Absent>,
    Made
  >;
  map(id: string, options: object): never {
    const task = defineMapTask(this.name, id, options);
    return new Flow(this.name, this.#settings, this.#tasks.with(this.name, task)) as never;
  }

  /**
   * Adds a task that waits for a value from outside, which `run.deliver` brings. It holds no slot meanwhile. Its output is
   * the value.
   *
   * @throws FlowError if the id, a dependency or an option is invalid
   */
  waitFor<
    const Id extends string,
    const Ids extends readonly string[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    const Optional extends boolean = false,
    ValueSchema extends Schema | undefined = undefined,
    const Late extends LateOption = 'fail',
    Answer extends Answers = never,
    Absent extends Absence = AbsenceOf<Tasks, Ids, Rule, Optional, SkipsBy<Answer> | SkipsLate<Late>>,
  >(
    id: Id,
    options: DeliveryOptions<Tasks, Taken, Ids, Rule, Optional, ValueSchema, Late, Answer> = {},
  ): Flow<Input, Taken, Tasks & Added<Id, AwaitedOf<ValueSchema, Late>, Ids, Rule, Absent>, Made> {
    const task = defineDeliveryTask(this.name, id, options as WaitOptions);
    return new Flow(this.name, this.#settings, this.#tasks.with(this.name, task)) as never;
  }

  /**
   * Adds a task that waits until an instant of the time of day, and holds no slot meanwhile. Its output is that instant, in
   * epoch milliseconds.
   *
   * @throws FlowError if the id, a dependency or an option is invalid
   */
  sleep<
    const Id extends string,
    const Ids extends readonly string[] = readonly [],
    const Rule extends TriggerRule = 'all_success',
    const Optional extends boolean = false,
    Answer extends Answers = never,
    Absent extends Absence = AbsenceOf<Tasks, Ids, Rule, Optional, SkipsBy<Answer>>,
  >(
    id: Id,
    options: SleepOptions<Tasks, Taken, Ids, Rule, Optional, Answer>,
  ): Flow<Input, Taken, Tasks & Added<Id, number, Ids, Rule, Absent>, Made> {
    const task = defineSleepTask(this.name, id, options as WaitOptions);
    return new Flow(this.name, this.#settings, this.#tasks.with(this.name, task)) as never;
  }

  /**
   * Defines the run's output, made from its input and the tasks' outputs, including those of tasks added later. `make`
   * must return at once; an error that it throws fails the run, cause `output`.
   */
  output<Output>(
    make: (args: { readonly input: Taken; readonly deps: OutputsOf<Tasks> }) => Output,
  ): Flow<Input, Taken, Tasks, Output> {
    return new Flow(this.name, { ...this.#settings, output: make as never }, this.#tasks);
  }

  /**
   * Returns the same flow with other bodies for some tasks, as `machine.provide` does for actions. A task that is a run of
   * a flow takes `{ flow }`, another one with the same input and output, `{ tasks }`, bodies for tasks inside its flow, or
   * a body like any other task's. A map takes `{ perform }`, another body for its items, and `{ over }`, another list.
   *
   * @throws FlowError for an unknown task or an invalid body
   */
  provide(bodies: BodiesFor<Tasks, Taken>): Flow<Input, Taken, Tasks, Made> {
    return flowOf(provideBodies(this.definition, bodies)) as never;
  }

  /** Its tasks and their dependencies. */
  get graph(): Graph {
    return this.definition.graph;
  }

  /** The definition that an engine runs: checked, with defaults filled in. */
  get definition(): FlowDefinition {
    this.#definition ??= new FlowDefinition(this.name, this.#settings, this.#tasks.all());
    return this.#definition;
  }

  /**
   * Actor logic of a run, compiled: for `createActor`, `invoke`, `spawn`. Takes the run's input; the context of its
   * snapshot is a RunView, its output a RunResult. Bound to the default engine.
   */
  get logic(): FlowLogic<ActorInput<Input>, ResultOf<Tasks, Made>> {
    this.#logic ??= brandLogic(defaultEngine().logic(this.definition), this.name);
    return this.#logic as FlowLogic<ActorInput<Input>, ResultOf<Tasks, Made>>;
  }

  /** The same run, interpreted: an XState machine, for diagrams, small flows and XState's own tools. */
  get machine(): RunMachine<ActorInput<Input>, ResultOf<Tasks, Made>> {
    this.#machine ??= brandLogic(defaultEngine().machine(this.definition), this.name);
    return this.#machine as RunMachine<ActorInput<Input>, ResultOf<Tasks, Made>>;
  }

  /**
   * Starts a run on the default engine: in memory, without a limit of attempts. Resolves once the input is accepted and
   * the run has started. Does not reject when the run fails: see `settled` and `outputs`.
   *
   * @throws InputError if the schema refuses the input
   */
  start(...[input, options]: StartArguments<Input>): Promise<Run<ResultOf<Tasks, Made>>> {
    return quiet(defaultEngine().start(this.definition, input, options)) as Promise<
      Run<ResultOf<Tasks, Made>>
    >;
  }

  /** Starts a run and resolves with its output. Rejects with RunFailedError if it ends `failed` or `cancelled`. */
  run(...[input, options]: StartArguments<Input>): Promise<ResultOf<Tasks, Made>> {
    const run = defaultEngine().start(this.definition, input, options) as Promise<Run<ResultOf<Tasks, Made>>>;
    return quiet(run.then((started) => started.outputs()));
  }
}

/** Starts the definition of a flow; add tasks with `task`. */
export function createFlow<InputSchema extends Schema | undefined = undefined, Returned = ByTask>(
  name: string,
  options: FlowOptions<InputSchema, Returned> = {},
): Flow<GivenInput<InputSchema>, TakenInput<InputSchema>, unknown, Returned> {
  // `output` gets the input as the schema returned it, which fits its type.
  const settings = options as FlowSettings;
  checkFlow(name, settings);
  return new Flow(name, settings, new TaskList());
}

/** Whether a value is a flow, including one of another copy of topple. */
export function isFlow(value: unknown): value is Flow<never, never, never, never> {
  return typeof value === 'object' && value !== null && flowBrand in value;
}

/** The definition of a flow; throws FlowError if the value is no flow. */
export function definitionOf(flow: unknown): FlowDefinition {
  if (isFlow(flow)) return flow.definition;
  throw new FlowError('bad_option', `Expected a flow, made by \`createFlow\`, but got ${showValue(flow)}.`, {
    value: flow,
  });
}

/** The flow of a definition whose tasks have been checked. */
export function flowOf(definition: FlowDefinition): Flow {
  return new Flow(definition.name, definition.settings, TaskList.of(definition.tasks), definition);
}

/**
 * Makes a flow of data: `{ tasks: { id: { dependsOn, … } } }`, in linear time. Outputs have the types of the bodies'
 * results, also where ids are known only at run time.
 *
 * @param bodies one `perform` for all tasks, or a body for each, by id
 * @throws FlowError if the data is no valid flow: a cycle with its path, an unknown dependency, a bad option, …
 */
export function createFlowFromGraph<Output = never>(
  definition: GraphDefinition,
  bodies: [Output] extends [never] ? never : GraphBodies<NoInfer<Output>>,
): Flow<unknown, unknown, unknown, Record<string, Output>>;
export function createFlowFromGraph<Output>(
  definition: GraphDefinition,
  bodies: GraphPerform<Output, Record<string, unknown>> | ReadonlyMap<string, GraphBody<Output>>,
): Flow<unknown, unknown, unknown, Record<string, Output>>;
export function createFlowFromGraph<
  const Definition extends GraphDefinition,
  Bodies extends GraphBodiesById<Definition>,
>(
  definition: Definition,
  bodies: Bodies & NoOthers<GraphIds<Definition>, Bodies>,
): Flow<unknown, unknown, GraphTasks<Definition, Bodies>>;
export function createFlowFromGraph(definition: GraphDefinition, bodies: unknown): never {
  // The overloads type the result; the implementation cannot express their types.
  return flowOf(defineGraph(definition, bodies as Bodies)) as never;
}

/**
 * Tasks in definition order. Flows built on one another share the array: a list is its first `size` items, and only the
 * longest list may add to it, so a chain of n tasks costs O(n).
 */
class TaskList {
  readonly #tasks: TaskDefinition[];
  readonly #size: number;
  /** Made when a task is added. */
  #indexes: Map<string, number> | undefined;

  constructor(tasks: TaskDefinition[] = [], indexes?: Map<string, number>) {
    this.#tasks = tasks;
    this.#size = tasks.length;
    this.#indexes = indexes;
  }

  static of(tasks: readonly TaskDefinition[]): TaskList {
    return new TaskList([...tasks]);
  }

  all(): readonly TaskDefinition[] {
    return this.#tasks.slice(0, this.#size);
  }

  with(flow: string, task: TaskDefinition): TaskList {
    const { id } = task;
    if (this.#tasks.length > this.#size) return TaskList.of(this.all()).with(flow, task);
    this.#indexes ??= new Map(this.#tasks.map((known, index) => [known.id, index]));
    if (this.#indexes.has(id)) throw duplicateTask(flow, id);
    for (const dependency of task.dependsOn) {
      if (dependency === id) throw cycleError(flow, [id, id]);
      if (!this.#indexes.has(dependency))
        throw unknownDependency(flow, id, dependency, [...this.#indexes.keys()]);
    }
    this.#tasks.push(task);
    this.#indexes.set(id, this.#size);
    return new TaskList(this.#tasks, this.#indexes);
  }
}

let engine: EngineRuns | undefined;

function defaultEngine(): EngineRuns {
  engine ??= new EngineRuns({ keepSettled: 0 });
  return engine;
}
