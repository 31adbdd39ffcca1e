import { childIdOf } from '../model/child-id.ts';
import { isChildBody } from '../model/definition.ts';
import type { Fact } from '../model/entry-list.ts';
import type { ParentTask } from '../model/journal.ts';
import type { Logger } from '../model/logger.ts';
import { isSettled } from '../model/status.ts';
import { recordFork, withoutRun } from './fork.ts';
import { RunJournal } from './run-journal.ts';

/** What is forked, and into what. */
interface Forking {
  readonly source: RunJournal;
  /** `seq` of the last entry of the source that counts. */
  readonly seq: number;
  readonly fork: RunJournal;
}

/**
 * Forks the child runs of a run: those of tasks that had settled by then as they ended, to look at and to run again from;
 * those under way then with what had settled in them. They belong to the tree of the fork; an outer one comes before those
 * below it.
 *
 * @param until the last instant that counts of those under way
 * @param at the instant of the fork
 * @param find the journal of a run below the source
 */
export async function forkChildren(
  root: Forking,
  until: number,
  at: number,
  logger: Logger,
  find: (runId: string) => Promise<RunJournal | undefined>,
): Promise<readonly RunJournal[]> {
  const forks: RunJournal[] = [];
  const open: Forking[] = [root];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { source, seq, fork } = next;
    const past = source.pastFold(seq);
    for (const [task, { id, body }] of source.definition.tasks.entries()) {
      const { status, child } = past.task(task);
      const journal = child === undefined || !isChildBody(body) ? undefined : await find(child.runId);
      if (journal === undefined || fork.definition.graph.indexOf(id) < 0) continue;
      const { life } = fork.lives.of(fork.definition.graph.indexOf(id));
      const place: ParentTask = { runId: fork.runId, taskId: id, life, attempt: 1 };
      const copy = new RunJournal(childIdOf(fork.runId, id, life), journal.definition, logger);
      const upTo = isSettled(status) ? journal.seq : journal.seqAt(until);
      if (isSettled(status)) copyWhole(copy, journal, place);
      else if (hasStarted(journal, upTo)) recordFork(copy, journal, upTo, journal.foldTo().input, at, place);
      if (copy.seq === 0) continue;
      copy.tree = root.fork.wholeTree;
      copy.tree.journals.set(copy.runId, copy);
      forks.push(copy);
      open.push({ source: journal, seq: upTo, fork: copy });
    }
  }
  return forks;
}

function hasStarted(journal: RunJournal, seq: number): boolean {
  return seq > 0 && journal.pastFold(seq).run.startedAt !== null;
}

function copyWhole(copy: RunJournal, source: RunJournal, parent: ParentTask): void {
  for (const { seq: _, runId, ...fact } of source.toEntries()) {
    const { taskId, continues, ...rest } = fact as typeof fact & { taskId?: string; continues?: string };
    const task = taskId === undefined ? -1 : source.definition.graph.indexOf(taskId);
    const given = 'parent' in rest && rest.parent !== undefined ? { ...rest, parent } : rest;
    copy.record(withoutRun(given) as Fact, task);
  }
}
