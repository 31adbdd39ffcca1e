import type { SettledRunStatus } from '../../model/status.ts';

/** Consecutive entries of a run, as the journal has them. */
export interface Row {
  /** `seq` of the last entry. */
  readonly seq: number;
  /** Instant of the first entry; steps count their milliseconds from it. */
  readonly at: number;
  /**
   * A JSON list of the entries. A step is `["ready", task, ms]`, `["started", task, ms, attempt]` or
   * `["done", task, ms, attempt, output]`, any other entry an object.
   *
   * Values are in the store's format.
   */
  readonly text: string;
}

/** What an append says about its run. */
export interface News {
  /** Whether a task settled. */
  readonly settles: boolean;
  readonly start: RunStart | undefined;
  /** How the run ended, if the last entry says so. */
  readonly end: RunEnd | undefined;
}

export interface RunStart {
  readonly flow: string;
  readonly at: number;
}

export interface RunEnd {
  readonly ending: SettledRunStatus;
  readonly at: number;
}
