import { flowChanged, type JournalCheck } from './check-journal.ts';
import type { FlowDefinition } from './definition.ts';
import type { FlowError } from './error.ts';
import { flowChanges } from './flow-changes.ts';
import type { FlowOutline } from './flow-outline.ts';
import type { RunFold } from './fold.ts';
import type { FlowChange } from './journal.ts';
import { Ledger } from './ledger.ts';
import { isSettled, type SettledRunStatus } from './status.ts';

/** What becomes of a run that follows another version of its flow. */
export type OnFlowChange = 'refuse' | 'adopt';

/** What an engine that has one version of a flow does with a run, by its journal. */
export type Judgement =
  /** It goes on with it. */
  | { readonly verdict: 'take_up' }
  /** It goes on with it by this version, which differs so from the run's own. */
  | { readonly verdict: 'adopt'; readonly changes: readonly string[]; readonly dropped: readonly string[] }
  /** Nothing is left to do. */
  | { readonly verdict: 'settled'; readonly ending: SettledRunStatus }
  /** It leaves it as it is. */
  | { readonly verdict: 'refuse'; readonly error: FlowError };

/** How a run is judged that follows another version of its flow. */
export interface Judging {
  readonly runId: string;
  /** The flow that the engine has. */
  readonly definition: FlowDefinition;
  /** The version that the run follows; `null` if the store does not know it, `undefined` if nobody was asked. */
  readonly earlier?: FlowOutline | null | undefined;
  readonly onFlowChange: OnFlowChange;
}

/**
 * Judges a journal of which every entry has been checked, for whoever takes a run up or says what would become of it. A
 * settled run is refused if it follows another version: it keeps its own.
 *
 * @throws JournalError `malformed` if the run is of this version, and has entries of tasks that this one lacks
 */
export function judge(check: JournalCheck, { runId, definition, earlier, onFlowChange }: Judging): Judgement {
  const { ending } = check;
  if (!check.end()) return ending === undefined ? { verdict: 'take_up' } : { verdict: 'settled', ending };
  const changes = changesBetween(earlier, definition);
  if (onFlowChange === 'adopt' && ending === undefined)
    return { verdict: 'adopt', changes, dropped: [...check.unknownTasks] };
  const told = earlier === undefined ? undefined : changes;
  return { verdict: 'refuse', error: flowChanged(runId, definition.name, told) };
}

/** How a flow differs from an earlier version, in words; empty if that is not known, or makes no sense. */
function changesBetween(earlier: Judging['earlier'], definition: FlowDefinition): readonly string[] {
  try {
    return earlier == null ? [] : flowChanges(earlier, definition);
  } catch {
    // Whoever wrote the file may have put anything there.
    return [];
  }
}

/**
 * The fact that an unsettled run follows another version of its flow from now on. A task that had been ready, and that
 * the new version does not let run now, begins anew: it may wait for other dependencies, or not run at all.
 *
 * @param fold of all earlier entries, by the new version
 */
export function flowChangeOf(
  { plan, hash }: FlowDefinition,
  fold: RunFold,
  at: number,
  { changes, dropped }: Extract<Judgement, { verdict: 'adopt' }>,
): FlowChange {
  const waiting = waitingAgain(plan, fold);
  return { type: 'run.flow_changed', at, flowHash: hash, changes, dropped, waiting };
}

function waitingAgain(plan: FlowDefinition['plan'], fold: RunFold): string[] {
  // All its tasks end as they are.
  if (fold.status === 'cancelling') return [];
  const { verdicts } = Ledger.openInPlace(plan, fold.statuses).admit();
  const mayRun = new Set(verdicts.filter(({ decision }) => decision === 'run').map(({ task }) => task));
  return fold.graph.ids.filter((_, task) => {
    const { status, readyAt } = fold.task(task);
    return !isSettled(status) && readyAt !== undefined && !mayRun.has(task);
  });
}
