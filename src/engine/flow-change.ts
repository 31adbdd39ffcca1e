import { isA } from '../model/check.ts';
import type { JournalCheck } from '../model/check-journal.ts';
import { StoreError } from '../model/error.ts';
import type { FlowOutline } from '../model/flow-outline.ts';
import { flowChangeOf, type Judgement, type Judging, judge } from '../model/judge-journal.ts';
import type { Store } from '../store/store.ts';
import type { RunJournal } from './run-journal.ts';

/**
 * Judges a stored run by its journal, of which every entry has been checked. If it follows another version of its flow,
 * the store says how they differ.
 *
 * @throws JournalError as `judge` does; StoreError
 */
export async function judgeStored(
  store: Pick<Store, 'readFlow'>,
  check: JournalCheck,
  judging: Omit<Judging, 'earlier'>,
): Promise<Judgement> {
  const earlier = check.end() ? await outlineOf(store, check.flowHash as string) : undefined;
  return judge(check, { ...judging, earlier });
}

async function outlineOf(store: Pick<Store, 'readFlow'>, hash: string): Promise<FlowOutline | null> {
  try {
    return (await store.readFlow?.(hash)) ?? null;
  } catch (error) {
    if (isA(error, StoreError)) throw error;
    // It is no JSON.
    return null;
  }
}

/**
 * Records that an unsettled run follows another version of its flow from now on.
 *
 * @param journal of the new version, with all earlier entries
 */
export function adopt(
  journal: RunJournal,
  at: number,
  judgement: Extract<Judgement, { verdict: 'adopt' }>,
): void {
  journal.record(flowChangeOf(journal.definition, journal.foldTo(), at, judgement));
}
