import type { ItemScope, Outcome, PerformScope } from '../model/perform.ts';

/** The scope of a map's item: its own, with what the map's task has of the run above. */
export class MapItemScope implements ItemScope {
  readonly item: unknown;
  readonly index: number;
  readonly #own: PerformScope;
  readonly #map: PerformScope;

  constructor(own: PerformScope, map: PerformScope, items: readonly unknown[]) {
    this.index = Number(own.taskId);
    this.item = items[this.index];
    this.#own = own;
    this.#map = map;
  }

  get input(): unknown {
    return this.#map.input;
  }

  get deps(): Record<string, unknown> {
    return this.#map.deps;
  }

  get outcomes(): Record<string, Outcome> {
    return this.#map.outcomes;
  }

  get runId(): string {
    return this.#own.runId;
  }

  get taskId(): string {
    return this.#own.taskId;
  }

  get attempt(): number {
    return this.#own.attempt;
  }

  get idempotencyKey(): string {
    return this.#own.idempotencyKey;
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  get log(): PerformScope['log'] {
    return this.#own.log;
  }

  get progress(): PerformScope['progress'] {
    return this.#own.progress;
  }
}
