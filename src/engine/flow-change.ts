import { flowChanged } from '../model/check-journal.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { FlowError } from '../model/error.ts';
import { flowChanges } from '../model/flow-changes.ts';
import type { FlowChange } from '../model/journal.ts';
import { Ledger } from '../model/ledger.ts';
import { isSettled } from '../model/status.ts';
import type { Store } from '../store/store.ts';
import type { RunJournal } from './run-journal.ts';

/**
 * How a flow differs from the version that a run follows, in words; empty if the store does not know that version.
 *
 * @param flowHash of that version
 */
export async function changesSince(
  store: Store | undefined,
  flowHash: string,
  definition: FlowDefinition,
): Promise<string[]> {
  const before = await store?.readFlow?.(flowHash);
  return before === undefined ? [] : flowChanges(before, definition);
}

/** The error of a run that follows another version of its flow, with the difference in words. */
export async function refusalOfChange(
  store: Store | undefined,
  runId: string,
  flowHash: string,
  definition: FlowDefinition,
): Promise<FlowError> {
  return flowChanged(runId, definition.name, await changesSince(store, flowHash, definition));
}

/**
 * Records that an unsettled run follows another version of its flow from now on. A task that had been ready, and that
 * the new version does not let run now, begins anew: it may wait for other dependencies, or not run at all.
 *
 * @param journal of the new version, with all earlier entries
 * @param dropped tasks with entries that the new version lacks
 */
export function adopt(
  journal: RunJournal,
  at: number,
  changes: readonly string[],
  dropped: Iterable<string>,
): void {
  const { hash } = journal.definition;
  const change: FlowChange = {
    type: 'run.flow_changed',
    at,
    flowHash: hash,
    changes,
    dropped: [...dropped],
    waiting: waitingAgain(journal),
  };
  journal.record(change);
}

function waitingAgain(journal: RunJournal): string[] {
  const { graph, plan } = journal.definition;
  const fold = journal.foldTo();
  // All its tasks end as they are.
  if (fold.status === 'cancelling') return [];
  const { verdicts } = Ledger.openInPlace(plan, fold.statuses).admit();
  const mayRun = new Set(verdicts.filter(({ decision }) => decision === 'run').map(({ task }) => task));
  return graph.ids.filter((_, task) => {
    const { status, readyAt } = fold.task(task);
    return !isSettled(status) && readyAt !== undefined && !mayRun.has(task);
  });
}
