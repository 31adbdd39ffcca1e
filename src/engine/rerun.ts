import { badOption } from '../model/check.ts';
import { tasksToRerun } from '../model/rerun.ts';
import type { HeldRun } from './run.ts';

/** Throws unless a run has settled and can run again. */
export function checkRerun({ id, hasSettled, endSeq, journal }: HeldRun): void {
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
  const { journal } = settled;
  const at = settled.now();
  const { statuses } = journal.foldTo();
  for (const task of tasksToRerun(journal.definition.graph, statuses, taskIds))
    journal.record({ type: 'task.rerun', at }, task);
}
