import { statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type KeptModule, keepModule, keptModule } from '../../store/sqlite/kept-modules.ts';
import { UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import type { OpenStore } from './open-store.ts';
import { isSigned, sign, userKey } from './user-key.ts';

/** Where a flow comes from. */
export interface FlowPlace {
  /** The file, for messages as well. */
  readonly file: string;
  /** The name by which it has the flow. */
  readonly flow: string;
}

/** The place of a flow as the command line gives it. */
export interface GivenPlace {
  readonly module?: string | undefined;
  readonly flow?: string | undefined;
}

/**
 * Keeps beside a run where its flow comes from, signed by this user: only then a command loads it without being told
 * again. Nothing is kept for standard input.
 */
export function keepModuleOf({ path: store }: OpenStore, runId: string, place: FlowPlace, io: Io): void {
  if (place.file === '-') return;
  const path = relative(dirname(store), resolve(io.cwd, place.file)).replaceAll('\\', '/');
  const key = userKey(io);
  const kept: KeptModule = { path, flow: place.flow, mark: '' };
  const marks = key === undefined ? [] : textsOf(store, runId, kept).map((texts) => sign(key, texts));
  keepModule(store, runId, { ...kept, mark: marks.join(' ') });
  if (key === undefined)
    tell(
      io,
      `run \`${runId}\` has to be given its module again by \`--module\`: there is no folder for this user's key (XDG_STATE_HOME or HOME)`,
    );
}

/**
 * The place of the flow of a run: the given one, or else the one kept with the run.
 *
 * @param flow the name of the run's flow
 * @throws UsageError if none was given, and none is kept that this user signed
 */
export function moduleOfRun(
  open: OpenStore,
  run: { readonly id: string; readonly flow: string },
  given: GivenPlace,
  io: Io,
): FlowPlace {
  if (given.module !== undefined) return { file: given.module, flow: given.flow ?? run.flow };
  const kept = readKept(open.path, run.id);
  const missing = `${open.file}: run \`${run.id}\` of flow \`${run.flow}\``;
  if (kept === undefined)
    throw new UsageError(
      `${missing} does not say where its flow is: name the module with \`--module FILE\`.`,
    );
  const file = relative(io.cwd, resolve(dirname(open.path), kept.path)) || kept.path;
  if (!isOwn(open.path, run.id, kept, io))
    throw new UsageError(
      `${missing} names the module \`${file}\`, but you did not start it here, so that is not run: if you trust file and module, use \`--module ${file}\`.`,
    );
  return { file, flow: given.flow ?? kept.flow };
}

/** The module that is kept with a run, as it stands there, for people to read. */
export function moduleNamedBy(open: OpenStore, runId: string): string | undefined {
  return readKept(open.path, runId)?.path;
}

function readKept(store: string, runId: string): KeptModule | undefined {
  try {
    return keptModule(new URL(`${pathToFileURL(store).href}?mode=ro`), runId);
  } catch {
    // The run is read through the store, which tells what is wrong with the file.
    return undefined;
  }
}

/** Whether this user wrote it, in this file: where it stood then, or the same file in another folder. */
function isOwn(store: string, runId: string, kept: KeptModule, io: Io): boolean {
  const key = userKey(io);
  if (key === undefined) return false;
  const marks = kept.mark.split(' ');
  return textsOf(store, runId, kept).some((texts, index) => isSigned(key, texts, marks[index] ?? ''));
}

/** What is signed: with the file's path, and with its number on the disk, which it keeps when it is moved. */
function textsOf(store: string, runId: string, { path, flow }: KeptModule): readonly (readonly string[])[] {
  const { dev, ino } = statSync(store, { bigint: true });
  return [
    ['path', store, runId, path, flow],
    ['number', `${dev}:${ino}`, runId, path, flow],
  ];
}
