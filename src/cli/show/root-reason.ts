import { showCount } from '../../model/duration.ts';
import { failuresInOrder } from './did-not-run.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { maxIdColumns, reasonOf, rootTask, showError, showId, showReason } from './reasons.ts';

/** Maximum number of tasks named in one reason. */
const maxNamed = 2;

/**
 * Explains in one line why a settled run is not `done`: the task that caused it, with its error. `undefined` if that is
 * unknown.
 */
export function rootReason(progress: RunProgress, idColumns = maxIdColumns): string | undefined {
  const { status, cause, reason } = progress;
  const nameOf = ({ id }: TaskProgress): string => showId(id, idColumns);
  if (status === 'cancelled') return showReason(reason);
  if (cause === 'timeout') return outOfTime(progress, nameOf);
  const said = showReason(reason) ?? 'no reason was given';
  if (cause === 'output') return `its output could not be made: ${said}`;
  if (cause !== undefined) return `its ${cause} was refused: ${said}`;
  return failure(progress, nameOf);
}

type NameOf = (task: TaskProgress) => string;

function outOfTime({ tasks }: RunProgress, nameOf: NameOf): string {
  const underWay = tasks.filter(({ status, attempts }) => status === 'cancelled' && attempts > 0);
  if (underWay.length === 0) return 'timed out';
  const left = underWay.length - maxNamed;
  const names = underWay.slice(0, maxNamed).map(nameOf);
  if (left > 0) names.push(`${showCount(left)} more`);
  const list = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `timed out while ${list} ${underWay.length === 1 ? 'was' : 'were'} running`;
}

function failure(progress: RunProgress, nameOf: NameOf): string | undefined {
  const [failed] = failuresInOrder(progress);
  if (failed !== undefined && !failed.optional) return ownReason(progress, failed, nameOf);
  const victim = progress.tasks.find(({ status, optional }) => status === 'upstream_failed' && !optional);
  if (victim === undefined) return undefined;
  const root = rootTask(progress, victim);
  const why = ownReason(progress, root, nameOf);
  return root === victim ? why : `${why}, so ${nameOf(victim)} did not run`;
}

function ownReason(progress: RunProgress, task: TaskProgress, nameOf: NameOf): string {
  return `${nameOf(task)}: ${task.error === undefined ? reasonOf(progress, task) : showError(task.error)}`;
}
