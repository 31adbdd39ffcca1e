import type { Task } from './workloads.ts';

/** Counts the tasks of a round, so that no engine can leave one out. */
export class Tally {
  count = 0;
  sum = 0;

  /** Counts a task whose output nobody reads. The task awaits the returned value. */
  ran(_id: string): unknown {
    this.count++;
    return undefined;
  }

  /** Counts a task and returns its output. */
  returned(output: number): number {
    this.count++;
    this.sum = (this.sum + output) | 0;
    return output;
  }
}

/** Checks that no task begins before its dependencies have ended. Not for measuring: each task takes a turn. */
export class OrderTally extends Tally {
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #ended = new Set<string>();

  constructor(tasks: readonly Task[]) {
    super();
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
  }

  override ran(id: string): Promise<void> {
    this.count++;
    const early = this.#tasks.get(id)?.dependsOn.find((dependency) => !this.#ended.has(dependency));
    if (early !== undefined) throw new Error(`${id} began before ${early} had ended`);
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#ended.add(id);
        resolve();
      });
    });
  }
}
