import type { Entry } from '../../index.ts';
import { escapeJson } from '../../model/escape.ts';
import type { Io } from '../io.ts';
import { moduleNamedBy } from './module-of-run.ts';
import { withStore } from './open-store.ts';
import { rawValues, readRun } from './read-run.ts';
import { type RunFileHeader, runFileType, runFileVersion } from './run-file.ts';

/** Characters written at a time. */
const maxHeld = 64 * 1_024;

/** Prints a run as lines of JSON: a header, then its entries, with values exactly as the file has them. */
export async function exportRun(id: string, store: string | undefined, io: Io): Promise<undefined> {
  const { run, outline, module } = await withStore(
    store,
    'read',
    io,
    async (open) => {
      const run = await readRun(open, id);
      const outline = run.definition.isWhole ? await open.store.readFlow(run.definition.hash) : undefined;
      return { run, outline: outline ?? null, module: moduleNamedBy(open, id) ?? null };
    },
    rawValues,
  );
  const { entries, definition } = run;
  const header: RunFileHeader = {
    type: runFileType,
    version: runFileVersion,
    id,
    flow: definition.name,
    flowHash: definition.hash,
    journal: definition.journalVersion,
    entries: entries.length,
    module,
    outline,
  };
  let held = '';
  for (const line of linesOf(header, entries)) {
    held += `${escapeJson(line)}\n`;
    if (held.length < maxHeld) continue;
    io.stdout.write(held);
    held = '';
  }
  io.stdout.write(held);
  return undefined;
}

function* linesOf(header: RunFileHeader, entries: readonly Entry[]): Generator<string> {
  yield JSON.stringify(header);
  for (const entry of entries) yield JSON.stringify(entry);
}
