import type { RunProgress } from './progress.ts';

/** The task and attempt that the engine puts before a body's log message. */
const named = / #\d+\] /g;

/**
 * Puts the task before a body's log message, as in `fetch: 3 pages`, in place of the engine's `[flow run fetch #1]`,
 * since there is one run. Returns other messages unchanged.
 */
export function nameTask({ flow, graph }: Pick<RunProgress, 'flow' | 'graph'>, message: string): string {
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
