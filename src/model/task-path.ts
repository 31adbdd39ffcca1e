import { pathOf, segmentOf } from './child-id.ts';

/** A task's place in the tree of its root, for people: `resize/3`; for a task of the root, its id as it is. */
export function taskPath(runId: string, taskId: string): string {
  const above = pathOf(runId);
  if (above.length === 0) return taskId;
  const segments = above.map((place) => (place.isUndo ? place.taskId : segmentOf(place.taskId)));
  return [...segments, segmentOf(taskId)].join('/');
}
