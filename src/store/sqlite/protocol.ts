import type { RunFilter, RunSummary } from '../../model/summary.ts';
import type { ClaimedRun, RunRequest } from '../shared.ts';
import type { Refusal } from './failure.ts';
import type { Row } from './row.ts';

/** Settings of the thread; each option has its value. */
export interface ThreadSettings {
  readonly file: string;
  readonly synchronous: 'full' | 'normal';
  readonly busyTimeoutMs: number;
  readonly maxBytes: number;
  readonly leaseMs: number;
  readonly silenceMs: number;
  readonly maxLosses: number;
  readonly keepCount: number;
  readonly keepMs: number;
  /** Its first number changes while the main loop lives. */
  readonly heard: SharedArrayBuffer;
}

/**
 * Fields of appends, one after another in a flat list, which is copied to the thread much faster than objects: run,
 * expected `seq`, `seq`, `at` and `text` of the last row, the rows before it, whether a task settled, flow and instant
 * of the run's start, kind and instant of its end.
 */
export type AppendFields = (string | number | boolean | readonly Row[] | undefined)[];
export const appendWidth = 11;

/** A part of a run's journal. */
export interface JournalPart {
  /** Number of the run; 0 if it is unknown. */
  readonly run: number;
  /** `seq` of the last entry. */
  readonly seq: number;
  readonly rows: readonly Row[];
}

/** Calls to the thread, by name. */
export interface Calls {
  /** All of them or none: the runs of a tree, each with its whole journal. */
  appendTree(runs: AppendFields): void;
  lastSeq(runId: string): number;
  /** Rows after `seq`, about as many as parse in a few milliseconds. */
  read(runId: string, afterSeq: number): JournalPart;
  /** @param after only runs with a higher order */
  list(filter: RunFilter, after: number): RunSummary[];
  remove(runId: string): void;
  keepFlow(hash: string, flow: string, outline: string): void;
  readFlow(hash: string): string | undefined;
  claim(flows: readonly string[], limit: number, afresh: boolean): ClaimedRun[];
  claimRun(runId: string, goesOn: boolean): ClaimedRun | undefined;
  release(runIds: readonly string[], areRefused: boolean): void;
  watch(flows: readonly string[] | undefined): void;
  request(runId: string, request: RunRequest): string | undefined;
  answer(request: number, refusal: string | undefined, reply: string | undefined): void;
  close(): void;
}

/** A message to the thread. */
export type ToThread =
  | { readonly appends: AppendFields }
  | { readonly call: keyof Calls; readonly id: number; readonly args: readonly unknown[] };

/** A message from the thread. */
export type FromThread =
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly refusal: Refusal }
  /** The oldest appends are settled: these were refused, the others are durable. */
  | {
      readonly type: 'appended';
      readonly count: number;
      readonly refused: readonly (readonly [index: number, refusal: Refusal])[];
    }
  | { readonly type: 'returned'; readonly id: number; readonly result?: unknown }
  | { readonly type: 'threw'; readonly id: number; readonly refusal: Refusal }
  | ThreadEvent;

/** Something that nobody asked for. */
export type ThreadEvent =
  | { readonly type: 'taken'; readonly runIds: readonly string[] }
  | { readonly type: 'claimable' }
  | {
      readonly type: 'requested';
      readonly request: number;
      readonly runId: string;
      readonly what: RunRequest;
    };
