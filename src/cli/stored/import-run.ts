import { type Entry, FlowError, StoreConflictError } from '../../index.ts';
import { count } from '../../model/duration.ts';
import { checkRunId } from '../../model/key.ts';
import { UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import { keepModuleOf } from './module-of-run.ts';
import { storeFile, withStore } from './open-store.ts';
import { rawValues } from './read-run.ts';
import { readRunFile } from './read-run-file.ts';

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
  const { header, entries } = await readRunFile(given, io);
  const { id = header.id, module, flow = header.flow } = options;
  const renamed = id === header.id ? entries : entries.map((entry): Entry => ({ ...entry, runId: id }));
  await withStore(
    file,
    'create',
    io,
    async (open) => {
      const get = (seq: number): Entry => renamed[seq - 1] as Entry;
      const append = { runId: id, expectedSeq: 0, seq: renamed.length, entries: renamed, journal: { get } };
      try {
        await open.store.append(append);
      } catch (cause) {
        if (!(cause instanceof StoreConflictError)) throw cause;
        throw new UsageError(
          `${file}: has a run \`${id}\` already, so nothing was imported: give this one another id with \`--id\`.`,
          { cause },
        );
      }
      if (header.outline !== null) await open.store.keepFlow(header.outline);
      if (module !== undefined) keepModuleOf(open, id, { file: module, flow }, io);
    },
    rawValues,
  );
  tell(io, `run \`${id}\` is kept in ${file}, with ${count(entries.length, 'entry', 'entries')}`);
  return undefined;
}

function checkId(id: string): void {
  try {
    checkRunId({ option: '--id', owner: 'topple import' }, id);
  } catch (cause) {
    if (!(cause instanceof FlowError)) throw cause;
    throw new UsageError(cause.message, { cause });
  }
}
