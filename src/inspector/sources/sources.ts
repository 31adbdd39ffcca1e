import { Problem } from '../../http/problem.ts';
import { soon } from '../../http/requests-first.ts';
import type { VisibleRun } from '../../http/runs/access.ts';
import { rootIdOf } from '../../model/child-id.ts';
import type { Grid, GridCell, GridRun, ListedRun, RunList, SourceInfo } from '../protocol.ts';
import type { PlacedRun, ShownRun, Source } from './source.ts';

export type IsVisible = (run: VisibleRun) => boolean;

/** Which runs a list has. */
export interface RunsQuery {
  readonly source?: string | undefined;
  readonly flow?: string | undefined;
  /** Empty for all. */
  readonly status: readonly string[];
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** What is told when sources come and go. */
export interface SourcesListener {
  added(source: Source): void;
  gone(source: Source): void;
}

/** Runs counted at most, for each source. */
const mostCounted = 2_000;
const chunkSize = 256;
/** Settled runs whose cells are kept for the next grid. */
const mostKeptCells = 200;

/** All places that runs come from. */
export class Sources {
  readonly #all = new Map<string, Source>();
  readonly #listeners = new Set<SourcesListener>();
  /** By source, id and `seq`; oldest first. */
  readonly #cells = new Map<string, ReadonlyMap<string, GridCell>>();

