import type { SqliteStore } from '../../store/sqlite/index.ts';
import type { ReadRun } from './read-run.ts';

/** `seq` of the last event of a run and of each below it that the store has, by the id of the run. */
export async function knownEvents(
  store: Pick<SqliteStore, 'list'>,
  { id, entries }: ReadRun,
): Promise<ReadonlyMap<string, number>> {
  const below = await store.list({ under: id });
  return new Map([[id, entries.length], ...below.map((run) => [run.id, run.seq] as const)]);
}
