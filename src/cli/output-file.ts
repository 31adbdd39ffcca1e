import { randomUUID } from 'node:crypto';
import {
  accessSync,
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { UsageError } from './cli-error.ts';
import { explainFileError } from './file-error.ts';
import type { Io } from './io.ts';

/** A kind of file that a command writes. */
export interface OutputFormat {
  /** The option that names the file: `--gantt`. */
  readonly option: string;
  /** The text at the start of each file of this kind, by which topple recognises its own files. */
  readonly mark: string;
}

/** A file that may be written: it is not an input, and not somebody else's work. */
export interface OutputFile {
  /** The path as given, for messages. */
  readonly given: string;
  readonly format: OutputFormat;
  /** Absolute. If the given path is a link, its target. */
  readonly path: string;
  /** Permissions of the existing file; `undefined` if there is none, or it is not a regular file. */
  readonly mode: number | undefined;
  /** Whether it is no regular file, such as a pipe or a device, which cannot be replaced. */
  readonly isStream: boolean;
}

/** The rules for an output. */
export interface OutputRules {
  /** Files that the command reads, as paths; `-` is standard input. */
  readonly inputs: Iterable<string>;
  /** Whether a file that topple did not write may be overwritten. */
  readonly force: boolean;
}

/**
 * Checks an output before the work begins. Writes nothing, and creates nothing.
 *
 * @throws UsageError if it is an input, or cannot be written, or, without `force`, is a file that topple did not write
 */
export function claimOutput(given: string, format: OutputFormat, rules: OutputRules, io: Io): OutputFile {
  const path = resolve(io.cwd, given);
  const found = statOf(path);
  if (found?.isDirectory()) throw cannotWrite(given, format, { code: 'EISDIR' });
  try {
    accessSync(found === undefined ? `${dirname(path)}/.` : path, constants.W_OK);
  } catch (cause) {
    throw cannotWrite(given, format, cause);
  }
  if (found?.isFile()) checkOverwriting(given, format, rules, found, io);
  return {
    given,
    format,
    path: found === undefined ? path : realpathSync(path),
    mode: found?.isFile() ? Number(found.mode) : undefined,
    isStream: found?.isFile() === false,
  };
}

function checkOverwriting(
  given: string,
  { option, mark }: OutputFormat,
  { inputs, force }: OutputRules,
  found: BigIntStats,
  io: Io,
): void {
  for (const input of inputs) {
    // The same file may have several names.
    const read = statOf(input === '-' ? '/dev/stdin' : resolve(io.cwd, input));
    if (read?.ino !== found.ino || read.dev !== found.dev) continue;
    const name = input === '-' ? 'standard input' : `\`${relative(io.cwd, resolve(io.cwd, input))}\``;
    throw new UsageError(
      `${given}: \`${option}\` would overwrite ${name}, which this command reads: give another file.`,
    );
  }
  if (force || found.size === 0n || startsWith(resolve(io.cwd, given), mark)) return;
  throw new UsageError(
    `${given}: \`${option}\` would overwrite a file that topple did not write: give another file, or use \`--force\`.`,
  );
}

/**
 * Writes a whole output; the content begins with its format's mark. Readers see the old file or the new one, never half
 * of it, unless the folder does not permit a second file.
 *
 * @throws UsageError if it cannot be written
 */
export function writeOutput(output: OutputFile, content: string): void {
  const { given, format, path, mode, isStream } = output;
  if (!isStream && replaceFile(path, content, mode)) return;
  const descriptor = openOutput(output);
  try {
    writeFileSync(descriptor, content);
  } catch (cause) {
    throw cannotWrite(given, format, cause);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Opens an output for writing in steps, and empties it.
 *
 * @throws UsageError if it cannot be opened, such as a pipe that nobody reads
 */
export function openOutput({ given, format, path, isStream }: OutputFile): number {
  let probe: number | undefined;
  try {
    // Opening a pipe that nobody reads would block in the system, where signals are not handled; with this flag it is
    // an error.
    if (isStream) probe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    return openSync(path, 'w');
  } catch (cause) {
    throw cannotWrite(given, format, cause);
  } finally {
    if (probe !== undefined) closeSync(probe);
  }
}

function cannotWrite(given: string, { option }: OutputFormat, cause: unknown): UsageError {
  return new UsageError(`${given}: \`${option}\` cannot be written: ${explainFileError(cause, 'write')}.`, {
    cause,
  });
}

/** Writes a file next to the target, then renames it; `false` if that fails. */
function replaceFile(path: string, content: string, mode: number | undefined): boolean {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, content, { flag: 'wx' });
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, path);
    return true;
  } catch {
    rmSync(temporary, { force: true });
    return false;
  }
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function startsWith(path: string, mark: string): boolean {
  const head = Buffer.alloc(Buffer.byteLength(mark));
  try {
    const descriptor = openSync(path, 'r');
    readSync(descriptor, head, 0, head.length, 0);
    closeSync(descriptor);
  } catch {
    return false;
  }
  return head.equals(Buffer.from(mark));
}
