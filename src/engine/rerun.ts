import { badOption } from '../model/check.ts';
import { pathOf, placeOf, rootIdOf } from '../model/child-id.ts';
import { isChildBody, type TaskDefinition } from '../model/definition.ts';
import type { ParentTask } from '../model/journal.ts';
import { tasksToRerun } from '../model/rerun.ts';
import type { HeldRun } from './run.ts';
import type { RunJournal } from './run-journal.ts';

/** Throws unless a run has settled and can run again. */
export function checkRerun({ id, hasSettled, endSeq, journal }: HeldRun): void {
  const place = placeOf(id);
  if (place !== undefined) {
    const root = rootIdOf(id);
    throw new Error(
      `Run ${id} is a child run, which runs again only with its parent: have run ${root} rerun, from task \`${pathOf(id)[0]?.taskId}\``,
    );
  }
  const { startedAt, status } = journal.foldTo(journal.shownSeq).run;
  // More entries in the journal mean that it runs again already.
  if (!hasSettled || journal.seq > endSeq) {
    throw new Error(
      `Run ${id} has not settled, it is \`${status}\`: it can run again once it is \`done\`, \`failed\` or \`cancelled\``,
    );
  }
  if (startedAt === null) {
    throw new Error(`Run ${id} never started, since its input was refused: start another`);
  }
  if (journal.definition.tasks.length === 0) throw new Error(`Run ${id} has no tasks that could run again`);
}

/**
 * Records in the journal of a settled run which tasks run again.
 *
 * @throws FlowError for a list of tasks that is none, is empty, or has an unknown one
 */
export function recordRerun(settled: HeldRun, taskIds: readonly string[] | undefined): void {
  const place = { option: 'taskIds', owner: 'run.rerun' };
  if (taskIds !== undefined && !Array.isArray(taskIds))
    throw badOption(place, 'a list of ids of tasks', taskIds);
  if (taskIds?.length === 0) throw badOption(place, 'left out, or a list of one task or more', taskIds);
  recordAgain(settled.journal, taskIds, settled.now());
}

/**
 * Records which tasks run again: those named, or else those that are not done or skipped; and what is downstream. A task
 * whose body is a run keeps what is done in that, unless it is named, or something upstream runs again: in a new life, or
 * where an attempt above repeats it, in the same.
 *
 * @param parent in a child run: the attempt that repeats what is not done; then nothing runs again that is
 * @returns whether there is any
 */
export function recordAgain(
  journal: RunJournal,
  taskIds: readonly string[] | undefined,
  at: number,
  parent?: ParentTask,
): boolean {
  const { graph, tasks } = journal.definition;
  const { statuses } = journal.foldTo();
  if (parent !== undefined && statuses.every((status) => status === 'done' || status === 'skipped'))
    return false;
  const again = new Set(tasksToRerun(graph, statuses, taskIds));
  for (const task of again) {
    const { body, dependsOn } = tasks[task] as TaskDefinition;
    const isSame =
      taskIds === undefined && isChildBody(body) && !dependsOn.some((id) => again.has(graph.indexOf(id)));
    const above = parent && { parent, ...(isSame && { keepsLife: true }) };
    journal.record({ type: 'task.rerun', at, ...(above ?? (isSame && { keepsDone: true })) }, task);
  }
  return true;
}
