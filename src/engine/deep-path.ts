import { pathOf } from '../model/child-id.ts';
import type { Entry } from '../model/journal.ts';

/** An event of a run or of one below it, with the tasks that lead there; none for an event of the run itself. */
export type DeepEntry<Event extends Entry = Entry> = Event & { readonly path: readonly string[] };

/** Gives entries the path from a run to theirs; `undefined` for those of runs that are not below it. */
export class PathsFrom {
  readonly #runId: string;
  readonly #depth: number;
  readonly #paths = new Map<string, readonly string[] | undefined>();

  constructor(runId: string) {
    this.#runId = runId;
    this.#depth = pathOf(runId).length;
  }

  of<Event extends Entry>(entry: Event): DeepEntry<Event> | undefined {
    const { runId } = entry;
    if (!this.#paths.has(runId)) this.#paths.set(runId, this.#find(runId));
    const path = this.#paths.get(runId);
    return path && { ...entry, path };
  }

  #find(runId: string): readonly string[] | undefined {
    if (runId !== this.#runId && !runId.startsWith(`${this.#runId}/`)) return undefined;
    return pathOf(runId)
      .slice(this.#depth)
      .map(({ taskId }) => taskId);
  }
}
