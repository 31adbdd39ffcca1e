import type { RunProgress } from './progress.ts';

/** A task and an attempt, as the engine names them before what a body logs. */
const named = / #\d+\] /g;

/**
 * Puts the task before what a body logs, as in `fetch: 3 pages`, in place of the engine's `[flow run fetch #1]`: there
 * is one run. Other messages stay as they are.
 */
export function nameTask({ flow, graph }: Pick<RunProgress, 'flow' | 'graph'>, message: string): string {
  const start = `[${flow} `;
  if (!message.startsWith(start)) return message;
  const idAt = message.indexOf(' ', start.length) + 1;
  // An id is any text, and may hold such a sign itself.
  for (const { index, 0: sign } of message.slice(idAt).matchAll(named)) {
    const id = message.slice(idAt, idAt + index);
    if (graph.indexOf(id) >= 0) return `${id}: ${message.slice(idAt + index + sign.length)}`;
  }
  return message;
}
