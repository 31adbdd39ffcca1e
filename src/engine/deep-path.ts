import { type ChildPlace, pathOf, placeOf } from '../model/child-id.ts';
import type { Entry } from '../model/journal.ts';

/** An event of a run or of one below it, with the tasks that lead there; none for an event of the run itself. */
export type DeepEntry<Event extends Entry = Entry> = Event & { readonly path: readonly string[] };

/** Gives entries the path from a run to theirs; `undefined` for those of runs that are not below it. */
export class PathsFrom {
  readonly #runId: string;
  readonly #paths = new Map<string, readonly string[] | undefined>();

  constructor(runId: string) {
    this.#runId = runId;
    this.#paths.set(runId, []);
  }

  of<Event extends Entry>(entry: Event): DeepEntry<Event> | undefined {
    const path = this.#pathOf(entry.runId);
    return path && { ...entry, path };
  }

  #pathOf(runId: string): readonly string[] | undefined {
    if (!this.#paths.has(runId)) this.#paths.set(runId, this.#find(runId));
    return this.#paths.get(runId);
  }

  #find(runId: string): readonly string[] | undefined {
    if (!runId.startsWith(`${this.#runId}/`)) return undefined;
    const place = placeOf(runId);
    const above = place && this.#paths.get(place.parentId);
    // That of the run above is mostly known.
    if (above !== undefined) return [...above, (place as ChildPlace).taskId];
    return pathOf(runId)
      .slice(pathOf(this.#runId).length)
      .map(({ taskId }) => taskId);
  }
}
