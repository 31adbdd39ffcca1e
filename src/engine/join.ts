import { isA, showValue } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { InputError, StoreConflictError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import { isSameValue } from '../model/same-value.ts';
import type { Store } from '../store/store.ts';
import type { LiveRun } from './live-run.ts';
import type { HeldRun, Run } from './run.ts';

/** How often a start is tried whose id is taken by a run that is gone when one looks. */
const MOST_TRIES = 5;

/** The engine on which a run is joined or starts. */
interface Joined {
  readonly store: Store | undefined;
  live(runId: string): LiveRun | undefined;
  /** The handle of a run, of which the store has these entries; `undefined` if there is none. */
  handleFor(runId: string, entries: readonly Entry[]): Promise<Run | undefined>;
  /** A run that is under way or kept here. */
  here(runId: string): HeldRun | undefined;
}

/** A run that was asked for: joined if it is there, else started. */
export interface Wanted {
  readonly definition: FlowDefinition;
  readonly id: string;
  /** As the schema returned it. */
  readonly input: unknown;
}

/**
 * Joins the run of an id, or starts it if there is none. Whoever is faster: of all that want the same run one starts it,
 * and the others join.
 *
 * @param start throws, or rejects with, `StoreConflictError` if the id is taken
 * @throws InputError if the run has another input; StoreConflictError if it is of another flow
 */
export async function joinOrStart(
  engine: Joined,
  wanted: Wanted,
  start: () => MaybePromise<Run>,
): Promise<Run> {
  for (let tries = 1; ; tries++) {
    const run = await join(engine, wanted);
    if (run !== undefined) return run;
    try {
      return await start();
    } catch (error) {
      if (!isA(error, StoreConflictError) || tries === MOST_TRIES) throw error;
    }
  }
}

async function join(engine: Joined, wanted: Wanted): Promise<Run | undefined> {
  const { id } = wanted;
  let entries: readonly Entry[];
  do {
    await keptOrRefused(engine.live(id));
    entries = (await engine.store?.read(id)) ?? [];
    // One may have begun while the store was being read.
  } while (engine.live(id)?.journal.keptSeq === 0);
  const start = startOf(entries) ?? startOf(engine.here(id)?.journal.toEntries() ?? []);
  if (start !== undefined) checkSame(engine.store, wanted, start);
  else if (entries.length > 0) throw taken(wanted, 'whose input was never accepted');
  return engine.handleFor(id, entries);
}

/**
 * Waits until it is known whether a run under way has its id, or another process was faster. Rejects if the store fails.
 */
async function keptOrRefused(live: LiveRun | undefined): Promise<void> {
  if (live === undefined || live.journal.keptSeq > 0) return;
  try {
    await live.whenKept();
  } catch (error) {
    if (!isA(error, StoreConflictError)) throw error;
  }
}

function startOf(entries: readonly Entry[]): Extract<Entry, { type: 'run.started' }> | undefined {
  return entries.find((entry) => entry.type === 'run.started');
}

function checkSame(
  store: Store | undefined,
  wanted: Wanted,
  { flow, input }: { readonly flow: string; readonly input: unknown },
): void {
  const { definition, id } = wanted;
  if (flow !== definition.name) throw taken(wanted, `of flow \`${flow}\``);
  if (isSameValue(asStored(store, wanted.input), input)) return;
  const message = `must be that of run ${showValue(id)}, which there is already: with another input use another id`;
  throw new InputError(definition.name, [{ message, path: [] }]);
}

/** A value as the store would give it back. */
function asStored(store: Store | undefined, value: unknown): unknown {
  const values = store?.values;
  if (values === undefined || value === undefined) return value;
  return values.read(JSON.parse(values.write(value)));
}

function taken({ id, definition }: Wanted, which: string): StoreConflictError {
  return new StoreConflictError(
    id,
    `There is a run ${id} already, ${which}, so one of flow \`${definition.name}\` cannot join it`,
  );
}
