import { type Append, type Entry, FlowError, StoreConflictError } from '../../index.ts';
import { count } from '../../model/duration.ts';
import type { ParentTask } from '../../model/journal.ts';
import { checkRunId } from '../../model/key.ts';
import { UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import { keepModuleOf } from './module-of-run.ts';
import { storeFile, withStore } from './open-store.ts';
import { rawValues } from './read-run.ts';
import { type RunFile, readRunFile } from './read-run-file.ts';

/** Options of `topple import`. */
export interface ImportOptions {
  readonly store?: string | undefined;
  /** Another id for the run. */
  readonly id?: string | undefined;
  /** Where its flow is; what the file says of that is not used. */
  readonly module?: string | undefined;
  readonly flow?: string | undefined;
}

/** Keeps an exported run in a store, with all its entries, or refuses it as a whole. */
export async function importRun(given: string, options: ImportOptions, io: Io): Promise<undefined> {
  const file = storeFile(options.store, io);
  if (options.id !== undefined) checkId(options.id);
  const { header, entries, children } = await readRunFile(given, io);
  const { id = header.id, module, flow = header.flow } = options;
  const tree = [{ header, entries }, ...children];
  await withStore(
    file,
    'create',
    io,
    async (open) => {
      try {
        await open.store.appendTree(tree.map((run) => appendOf(run, header.id, id)));
      } catch (cause) {
        if (!(cause instanceof StoreConflictError)) throw cause;
        throw new UsageError(
          `${file}: has a run \`${id}\` already, so nothing was imported: give this one another id with \`--id\`.`,
          { cause },
        );
      }
      for (const { outline } of tree.map((run) => run.header))
        if (outline !== null) await open.store.keepFlow(outline);
      if (module !== undefined) keepModuleOf(open, id, { file: module, flow }, io);
    },
    rawValues,
  );
  const below = children.length > 0 ? ` and ${count(children.length, 'child run')}` : '';
  tell(io, `run \`${id}\` is kept in ${file}, with ${count(entries.length, 'entry', 'entries')}${below}`);
  return undefined;
}

/** The journal of a run whose root gets another id. */
function appendOf(
  { header, entries }: Pick<RunFile, 'entries'> & { header: { id: string } },
  from: string,
  to: string,
): Append {
  const renamed = (runId: string): string => to + runId.slice(from.length);
  const runId = renamed(header.id);
  const kept = from === to ? entries : entries.map((entry) => renamedEntry(entry, runId, renamed));
  const get = (seq: number): Entry => kept[seq - 1] as Entry;
  return { runId, expectedSeq: 0, seq: kept.length, entries: kept, journal: { get } };
}

function renamedEntry(entry: Entry, runId: string, renamed: (runId: string) => string): Entry {
  const own = { ...entry, runId };
  const { parent, continues, childRunId } = own as {
    parent?: ParentTask;
    continues?: string;
    childRunId?: string;
  };
  return {
    ...own,
    ...(parent && { parent: { ...parent, runId: renamed(parent.runId) } }),
    ...(continues !== undefined && { continues: renamed(continues) }),
    ...(childRunId !== undefined && { childRunId: renamed(childRunId) }),
  };
}

function checkId(id: string): void {
  try {
    checkRunId({ option: '--id', owner: 'topple import' }, id);
  } catch (cause) {
    if (!(cause instanceof FlowError)) throw cause;
    throw new UsageError(cause.message, { cause });
  }
}
