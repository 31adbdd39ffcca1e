import { badOption, type Place } from './check.ts';

/**
 * The prefix of the keys of a run's tasks, which a task's id follows. The first slash of a key separates the two, so no
 * two tasks of any runs have the same key.
 *
 * @param runId without a slash
 */
export function keyPrefixOf(runId: string): string {
  return `${runId}/`;
}

/** Throws `FlowError` `bad_option` for an invalid run id. */
export function checkRunId(place: Place, id: unknown): void {
  if (typeof id !== 'string' || id === '') throw badOption(place, 'a string that is not empty', id);
  if (id.includes('/'))
    throw badOption(
      place,
      'a string without `/`, which separates it from the id of a task in `runId/taskId`',
      id,
    );
}
