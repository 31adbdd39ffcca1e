import type { Entry } from '../../index.ts';
import { showValue } from '../../model/check.ts';
import { placeOf, rootIdOf } from '../../model/child-id.ts';
import { isObject } from '../../model/entry-fields.ts';
import { JournalDefect } from './sound-journal.ts';

/** Checks that the runs of an exported tree, which are taken in their order, are such a tree. */
export class TreeCheck {
  /** The tasks with entries of each run up to now. */
  readonly #tasks = new Map<string, ReadonlySet<string>>();
  #rootId = '';

  /** Takes the root. Throws `JournalDefect` for an entry that only a child has. */
  root(id: string, entries: readonly Entry[]): void {
    this.#rootId = id;
    this.#tasks.set(id, tasksOf(entries));
    for (const [index, entry] of entries.entries())
      for (const name of ['parent', 'continues'])
        if (Reflect.get(entry, name) !== undefined)
          throw new JournalDefect(index, `\`${name}\` must be left out, since the run is no child run`);
  }

  /** Says why no run with this id may follow those taken; `undefined` if one may. */
  refusal(id: string): string | undefined {
    const place = placeOf(id);
    if (place === undefined || !Number.isSafeInteger(place.life))
      return 'that of a child run, `PARENT/TASK#LIFE`, in which the id of the task has no `%`, `/` or `#` but escaped';
    if (rootIdOf(id) !== this.#rootId) return `below the run of this file, ${showValue(this.#rootId)}`;
    if (this.#tasks.has(id)) return 'another, since a run before has it';
    const tasks = this.#tasks.get(place.parentId);
    if (tasks === undefined) return `behind its parent, ${showValue(place.parentId)}`;
    if (!tasks.has(place.taskId))
      return `of a task with entries in its parent, which has none of ${showValue(place.taskId)}`;
    return undefined;
  }

  /** Takes a child whose id may follow. Throws `JournalDefect` for the first entry that is of another place. */
  child(id: string, entries: readonly Entry[]): void {
    const { parentId, taskId, life } = placeOf(id) as NonNullable<ReturnType<typeof placeOf>>;
    if (entries[0]?.type !== 'run.started')
      throw new JournalDefect(0, '`type` must be `run.started`, since a child run begins with that');
    for (const [index, entry] of entries.entries()) {
      const parent: unknown = Reflect.get(entry, 'parent');
      const isNeeded = entry.type === 'run.started';
      if (parent === undefined && !isNeeded) continue;
      const isIts =
        isObject(parent) && parent.runId === parentId && parent.taskId === taskId && parent.life === life;
      if (!isIts)
        throw new JournalDefect(
          index,
          `\`parent\` must be life ${life} of task ${showValue(taskId)} of run ${showValue(parentId)}, but is ${showValue(parent)}`,
        );
    }
    const continues: unknown = Reflect.get(entries[0], 'continues');
    if (continues !== undefined && !this.#tasks.has(continues as string))
      throw new JournalDefect(
        0,
        `\`continues\` must be a run before this one, but is ${showValue(continues)}`,
      );
    this.#tasks.set(id, tasksOf(entries));
  }
}

/** Ids of the tasks that have entries. */
export function tasksOf(entries: readonly Entry[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const entry of entries) if ('taskId' in entry) ids.add(entry.taskId);
  return ids;
}
