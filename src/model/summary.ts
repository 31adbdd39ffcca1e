import { StoreConflictError } from './error.ts';
import type { Entry } from './journal.ts';

/** What is known of a run without reading its journal. */
export interface RunSummary {
  readonly id: string;
  readonly flow: string;
  readonly startedAt: number | null;
  /** `null` while the run is unsettled. */
  readonly endedAt: number | null;
  /** `seq` of its last entry. */
  readonly seq: number;
}

/** Which runs are wanted; without a field, all. */
export interface RunFilter {
  readonly flow?: string | undefined;
  readonly settled?: boolean | undefined;
}

/**
 * Sums up a journal. The start stands among its first entries, if the input was accepted; that of a settled run ends
 * with its end.
 *
 * @param seq of the last entry
 * @param entryAt gives the entry with a `seq`
 */
export function summarise(id: string, seq: number, entryAt: (seq: number) => Entry): RunSummary {
  const started = startOf(seq, entryAt);
  const last = seq > 0 ? entryAt(seq) : undefined;
  const ended = last?.type === 'run.done' || last?.type === 'run.failed' || last?.type === 'run.cancelled';
  return {
    id,
    flow: started?.flow ?? '',
    startedAt: started?.at ?? null,
    endedAt: ended ? last.at : null,
    seq,
  };
}

function startOf(seq: number, entryAt: (seq: number) => Entry) {
  for (let next = 1; next <= seq; next++) {
    const entry = entryAt(next);
    if (entry.type === 'run.started') return entry;
  }
  return undefined;
}

/** Whether a filter lets a run through. */
export function isWanted({ flow, settled }: RunFilter, run: RunSummary): boolean {
  if (flow !== undefined && run.flow !== flow) return false;
  return settled === undefined || settled === (run.endedAt !== null);
}

/** A journal is to be gone on with from another entry than its last. */
export function conflictOf(runId: string, seq: number, expectedSeq: number): StoreConflictError {
  return new StoreConflictError(
    runId,
    `Run ${runId} has ${seq} entries where ${expectedSeq} were expected: another engine goes on with it, or the id is taken`,
  );
}
