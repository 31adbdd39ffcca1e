import type { TaskRerun } from './journal.ts';

/** The meaning that a task has now, and how often it has been repeated in that. */
export interface Life {
  /** From 1: a new one begins where the task means something else, as in a rerun. */
  readonly life: number;
  /** How often a retry of a run above has had the task run again in this life. */
  readonly round: number;
}

const first: Life = { life: 1, round: 0 };

/** The lives of a run's tasks, by its entries in order. */
export class Lives {
  /** Of the tasks that have run again. */
  #current: Map<number, Life> | undefined;
  /** The lives that began with what was done in the one before. */
  #keepsDone: Map<number, Set<number>> | undefined;

  of(task: number): Life {
    return this.#current?.get(task) ?? first;
  }

  /** Whether a life of a task began with what was done in the one before. */
  keepsDone(task: number, life: number): boolean {
    return this.#keepsDone?.get(task)?.has(life) ?? false;
  }

  /** Takes an entry that has a task run again. */
  rerun(task: number, { keepsLife, keepsDone }: Pick<TaskRerun, 'keepsLife' | 'keepsDone'>): void {
    if (keepsLife === true) {
      const { life, round } = this.of(task);
      this.#set(task, { life, round: round + 1 });
      return;
    }
    this.begin(task);
    if (keepsDone !== true) return;
    this.#keepsDone ??= new Map();
    const lives = this.#keepsDone.get(task) ?? new Set();
    this.#keepsDone.set(task, lives.add(this.of(task).life));
  }

  /** Begins a new life of a task, with nothing. */
  begin(task: number): void {
    this.#set(task, { life: this.of(task).life + 1, round: 0 });
  }

  #set(task: number, life: Life): void {
    this.#current ??= new Map();
    this.#current.set(task, life);
  }
}
