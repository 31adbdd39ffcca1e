import { canUndo, type FlowDefinition, isChildBody, type TaskDefinition } from './definition.ts';
import type { RunFold } from './fold.ts';
import type { TaskView } from './view.ts';

/** Ids of the tasks that are to be undone in a run whose tasks have all settled, in definition order. */
export function tasksToUndo({ tasks }: FlowDefinition, fold: RunFold): string[] {
  const isWanted = (task: TaskDefinition, index: number): boolean =>
    canUndo(task) && isToUndo(task, fold.task(index));
  return tasks.filter(isWanted).map(({ id }) => id);
}

/** Whether a settled task that has an undo is to be undone. */
function isToUndo({ body, compensate }: TaskDefinition, row: TaskView): boolean {
  const { status, attempts, child, undoneAt } = row;
  if (undoneAt !== undefined) return false;
  // What could not be undone before its task settled holds back what is upstream.
  if (isChildBody(body)) return child?.undo === 'open' || (status !== 'done' && child?.undo === 'failed');
  if (status === 'done') return true;
  // Its last attempt said that it had done nothing.
  const attempted = status === 'skipped' ? attempts - 1 : attempts;
  return compensate?.after === 'started' && attempted > 0;
}
