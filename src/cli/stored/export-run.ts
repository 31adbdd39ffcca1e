import { placeOf } from '../../model/child-id.ts';
import { escapeJson } from '../../model/escape.ts';
import type { FlowOutline } from '../../model/flow-outline.ts';
import type { Io } from '../io.ts';
import { moduleNamedBy } from './module-of-run.ts';
import { type OpenStore, withStore } from './open-store.ts';
import { type ReadRun, rawValues, readRoot, readRun } from './read-run.ts';
import { type ChildHeader, childType, type RunFileHeader, runFileType } from './run-file.ts';
import { tasksOf } from './tree-check.ts';

/** Characters written at a time. */
const maxHeld = 64 * 1_024;

/** A run, and its outline unless one before it has the same. */
interface Exported {
  readonly run: ReadRun;
  readonly outline: FlowOutline | null;
}

/** Prints a tree of runs as lines of JSON: for each a header, then its entries, with values exactly as the file has them. */
export async function exportRun(id: string, store: string | undefined, io: Io): Promise<undefined> {
  const { root, children, module } = await withStore(
    store,
    'read',
    io,
    async (open) => ({ ...(await readTree(open, id)), module: moduleNamedBy(open, id) ?? null }),
    rawValues,
  );
  const { definition } = root.run;
  const header: RunFileHeader = {
    type: runFileType,
    version: children.length > 0 ? 2 : 1,
    ...partsOf(root),
    journal: definition.journalVersion,
    ...(children.length > 0 && { children: children.length }),
    module,
    outline: root.outline,
  };
  let held = '';
  for (const line of linesOf(header, root, children)) {
    held += `${escapeJson(line)}\n`;
    if (held.length < maxHeld) continue;
    io.stdout.write(held);
    held = '';
  }
  io.stdout.write(held);
  return undefined;
}

/** Parents come before their children. A child that began since its parent was read is left out. */
async function readTree(
  open: OpenStore,
  id: string,
): Promise<{ readonly root: Exported; readonly children: readonly Exported[] }> {
  const hashes = new Set<string>();
  const read = async (runId: string): Promise<Exported> => {
    const run = await (runId === id ? readRoot : readRun)(open, runId);
    const { hash, isWhole } = run.definition;
    const isNew = isWhole && !hashes.has(hash);
    hashes.add(hash);
    return { run, outline: (isNew ? await open.store.readFlow(hash) : undefined) ?? null };
  };
  const root = await read(id);
  const tasks = new Map([[id, tasksOf(root.run.entries)]]);
  const children: Exported[] = [];
  for (const { id: childId } of await open.store.list({ under: id })) {
    const place = placeOf(childId);
    if (place === undefined || tasks.get(place.parentId)?.has(place.taskId) !== true) continue;
    const child = await read(childId);
    tasks.set(childId, tasksOf(child.run.entries));
    children.push(child);
  }
  return { root, children };
}

function partsOf({ run: { id, definition, entries } }: Exported) {
  return { id, flow: definition.name, flowHash: definition.hash, entries: entries.length };
}

function* linesOf(header: RunFileHeader, root: Exported, children: readonly Exported[]): Generator<string> {
  yield JSON.stringify(header);
  for (const entry of root.run.entries) yield JSON.stringify(entry);
  for (const child of children) {
    const own: ChildHeader = { type: childType, ...partsOf(child), outline: child.outline };
    yield JSON.stringify(own);
    for (const entry of child.run.entries) yield JSON.stringify(entry);
  }
}
