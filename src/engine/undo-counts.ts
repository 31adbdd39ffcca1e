import { childIdOf, segmentOf } from '../model/child-id.ts';
import { canUndo, isChildBody, type TaskDefinition } from '../model/definition.ts';
import type { RunJournal } from './run-journal.ts';

/** How often tasks were undone, by their keys below that of a run. */
export type UndoCounts = Readonly<Record<string, number>>;

/** Finds the journal of a run of the tree; `undefined` if there is none. */
type Find = (runId: string) => Promise<RunJournal | undefined>;

/**
 * How often tasks in a child run were undone before its life began: as its last life says, or else what its parent knows of
 * earlier lives. `undefined` if none was.
 *
 * @param parent the journal of the parent, in which the life has begun
 */
export async function undoneBefore(
  parent: RunJournal,
  task: number,
  find: Find,
): Promise<UndoCounts | undefined> {
  const last = await lastChild(parent, task, parent.lives.of(task).life - 1, find);
  const counts = last === undefined ? below(parent, task) : await undoneIn(last, find);
  return Object.keys(counts).length > 0 ? counts : undefined;
}

/** How often tasks of a run and of those below it were undone, in earlier lives too. */
async function undoneIn(journal: RunJournal, find: Find): Promise<UndoCounts> {
  const counts: Record<string, number> = {};
  const { tasks, graph } = journal.definition;
  for (let task = 0; task < graph.size; task++) {
    const defined = tasks[task] as TaskDefinition;
    if (!canUndo(defined)) continue;
    const segment = segmentOf(defined.id);
    const own = journal.undosOf(task);
    if (own > 0) counts[segment] = own;
    if (!isChildBody(defined.body)) continue;
    const child = await lastChild(journal, task, journal.lives.of(task).life, find);
    const inside = child === undefined ? below(journal, task) : await undoneIn(child, find);
    for (const [key, count] of Object.entries(inside)) counts[`${segment}/${key}`] = count;
  }
  return counts;
}

/** The last child run of a task that began, in a life up to this one. */
async function lastChild(
  journal: RunJournal,
  task: number,
  upTo: number,
  find: Find,
): Promise<RunJournal | undefined> {
  const { child } = journal.foldTo().task(task);
  const isKnown = child !== undefined && journal.lives.of(task).life <= upTo;
  const known = isKnown ? await find(child.runId) : undefined;
  if (known !== undefined) return known;
  for (let life = upTo; life > 0; life--) {
    const found = await find(childIdOf(journal.runId, journal.definition.graph.ids[task] as string, life));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a run knew as it began of the tasks below one of its own. */
function below({ undoneBefore, definition }: RunJournal, task: number): UndoCounts {
  const prefix = `${segmentOf(definition.graph.ids[task] as string)}/`;
  const known = Object.entries(undoneBefore ?? {}).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(known.map(([key, count]) => [key.slice(prefix.length), count]));
}
