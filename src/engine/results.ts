import type { FlowDefinition } from '../model/definition.ts';
import { type ErrorView, type TaskFailure, viewError } from '../model/error.ts';
import type { RunFold } from '../model/fold.ts';
import { createRecord, createUpstreamRecord, put } from '../model/record.ts';
import { type Cause, isSettled, type SettledStatus } from '../model/status.ts';
import { Failures } from './failures.ts';
import type { ValueTexts } from './value-texts.ts';

/** Stands for the output of a task that has none. */
const missing = Symbol('missing');

const noFailures: readonly TaskFailure[] = [];

/** The result of a run that has nothing left to do, or the error from making it. */
export interface Made {
  /** The run's return value; by default the tasks' outputs by id. */
  readonly outputs: unknown;
  /** The same, if the flow defines `output`. */
  readonly output?: unknown;
  readonly failures: readonly TaskFailure[];
  readonly error?: ErrorView;
}

/** The outcomes of a run's tasks, and the result made of them at its end. */
export class Results {
  readonly #definition: FlowDefinition;
  /** By place in definition order. */
  readonly #outputs: unknown[];
  /** `seq` of the entry of each output, where entries are kept later. */
  readonly #seqs: Float64Array | undefined;
  /** Created when first needed. */
  #failures: Failures | undefined;
  #firstFailure: unknown;

  /** @param isLate whether entries are kept later than they are recorded */
  constructor(definition: FlowDefinition, isLate: boolean) {
    this.#definition = definition;
    if (isLate) this.#seqs = new Float64Array(definition.graph.size);
    this.#outputs = new Array(definition.graph.size).fill(missing);
  }

  /** The first failure that counts, as thrown; known once `make` has been called. */
  get firstFailure(): unknown {
    return this.#firstFailure;
  }

  /** @param seq of its entry */
  addOutput(task: number, output: unknown, seq: number): void {
    this.#outputs[task] = output;
    if (this.#seqs !== undefined) this.#seqs[task] = seq;
  }

  /** Enters the ending of a task that is not done. */
  addEnding(
    task: number,
    status: SettledStatus,
    error: ErrorView | undefined,
    cause: Cause | undefined,
  ): void {
    if (status !== 'skipped') this.#makeFailures().add(task, status, error, cause);
  }

  /** Stores a task's thrown error for `outputs()`. */
  noteFailure(thrown: unknown, task: number): void {
    this.#makeFailures().note(task, thrown);
  }

  /** Stores the error of the run as a whole. */
  noteRefusal(thrown: unknown): void {
    this.#firstFailure = thrown;
  }

  /** Restores the outcomes of a run's earlier life. */
  recover(fold: RunFold): void {
    for (let task = 0; task < this.#outputs.length; task++) this.recoverTask(fold, task);
  }

  /** Restores the outcome of one task, in definition order. */
  recoverTask(fold: RunFold, task: number): void {
    const { status, output, error, cause } = fold.task(task);
    if (status === 'done') this.addOutput(task, output, 0);
    else if (status === 'cancelled' && !isEnding(fold)) this.#makeFailures().addLeftOut(task, cause);
    else if (isSettled(status)) this.addEnding(task, status, error, cause);
  }

  /** Outputs of a task's dependencies, by id, as far as they are kept: under some rules others are under way. */
  depsOf(task: number, keptSeq: number): Record<string, unknown> {
    const { ids, upstreamStart, upstreamList } = this.#definition.graph;
    const deps = createUpstreamRecord<unknown>(this.#definition.graph, task);
    for (let at = upstreamStart[task] as number; at < (upstreamStart[task + 1] as number); at++) {
      const upstream = upstreamList[at] as number;
      const output = this.#outputs[upstream];
      if (output !== missing && (this.#seqs?.[upstream] ?? 0) <= keptSeq)
        put(deps, ids[upstream] as string, output);
    }
    return deps;
  }

  /**
   * @param isDone whether all went well: only then the flow's own function is called
   * @param texts refuses a return value that the store cannot write
   */
  make(input: unknown, isDone: boolean, texts: ValueTexts | undefined): Made {
    const outputs = this.#byId();
    const failures = isDone ? noFailures : this.#countFailures();
    const { name, settings } = this.#definition;
    if (settings.output === undefined || !isDone) return { outputs, failures };
    try {
      const output = settings.output({ input, deps: outputs });
      if (output instanceof Promise) throw new TypeError(refusePromise(name, output));
      texts?.check(output);
      return { outputs: output, output, failures };
    } catch (error) {
      this.noteRefusal(error);
      return { outputs, failures, error: viewError(error) };
    }
  }

  #makeFailures(): Failures {
    this.#failures ??= new Failures(this.#definition.plan);
    return this.#failures;
  }

  #countFailures(): readonly TaskFailure[] {
    if (this.#failures === undefined) return noFailures;
    const { failures, thrown } = this.#failures.thatCount();
    this.#firstFailure ??= thrown;
    this.#failures = undefined;
    return failures;
  }

  #byId(): Record<string, unknown> {
    const { ids } = this.#definition.graph;
    const outputs = createRecord<unknown>(ids.length);
    for (let task = 0; task < ids.length; task++) {
      const output = this.#outputs[task];
      if (output !== missing) put(outputs, ids[task] as string, output);
    }
    return outputs;
  }
}

/** Whether a run was left while it was ending early: what is cancelled is so by that. */
function isEnding({ status, run }: RunFold): boolean {
  return status === 'cancelling' || (status === 'compensating' && run.cause !== undefined);
}

/** Handles the promise: its rejection would end the process. */
function refusePromise(flow: string, promise: Promise<unknown>): string {
  promise.catch(() => {});
  return `\`output\` of flow \`${flow}\` returned a promise: it must return at once. Do what takes time in a task`;
}
