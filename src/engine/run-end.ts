import type { RunResult } from '../../machines/orchestrator.ts';

/** The end of a run: it settled, or it was stopped or failed before, with an error. */
export interface End {
  readonly hasSettled: boolean;
  readonly error?: unknown;
}

/** How far a run is from its end: open, closing (it was stopped, and the rest is being kept), or ended. */
export class RunEnd {
  /** `seq` of the entry that ends the run; infinite until that is recorded. Later entries belong to a rerun. */
  seq = Number.POSITIVE_INFINITY;
  /** Known once the run has settled and its last step is over. */
  result: RunResult | undefined;
  #end: End | undefined;
  #closing: End | undefined;
  #callbacks: readonly ((end: End) => void)[] = [];

  /** Whether the entry that ends the run is recorded: nothing changes its fate any more. */
  get isSealed(): boolean {
    return this.seq < Number.POSITIVE_INFINITY;
  }

  /** Whether the run takes no more steps. */
  get isOver(): boolean {
    return this.#end !== undefined || this.#closing !== undefined;
  }

  /** Whether it is over, and all that it recorded is kept. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** The end of a run that was stopped and has entries left to keep. */
  get closing(): End | undefined {
    return this.hasEnded ? undefined : this.#closing;
  }

  /** The end of a run that ended, or is about to, before it settled. */
  get cut(): End | undefined {
    const end = this.#end ?? this.#closing;
    return end?.hasSettled === false ? end : undefined;
  }

  /** Notes how the run will end once the rest is kept. */
  close(end: End): void {
    this.#closing = end;
  }

  /** Ends the run. Returns the callbacks to make, and `undefined` if it has ended before. */
  finish(end: End): readonly ((end: End) => void)[] | undefined {
    if (this.#end !== undefined) return undefined;
    this.#end = end;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    return callbacks;
  }

  /** Calls back once it has ended; at once if it has. Returns a function that cancels this. */
  whenEnded(callback: (end: End) => void): () => void {
    if (this.#end !== undefined) callback(this.#end);
    else this.#callbacks = [...this.#callbacks, callback];
    return () => {
      this.#callbacks = this.#callbacks.filter((other) => other !== callback);
    };
  }
}
