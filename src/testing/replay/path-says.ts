import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import { TimeoutError, viewError } from '../../model/error.ts';
import type { ParentTask, RunSettings } from '../../model/journal.ts';
import { hasChild } from '../model/child-flow.ts';
import type { ModelFact } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import type { Said } from './expected-entry.ts';
import { EndsWith, unjudged } from './fits.ts';
import { stepMs, type Timetable } from './timetable.ts';

/** The reason of a path's cancel. */
export const saidOfCancel = 'told to';

/** The real values on a path, so that schemas and the flow's `output` may see them. */
export interface Real {
  readonly hasInput: boolean;
  readonly isReal: (task: number) => boolean;
}

/** What a child run has from the run above it. */
export interface Above {
  /** Its task, and the attempt for which it runs. */
  readonly parent: () => ParentTask;
  /** The run whose done tasks it has. */
  readonly continues: string | undefined;
  /** The reason of a cancel that comes from above. */
  readonly reason: () => unknown;
  /** The input of the run above, for the items of a map; those are its own input. */
  readonly mapInput: (() => unknown) | undefined;
}

/** What a run has from the other runs of its tree. */
export interface Tree {
  /** Of a child run. */
  readonly above: Above | undefined;
  /** The output of a task that was done in the run that this one continues. */
  readonly earlierOutputOf: (task: number) => unknown;
  /** The output of a task whose body is a run. */
  readonly outputOf: (task: number) => unknown;
  /** How many tasks of a task's child had settled in the run that this one continues. */
  readonly earlierCountsOf: (task: number) => object | undefined;
  /** How many tasks of that run have settled, and how; `undefined` if there is no such run. */
  readonly countsOf: (task: number) => object | undefined;
}

const alone: Tree = {
  above: undefined,
  earlierOutputOf: () => undefined,
  outputOf: () => undefined,
  countsOf: () => undefined,
  earlierCountsOf: () => undefined,
};

/** The values on a path so far: the input, the outputs and errors of bodies, the limits that passed. */
export class PathSays implements Said {
  readonly runId: string;
  readonly settings: RunSettings;
  /** The input as it was given. */
  readonly given: unknown;
  readonly above: Above | undefined;
  readonly #tree: Tree;
  readonly #definition: FlowDefinition;
  readonly #timetable: Timetable;
  readonly #real: Real;
  readonly #outputs = new Map<number, unknown>();
  readonly #failures = new Map<number, object>();
  readonly #undoFailures = new Map<number, object>();
  /** Whether it was told by its parent what it is told. */
  isFromAbove = false;
  #reason: unknown;
  #number = 0;

  /**
   * @param settings the run's settings beside its flow
   * @param tree what it has from other runs. Default: it is alone
   */
  constructor(
    runId: string,
    definition: FlowDefinition,
    timetable: Timetable,
    real: Real,
    input: unknown,
    settings: RunSettings,
    tree: Tree = alone,
  ) {
    this.above = tree.above;
    this.#tree = tree;
    this.runId = runId;
    this.#definition = definition;
    this.#timetable = timetable;
    this.#real = real;
    this.given = input;
    this.settings = settings;
  }

  /**
   * Starts the next step.
   *
   * @param step `undefined` if the run only hears of another
   * @param facts of the step: a run that ends early by itself says why
   */
  begin(step: Step | undefined, number: number, facts: readonly ModelFact[]): void {
    this.#number = number;
    for (const { fact } of facts)
      if (fact.type === 'run.cancelling' && fact.cause === 'tolerance') this.#reason = fact.reason;
    if (step === undefined) return;
    const { kind, task } = step;
    if (kind === 'cancel') this.#reason = this.isFromAbove ? this.above?.reason() : saidOfCancel;
    if (kind === 'out of time') this.#reason = new EndsWith(textOf('totalTimeoutMs', this.runMs()));
    if (kind === 'rerun') this.#reason = undefined;
    if (kind === 'times out') this.#failures.set(task, this.#timeout('timeoutMs', this.attemptMs(task)));
    if (kind === 'delivered') this.#outputs.set(task, this.deliveryOf(task));
    if (kind === 'wakes') this.#outputs.set(task, number * stepMs);
    if (kind === 'waits too long') this.#endLate(task);
    if (kind === 'expires') this.#failures.set(task, this.#timeout('totalTimeoutMs', this.taskMs(task)));
  }

