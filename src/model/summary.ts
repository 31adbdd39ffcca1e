import { StoreConflictError } from './error.ts';
import type { Entry } from './journal.ts';
import type { SettledRunStatus } from './status.ts';

/** What is known of a run without reading its journal. */
export interface RunSummary {
  readonly id: string;
  readonly flow: string;
  readonly startedAt: number | null;
  /** `null` while the run is unsettled. */
  readonly endedAt: number | null;
  /** How the run ended; `undefined` while it is unsettled. */
  readonly ending: SettledRunStatus | undefined;
  /** `seq` of its last entry. */
  readonly seq: number;
  /** Its place in the order in which the store's runs were made. From 1; no two runs have the same. */
  readonly order: number;
}

/** Which runs are wanted, and in which order; without a field, all, the oldest first. */
export interface RunFilter {
  readonly flow?: string | undefined;
  readonly settled?: boolean | undefined;
  /** Those that were made last come first. Default false. */
  readonly newestFirst?: boolean | undefined;
  /** Only runs with a lower `order`. */
  readonly before?: number | undefined;
  /** At most so many. A page costs what is looked at to fill it. Minimum 1. */
  readonly limit?: number | undefined;
}

/** A journal as far as it takes to sum it up. */
export interface ListedJournal {
  readonly id: string;
  readonly order: number;
  /** Of the last entry. */
  readonly seq: number;
  /** Gives the entry with a `seq`. */
  entryAt(seq: number): Entry;
}

/** Sums up the journals that a filter lets through; they must come in the filter's order. */
export function listRuns(journals: Iterable<ListedJournal>, filter: RunFilter): RunSummary[] {
  const { limit = Number.POSITIVE_INFINITY } = filter;
  const runs: RunSummary[] = [];
  for (const journal of journals) {
    const run = summarise(journal);
    if (isWanted(filter, run) && runs.push(run) >= limit) break;
  }
  return runs;
}

/**
 * Sums up a journal. The start stands among its first entries, if the input was accepted; that of a settled run ends
 * with its end.
 */
export function summarise(journal: ListedJournal): RunSummary {
  const { id, order, seq } = journal;
  const started = startOf(journal);
  const last = seq > 0 ? journal.entryAt(seq) : undefined;
  const ending = last && endings[last.type];
  return {
    id,
    flow: started?.flow ?? '',
    startedAt: started?.at ?? null,
    endedAt: ending === undefined ? null : (last as Entry).at,
    ending,
    seq,
    order,
  };
}

const endings: { readonly [Type in Entry['type']]?: SettledRunStatus } = {
  'run.done': 'done',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};

function startOf(journal: ListedJournal) {
  for (let next = 1; next <= journal.seq; next++) {
    const entry = journal.entryAt(next);
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
