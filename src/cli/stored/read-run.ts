import { type Entry, StoreError, type ValueFormat } from '../../index.ts';
import { isChildId, rootIdOf } from '../../model/child-id.ts';
import type { FlowOutline } from '../../model/flow-outline.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import type { SettledRunStatus } from '../../model/status.ts';
import { createValueFormat } from '../../store/values.ts';
import { UsageError } from '../cli-error.ts';
import { JournalFlow } from './journal-flow.ts';
import type { OpenStore } from './open-store.ts';
import { checkSound, JournalDefect } from './sound-journal.ts';

/** Ids among which one that was probably meant is looked for: those of the latest runs. */
const maxCompared = 1_000;

/** A run as its journal tells it; no code of the flow was loaded. */
export interface ReadRun {
  readonly id: string;
  readonly entries: readonly Entry[];
  /** What the journal tells of the flow. */
  readonly definition: JournalFlow;
  /** The status in which the run has settled; `undefined` if it has not. */
  readonly ending: SettledRunStatus | undefined;
}

/** Shows values that cannot be read back, such as those of a codec, as what they are. */
export const lenientValues: ValueFormat = createLenient(createValueFormat());

/** Reads and writes the JSON of values as it stands in the file. */
export const rawValues: ValueFormat = { read: (json) => json, write: (json) => JSON.stringify(json) };

/**
 * Reads a run's journal, and checks it.
 *
 * @throws UsageError if there is no such run, or its journal is damaged; StoreError
 */
export async function readRun({ store, file }: OpenStore, id: string): Promise<ReadRun> {
  const entries = await store.read(id);
  if (entries.length === 0) throw await unknownRun({ store, file }, id);
  const definition = await flowOfJournal(store, entries);
  try {
    return { id, entries, definition, ending: checkSound(definition, id, entries) };
  } catch (cause) {
    if (!(cause instanceof JournalDefect)) throw cause;
    throw new UsageError(
      `${file}: the journal of run \`${id}\` is damaged: entry ${cause.index + 1}: ${cause.message}.`,
      { cause },
    );
  }
}

/**
 * Reads a run that has a tree of its own, for commands that go on with the whole of it.
 *
 * @throws UsageError as `readRun` does, and for a child run
 */
export async function readRoot(open: OpenStore, id: string): Promise<ReadRun> {
  const run = await readRun(open, id);
  if (!isChildId(id)) return run;
  throw new UsageError(
    `${open.file}: run \`${id}\` is a child run, which goes on with its root: give \`${rootIdOf(id)}\` instead.`,
  );
}

/** The error of an id that no run has, with the one that was probably meant. */
export async function unknownRun(
  { store, file }: Pick<OpenStore, 'store' | 'file'>,
  id: string,
): Promise<UsageError> {
  const under = isChildId(id) ? rootIdOf(id) : undefined;
  const latest = await store.list({ under, newestFirst: true, limit: maxCompared });
  const meant = nearest(
    id,
    latest.map((run) => String(run.id)),
  );
  const command = latest.length > 0 && under !== undefined ? `topple list --under ${under}` : 'topple list';
  return new UsageError(
    `${file}: has no run \`${id}\`. ${didYouMean(meant, `\`${command}\` shows those that it has.`)}`,
  );
}

/** The flow of a journal, by its outline if the store has that. */
export async function flowOfJournal(
  store: OpenStore['store'],
  entries: readonly Entry[],
): Promise<JournalFlow> {
  const known = new JournalFlow(entries);
  const outline = await outlineOf(store, known.hash);
  return outline === null ? known : new JournalFlow(entries, outline);
}

/** The outline of the flow with this hash, as it stands in the file; `null` if there is none that can be read. */
export async function outlineOf(store: OpenStore['store'], hash: string): Promise<FlowOutline | null> {
  try {
    return (await store.readFlow(hash)) ?? null;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    // It is no JSON.
    return null;
  }
}

function createLenient(format: ValueFormat): ValueFormat {
  return {
    write: (value) => format.write(value),
    read(json) {
      try {
        return format.read(json);
      } catch {
        return '[encoded]';
      }
    },
  };
}