  /** The value that is delivered to a task. */
  deliveryOf(task: number): unknown {
    return `${this.#definition.graph.ids[task]} value`;
  }

  /** The instants until which a task waits that begins to. */
  waitOf(task: number): { readonly until?: number; readonly timeoutAt?: number } {
    const { body, timeoutMs = Number.POSITIVE_INFINITY } = this.#definition.tasks[task] as TaskDefinition;
    const end =
      this.#timetable.readyAt(task, this.#number) + this.#timetable.longestWaitMs(task, this.#number);
    if (body.kind === 'sleep') return { until: end };
    return timeoutMs === Number.POSITIVE_INFINITY ? {} : { timeoutAt: end };
  }

  /** The reason for which the child of a task is cancelled: that of the run, or a limit of the task. */
  reasonBelow(task: number): unknown {
    const failure = this.#failures.get(task) as { readonly message?: unknown } | undefined;
    return this.#reason ?? failure?.message;
  }

  /** The run of a child task has ended, other than `done`. */
  childFailed(task: number): void {
    this.#failures.set(task, { name: 'RunFailedError', message: unjudged, stack: unjudged });
  }

  returned(task: number, output: unknown): void {
    this.#outputs.set(task, output);
  }

  threw(task: number, error: unknown): void {
    const { name, message } = viewError(error);
    this.#failures.set(task, { name, message, stack: unjudged });
  }

  /** The undo of a task has failed. */
  undoThrew(task: number, error: unknown): void {
    const { name, message } = viewError(error);
    this.#undoFailures.set(task, { name, message, stack: unjudged });
  }

  undoFailureOf(task: number): object | undefined {
    return this.#undoFailures.get(task);
  }

  get input(): unknown {
    const isChecked = this.#definition.settings.input !== undefined && this.#real.hasInput;
    return isChecked ? unjudged : this.given;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** The result; `output` is called only if all values are real. */
  get result(): unknown {
    const { tasks, settings } = this.#definition;
    const isMade = this.#real.hasInput && tasks.every((_, task) => this.#real.isReal(task));
    return settings.output !== undefined && isMade ? unjudged : undefined;
  }

  /** Gives a task's output; a schema may have changed the body's value. */
  outputOf(task: number): unknown {
    const definition = this.#definition.tasks[task] as TaskDefinition;
    if (hasChild(definition)) return this.#tree.outputOf(task) ?? this.#tree.earlierOutputOf(task);
    if (!this.#outputs.has(task)) return this.#tree.earlierOutputOf(task);
    const { output } = definition;
    return output !== undefined && this.#real.isReal(task) ? unjudged : this.#outputs.get(task);
  }

  countsOf(task: number): object | undefined {
    return this.#tree.countsOf(task) ?? this.#tree.earlierCountsOf(task);
  }

  failureOf(task: number): object | undefined {
    return this.#failures.get(task);
  }

  retryAt(task: number): number {
    return this.#number * stepMs + this.#timetable.waitMs(task, this.#number);
  }

  // Limits that pass in this step.

  attemptMs(task: number): number | undefined {
    return this.#timetable.timeoutMs(task, this.#number);
  }

  taskMs(task: number): number | undefined {
    return this.#timetable.expiresMs(task, this.#number);
  }

  runMs(): number | undefined {
    return this.settings.totalTimeoutMs ?? this.#timetable.runMs(this.#number);
  }

  #endLate(task: number): void {
    const { body } = this.#definition.tasks[task] as TaskDefinition;
    const onTimeout = body.kind === 'waitFor' ? body.onTimeout : 'fail';
    if (typeof onTimeout === 'object') this.#outputs.set(task, onTimeout.value);
    const limitMs = this.#timetable.longestWaitMs(task, this.#number);
    this.#failures.set(task, this.#timeout('timeoutMs', limitMs));
  }

  #timeout(option: TimeoutError['option'], limitMs: number | undefined): object {
    return { name: 'TimeoutError', message: new EndsWith(textOf(option, limitMs)), stack: unjudged };
  }
}

/** Makes the end of a time-out's message; its owner stands before. */
function textOf(option: TimeoutError['option'], limitMs = 0): string {
  return new TimeoutError('', option, limitMs).message;
}
