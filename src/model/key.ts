import { badOption, type Place } from './check.ts';

/**
 * The prefix of the keys of a run's tasks, which a task's id follows as a segment. Slashes separate the segments, so no two
 * tasks of any runs have the same key.
 *
 * @param parent the id of a root, or for a child run the key of its task
 */
export function keyPrefixOf(parent: string): string {
  return `${parent}/`;
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
