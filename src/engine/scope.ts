import type { Outcome, PerformScope } from '../model/perform.ts';
import { mayStartEarly, type TriggerRule } from '../model/trigger-rule.ts';

/** The part of an attempt that a scope reads. */
interface Attempt {
  readonly number: number;
  readonly signal: AbortSignal;
  readonly task: {
    readonly index: number;
    readonly definition: { readonly id: string; readonly triggerRule: TriggerRule };
    readonly run: {
      readonly id: string;
      readonly input: unknown;
      depsOf(index: number): Record<string, unknown>;
      outcomesOf(index: number): Record<string, Outcome>;
      keyOf(taskId: string): string;
    };
  };
  log(message: string, data: unknown): void;
  progress(fraction: number, note: string | undefined): void;
}

/** A body's scope. Each part is created on first read. */
export class AttemptScope implements PerformScope {
  readonly #attempt: Attempt;
  #deps: Record<string, unknown> | undefined;
  #outcomes: Record<string, Outcome> | undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    if (!mayStartEarly(attempt.task.definition.triggerRule)) return;
    // Some may settle while the body runs; it sees them as they were at its start.
    void this.deps;
    void this.outcomes;
  }

  get input(): unknown {
    return this.#attempt.task.run.input;
  }

  get deps(): Record<string, unknown> {
    this.#deps ??= this.#attempt.task.run.depsOf(this.#attempt.task.index);
    return this.#deps;
  }

  get outcomes(): Record<string, Outcome> {
    this.#outcomes ??= this.#attempt.task.run.outcomesOf(this.#attempt.task.index);
    return this.#outcomes;
  }

  get runId(): string {
    return this.#attempt.task.run.id;
  }

  get taskId(): string {
    return this.#attempt.task.definition.id;
  }

  get attempt(): number {
    return this.#attempt.number;
  }

  get idempotencyKey(): string {
    return this.#attempt.task.run.keyOf(this.taskId);
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get log(): (message: string, data?: unknown) => void {
    return (message, data) => this.#attempt.log(message, data);
  }

  get progress(): (fraction: number, note?: string) => void {
    return (fraction, note) => this.#attempt.progress(fraction, note);
  }
}
