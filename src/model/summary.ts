import { isChildId, rootIdOf } from './child-id.ts';
import { StoreConflictError } from './error.ts';
import type { Entry } from './journal.ts';
import type { SettledRunStatus } from './status.ts';

/** A summary of a run, without its whole journal. */
export interface RunSummary {
  readonly id: string;
  readonly flow: string;
  readonly startedAt: number | null;
  /** `null` while the run is unsettled. */
  readonly endedAt: number | null;
  /** The status in which the run ended; `undefined` while it is unsettled. */
  readonly ending: SettledRunStatus | undefined;
  /**
   * `lost` for an unsettled run that was set aside, because its process was lost too often while it ran; absent
   * otherwise.
   */
  readonly status?: 'lost';
  /** `seq` of its last entry. */
  readonly seq: number;
  /** Its place in creation order. From 1; no two roots have the same, nor have two runs below one root. */
  readonly order: number;
}

/** Filter and order of a list of runs; without a field, all roots, the oldest first. */
export interface RunFilter {
  /** The runs below the run with this id, at any depth, in place of the roots. None if it is unknown. */
  readonly under?: string | undefined;
  readonly flow?: string | undefined;
  readonly settled?: boolean | undefined;
  /** The most recently created come first. Default false. */
  readonly newestFirst?: boolean | undefined;
  /** Only runs with a lower `order`. */
  readonly before?: number | undefined;
  /** Maximum number of runs. A page costs the runs examined to fill it. Minimum 1. */
  readonly limit?: number | undefined;
}

/** The parts of a journal that a summary needs. */
export interface ListedJournal {
  readonly id: string;
  readonly order: number;
  /** `seq` of the last entry. */
  readonly seq: number;
  /** Returns the entry with a `seq`. */
  entryAt(seq: number): Entry;
}

/** Sums up the journals that match a filter; they must come in the filter's order. */
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
 * Sums up a journal. The start is among its first entries if the input was accepted; the last entry of a settled run is
 * its end.
 */
export function summarise(journal: ListedJournal): RunSummary {
  const { id, order, seq } = journal;
  const started = startOf(journal);
  const last = seq > 0 ? journal.entryAt(seq) : undefined;
  const ending = last && endingOf(last.type);
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

const endings: { readonly [Type in Entry['type']]?: SettledRunStatus | undefined } = {
  'run.done': 'done',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};

/** The status in which an entry of this type ends its run; `undefined` if it does not. */
export function endingOf(type: Entry['type']): SettledRunStatus | undefined {
  return endings[type];
}

function startOf(journal: ListedJournal) {
  for (let next = 1; next <= journal.seq; next++) {
    const entry = journal.entryAt(next);
    if (entry.type === 'run.started') return entry;
  }
  return undefined;
}

/** Whether a run matches a filter. */
export function isWanted({ flow, settled }: RunFilter, run: RunSummary): boolean {
  if (flow !== undefined && run.flow !== flow) return false;
  return settled === undefined || settled === (run.endedAt !== null);
}

/** The error of an append that expects another last entry than the journal has. */
export function conflictOf(runId: string, seq: number, expectedSeq: number): StoreConflictError {
  return new StoreConflictError(
    runId,
    `Run ${runId} has ${seq} entries, but ${expectedSeq} were expected: another engine continues it, or the id is taken`,
  );
}

/** The error of a start whose id another run has. */
export function idTaken(id: string): StoreConflictError {
  return new StoreConflictError(id, `There is a run ${id} already`);
}

/** The error of an append to a child run whose root or parent the store does not have. */
export function orphanOf(runId: string, missingId: string): StoreConflictError {
  return new StoreConflictError(
    runId,
    `Run ${runId} is below run ${missingId}, which the store does not have: it was removed, or its start was never kept`,
  );
}

/** Checks that a store may take these journals as a new tree, whose root comes first. Throws `StoreConflictError`. */
export function checkTree(runs: readonly { readonly runId: string; readonly expectedSeq: number }[]): void {
  const rootId = runs[0]?.runId ?? '';
  for (const [index, { runId, expectedSeq }] of runs.entries()) {
    const above = rootIdOf(runId);
    if (above !== rootId || (index === 0 && isChildId(runId))) throw orphanOf(runId, above);
    if (expectedSeq > 0) throw conflictOf(runId, 0, expectedSeq);
  }
}
