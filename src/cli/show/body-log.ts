import { placeOf } from '../../model/child-id.ts';
import { taskPath } from '../../model/task-path.ts';
import type { RunProgress } from './progress.ts';

/** The task and attempt that the engine puts before a body's log message. */
const named = / #\d+\] /g;

/**
 * Puts the task before a body's log message, as in `fetch: 3 pages`, in place of the engine's `[flow run fetch #1]`,
 * since there is one run; before that of a body in a run below, the path of its task. Returns other messages unchanged.
 */
export function nameTask({ flow, graph }: Pick<RunProgress, 'flow' | 'graph'>, message: string): string {
  const below = /^\[.+? (\S+\/\S+#\d+) (.+?) #\d+\] /.exec(message);
  if (below !== null && placeOf(below[1] as string) !== undefined)
    return `${taskPath(below[1] as string, below[2] as string)}: ${message.slice(below[0].length)}`;
  const start = `[${flow} `;
  if (!message.startsWith(start)) return message;
  const idAt = message.indexOf(' ', start.length) + 1;
  // An id is any text, and may contain such a mark.
  for (const { index, 0: sign } of message.slice(idAt).matchAll(named)) {
    const id = message.slice(idAt, idAt + index);
    if (graph.indexOf(id) >= 0) return `${id}: ${message.slice(idAt + index + sign.length)}`;
  }
  return message;
}
