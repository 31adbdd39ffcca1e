import { findBlockers } from '../../model/blockers.ts';
import { showCount } from '../../model/duration.ts';
import type { TaskStatus } from '../../model/status.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { maxIdColumns, rootTask, showId } from './reasons.ts';

/** Maximum number of tasks named for one cause; the rest are counted. */
const maxNamed = 5;

/** Groups the tasks that ended `upstream_failed` by their root, the task whose own ending caused it. */
export function blockedByRoot(
  progress: RunProgress,
  known: Map<TaskProgress, TaskProgress>,
): Map<TaskProgress, TaskProgress[]> {
  const blocked = progress.tasks.filter(({ status }) => status === 'upstream_failed');
  return Map.groupBy(blocked, (task) => rootTask(progress, task, known));
}

/** Orders failed tasks by the time of failure. Optional ones that kept no required task from running come last. */
export function failuresInOrder({ graph, plan, tasks }: RunProgress): TaskProgress[] {
  const placesOf = (wanted: TaskStatus): Set<number> =>
    new Set([...tasks.keys()].filter((place) => tasks[place]?.status === wanted));
  const failed = placesOf('failed');
  const blockers = findBlockers(plan, failed, placesOf('upstream_failed'));
  const counts = ({ id, optional }: TaskProgress): boolean => !optional || blockers.has(graph.indexOf(id));
  return Array.from(failed, (place) => tasks[place] as TaskProgress).sort(
    (a, b) => Number(counts(b)) - Number(counts(a)) || (a.endedAt ?? 0) - (b.endedAt ?? 0),
  );
}

/** Tells which tasks did not run and why: "`render` and `send` did not run: `fetch` failed". */
export function didNotRun(
  root: TaskProgress,
  blocked: readonly TaskProgress[],
  idColumns = maxIdColumns,
): string {
  const nameOf = ({ id }: TaskProgress): string => `\`${showId(id, idColumns)}\``;
  // Tasks that fail the run come first.
  const ordered = [...blocked].sort((a, b) => Number(a.optional) - Number(b.optional));
  const names = ordered.slice(0, maxNamed).map(nameOf);
  const left = ordered.length - names.length;
  const all = left === 0 ? names : [...names, `${showCount(left)} more`];
  const list = all.length === 1 ? all[0] : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
  return `${list} did not run: ${nameOf(root)} ${root.status === 'failed' ? 'failed' : `was ${root.status}`}`;
}
