import { showCount } from '../duration.ts';
import { escapeControls, truncateMiddle } from '../terminal/text.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { rootTask } from './reasons.ts';

/** Of one cause; the rest is counted. */
const maxNamed = 5;

const maxIdColumns = 40;

/** Groups the tasks that ended `upstream_failed` by the task whose own ending they go back to. */
export function blockedByRoot(
  progress: RunProgress,
  known: Map<TaskProgress, TaskProgress>,
): Map<TaskProgress, TaskProgress[]> {
  const blocked = progress.tasks.filter(({ status }) => status === 'upstream_failed');
  return Map.groupBy(blocked, (task) => rootTask(progress, task, known));
}

/** Says which tasks did not run because of whom: "`render` and `send` did not run: `fetch` failed". */
export function didNotRun(root: TaskProgress, blocked: readonly TaskProgress[]): string {
  // Those that fail the run first.
  const ordered = [...blocked].sort((a, b) => Number(a.optional) - Number(b.optional));
  const names = ordered.slice(0, maxNamed).map(nameOf);
  const left = ordered.length - names.length;
  const all = left === 0 ? names : [...names, `${showCount(left)} more`];
  const list = all.length === 1 ? all[0] : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
  return `${list} did not run: ${nameOf(root)} ${root.status === 'failed' ? 'failed' : `was ${root.status}`}`;
}

function nameOf({ id }: TaskProgress): string {
  return `\`${truncateMiddle(escapeControls(id), maxIdColumns)}\``;
}
