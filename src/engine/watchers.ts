import type { Logger } from '../model/logger.ts';
import type { Run } from './run.ts';

/**
 * Hears of all runs of an engine. It is called within their steps, so it must return soon, and must not start, steer or
 * stop a run at once. Its errors go to the engine's logger.
 */
export interface EngineWatcher {
  /**
   * Entries of a run are kept, up to `run.seq`. Called once for all that are kept together, before the run's listeners.
   * Of a new run it is the first sign.
   */
  kept?(run: Run): void;
  /**
   * A run with earlier entries is under way on this engine: it was recovered, runs again, or is a fork with
   * runs below it. Called before it has
   * another entry; also as the watch begins, for each run under way.
   */
  continued?(run: Run): void;
  /** The body of a task logged a line. */
  logged?(run: Run, line: BodyLine): void;
}

/** A line that a body logged with its scope. No journal keeps it. */
export interface BodyLine {
  readonly taskId: string;
  /** From 1. */
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly message: string;
  /** As given; `undefined` if it was not. */
  readonly data: unknown;
}

/** The watchers of an engine that has any. A run of the engine's own kind becomes a handle for them. */
export class Watchers<Held> {
  readonly #all = new Set<EngineWatcher>();
  readonly #handleOf: (run: Held) => Run;
  readonly #logger: Logger;

  constructor(handleOf: (run: Held) => Run, logger: Logger) {
    this.#handleOf = handleOf;
    this.#logger = logger;
  }

  /** Returns a function that removes the watcher, and tells whether it was the last. */
  add(watcher: EngineWatcher): () => boolean {
    // One that is given twice is two.
    const own = Object.create(watcher);
    this.#all.add(own);
    return () => this.#all.delete(own) && this.#all.size === 0;
  }

  kept(run: Held): void {
    this.#tell((watcher) => watcher.kept?.(this.#handleOf(run)));
  }

  continued(run: Held): void {
    this.#tell((watcher) => watcher.continued?.(this.#handleOf(run)));
  }

  logged(run: Held, line: BodyLine): void {
    this.#tell((watcher) => watcher.logged?.(this.#handleOf(run), line));
  }

  #tell(call: (watcher: EngineWatcher) => void): void {
    for (const watcher of this.#all) {
      try {
        call(watcher);
      } catch (error) {
        this.#logger.error('A watcher of the engine threw', error);
      }
    }
  }
}
