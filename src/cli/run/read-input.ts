import { oneLine, UsageError } from '../cli-error.ts';
import { explainFileError } from '../file-error.ts';
import type { Io } from '../io.ts';
import { readFileGiven } from '../read-file.ts';

/**
 * The run's input: JSON, `@FILE` for a file of JSON, or `-` for standard input.
 *
 * @throws UsageError if it cannot be read, or is not JSON
 */
export async function readInput(given: string | undefined, io: Io): Promise<unknown> {
  if (given === undefined) return undefined;
  const { place, json } = await locate(given, io);
  try {
    return JSON.parse(json);
  } catch (cause) {
    const advice = json.trim() === '' ? 'it is empty' : oneLine((cause as Error).message);
    throw new UsageError(
      `${place}: expected JSON, but ${advice}. Give JSON, \`@FILE\`, or \`-\` for standard input; a string needs its quotes: '"…"'.`,
      { cause },
    );
  }
}

/** The file of an input, `-` for standard input; `undefined` if the input is given literally. */
export function inputFile(given: string | undefined): string | undefined {
  return given?.startsWith('@') ? given.slice(1) : given === '-' ? given : undefined;
}

async function locate(given: string, io: Io): Promise<{ readonly place: string; readonly json: string }> {
  const path = inputFile(given);
  if (path === undefined) return { place: '--input', json: given };
  try {
    // The decoder drops a byte order mark, which some editors write first.
    const json = new TextDecoder().decode(await readFileGiven(path, io));
    return { place: path === '-' ? '--input -' : path, json };
  } catch (cause) {
    throw new UsageError(`--input @${path}: cannot be read: ${explainFileError(cause, 'read')}.`, { cause });
  }
}