  add(source: Source): void {
    this.#all.set(source.id, source);
    for (const { added } of this.#listeners) added(source);
  }

  remove(source: Source): void {
    if (!this.#all.delete(source.id)) return;
    for (const { gone } of this.#listeners) gone(source);
  }

  all(): readonly Source[] {
    return [...this.#all.values()];
  }

  infos(): readonly SourceInfo[] {
    return this.all().map((source) => source.info());
  }

  get(id: string): Source | undefined {
    return this.#all.get(id);
  }

  /** Hears of sources, those that are there first. Returns a function that ends this. */
  listen(listener: SourcesListener): () => void {
    this.#listeners.add(listener);
    for (const source of this.all()) listener.added(source);
    return () => void this.#listeners.delete(listener);
  }

  /** Opens a run. Throws Problem 404 if it is not there, or not to be seen. */
  async open(source: string, id: string, isVisible: IsVisible): Promise<ShownRun> {
    // Whoever may see a root may see the child runs below it, and nobody else.
    const rootId = rootIdOf(id);
    const root = await this.#all.get(source)?.open(rootId);
    if (root !== undefined && isVisible({ id: rootId, flow: root.listed().flow })) {
      const run = rootId === id ? root : await this.#all.get(source)?.open(id);
      if (run !== undefined) return run;
    }
    throw new Problem(404, 'No run has this id: it never existed, or was dropped after it settled.');
  }

  async list(query: RunsQuery, isVisible: IsVisible): Promise<RunList> {
    const { flow, status, limit } = query;
    const places = readCursor(query.cursor);
    const runs: ListedRun[] = [];
    let next: string | null = null;
    for await (const { run, place } of this.#merged(query.source, flow, places)) {
      if (runs.length === limit) {
        next = writeCursor(places);
        break;
      }
      places[run.source] = place;
      if (isVisible(run) && (status.length === 0 || status.includes(run.status))) runs.push(run);
    }
    const counted = query.cursor === undefined ? await this.#count(query, isVisible) : nothingCounted;
    return { runs, next, ...counted, sources: this.infos() };
  }

  async grid(
    query: Pick<RunsQuery, 'source' | 'limit'> & { readonly flow: string },
    isVisible: IsVisible,
  ): Promise<Grid> {
    const found: {
      readonly run: ListedRun;
      readonly ids: readonly string[];
      readonly cells: ReadonlyMap<string, GridCell>;
    }[] = [];
    for await (const { run } of this.#merged(query.source, query.flow, {})) {
      if (!isVisible(run)) continue;
      const shown = await this.#all.get(run.source)?.open(run.id);
      if (shown === undefined) continue;
      const ids = shown.structure().tasks.map(({ id }) => id);
      found.push({ run: shown.listed(), ids, cells: this.#cellsOf(run.source, shown) });
      if (found.length >= query.limit) break;
      await new Promise<void>(soon);
    }
    const tasks = [...new Set(found.flatMap(({ ids }) => ids))];
    const rows = found.map(({ run, ids, cells }): GridRun => {
      const own = new Set(ids);
      return { run, cells: tasks.map((id) => cells.get(id) ?? (own.has(id) ? pending : null)) };
    });
    return { flow: query.flow, tasks, runs: rows };
  }

  #cellsOf(source: string, run: ShownRun): ReadonlyMap<string, GridCell> {
    const key = JSON.stringify([source, run.id, run.seq]);
    const cells = this.#cells.get(key) ?? run.cells();
    this.#cells.delete(key);
    if (run.isSettled) this.#cells.set(key, cells);
    for (const oldest of this.#cells.keys()) {
      if (this.#cells.size <= mostKeptCells) break;
      this.#cells.delete(oldest);
    }
    return cells;
  }

  async #count(
    { source, flow }: RunsQuery,
    isVisible: IsVisible,
  ): Promise<Pick<RunList, 'counts' | 'isCountPartial' | 'flows'>> {
    const counts: Record<string, number> = {};
    const flows = new Set<string>();
    let seen = 0;
    for await (const { run } of this.#merged(source, undefined, {})) {
      if (seen++ >= mostCounted) return { counts, isCountPartial: true, flows: [...flows].sort() };
      if (!isVisible(run)) continue;
      flows.add(run.flow);
      if (flow === undefined || run.flow === flow) counts[run.status] = (counts[run.status] ?? 0) + 1;
    }
    return { counts, isCountPartial: false, flows: [...flows].sort() };
  }

  /** Runs of all sources, the latest first. */
  async *#merged(
    only: string | undefined,
    flow: string | undefined,
    places: Readonly<Record<string, number>>,
  ): AsyncGenerator<PlacedRun> {
    const chosen = this.all().filter(({ id }) => only === undefined || id === only);
    const heads = chosen.map((source) => newestFirst(source, flow, places[source.id]));
    const next = await Promise.all(heads.map((head) => head.next()));
    for (;;) {
      let latest = -1;
      for (const [index, { value }] of next.entries())
        if (value !== undefined && (latest < 0 || startOf(value) > startOf(next[latest]?.value)))
          latest = index;
      if (latest < 0) return;
      yield next[latest]?.value as PlacedRun;
      next[latest] = await (heads[latest] as AsyncGenerator<PlacedRun, undefined>).next();
    }
  }
}

const pending: GridCell = ['pending', 0, null];

const nothingCounted = { counts: {}, isCountPartial: true, flows: [] };

/** The runs of a source in chunks. The event loop runs in between. */
async function* newestFirst(
  source: Source,
  flow: string | undefined,
  from: number | undefined,
): AsyncGenerator<PlacedRun, undefined> {
  let before = from;
  for (let limit = 64; ; limit = chunkSize) {
    const runs = await source.list({ flow, before, limit });
    yield* runs;
    const last = runs.at(-1);
    if (last === undefined) return undefined;
    before = last.place;
    await new Promise<void>(soon);
  }
}

/** A run that has not started comes first. */
function startOf(placed: PlacedRun | undefined): number {
  return placed === undefined ? Number.NEGATIVE_INFINITY : (placed.run.startedAt ?? Number.POSITIVE_INFINITY);
}

function writeCursor(places: Readonly<Record<string, number>>): string {
  return btoa(JSON.stringify(places)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function readCursor(cursor: string | undefined): Record<string, number> {
  if (cursor === undefined) return {};
  try {
    const places: unknown = JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
    const entries = Object.entries(places as object);
    if (entries.every(([, place]) => Number.isSafeInteger(place) && (place as number) >= 0))
      return Object.fromEntries(entries);
  } catch {
    // Refused below.
  }
  throw new Problem(400, '`cursor` must be the `next` of the previous page.');
}
