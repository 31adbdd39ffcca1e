import { badOption, type Place } from './check.ts';

/**
 * What the keys of a run's tasks begin with; a task's id goes on from there. The first slash of a key parts the two, so
 * no two tasks of any runs have the same.
 *
 * @param runId without a slash
 */
export function keyPrefixOf(runId: string): string {
  return `${runId}/`;
}

/** Throws `FlowError` `bad_option` for what cannot be the id of a run. */
export function checkRunId(place: Place, id: unknown): void {
  if (typeof id !== 'string' || id === '') throw badOption(place, 'a string that is not empty', id);
  if (id.includes('/'))
    throw badOption(
      place,
      'a string without `/`, which parts it from the id of a task in `runId/taskId`',
      id,
    );
}
