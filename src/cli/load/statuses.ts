import { statusStyles } from '../../draw/status-style.ts';
import type { RunView, TaskStatus } from '../../index.ts';
import { UsageError } from '../cli-error.ts';
import { explainFileError } from '../file-error.ts';
import type { Io } from '../io.ts';
import { readFileGiven } from '../read-file.ts';

/**
 * Reads each task's status from a file: a RunView, the output of `run --json` (whose last line is its view), or that of
 * `simulate --json`.
 *
 * @throws UsageError if it is none of them
 */
export async function loadStatuses(
  given: string,
  ids: readonly string[],
  io: Io,
): Promise<Map<string, TaskStatus>> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readFileGiven(given, io));
  } catch (cause) {
    throw new UsageError(`${given}: \`--status\` cannot be read: ${explainFileError(cause, 'read')}.`, {
      cause,
    });
  }
  const tasks = viewIn(text)?.tasks;
  if (typeof tasks !== 'object' || tasks === null)
    throw new UsageError(
      `${given}: \`--status\` must be a RunView as JSON, or the output of \`topple run --json\`.`,
    );
  const statuses = new Map<string, TaskStatus>();
  for (const id of ids) {
    const status: unknown = Object.hasOwn(tasks, id) ? tasks[id]?.status : undefined;
    if (status === undefined) continue;
    if (typeof status !== 'string' || !Object.hasOwn(statusStyles, status))
      throw new UsageError(
        `${given}: \`--status\` has \`${String(status)}\` for task \`${id}\`, which is not a status.`,
      );
    statuses.set(id, status as TaskStatus);
  }
  if (statuses.size === 0 && ids.length > 0)
    throw new UsageError(`${given}: \`--status\` belongs to another flow: it has none of this one's tasks.`);
  return statuses;
}

function viewIn(text: string): Partial<RunView> | undefined {
  const lines = text.trimEnd();
  for (const candidate of [lines, lines.slice(lines.lastIndexOf('\n') + 1)]) {
    try {
      const found = JSON.parse(candidate);
      return found?.type === 'view' ? found.view : found;
    } catch {
      // A file that is not JSON as a whole may be JSON lines.
    }
  }
  return undefined;
}
