import { showDuration } from '../../model/duration.ts';
import type { Entry } from '../../model/journal.ts';
import { taskPath } from '../../model/task-path.ts';
import { escapeControls } from '../terminal/text.ts';
import { showError } from './reasons.ts';

/** The number of failures that are told of the runs below one task; of more, only that there are more. */
const mostTold = 10;

/**
 * Tells the failures and retries in runs below, each in a line, with the path of its task: `resize/3 failed: …`. There
 * may be any number of items, so only the first are told.
 */
export class BelowLines {
  readonly #told = new Map<string, number>();

  /** `undefined` if there is nothing to tell. */
  of(path: readonly string[], entry: Entry): string | undefined {
    if (entry.type !== 'task.failed' && entry.type !== 'task.retrying') return undefined;
    const [top = ''] = path;
    const told = (this.#told.get(top) ?? 0) + 1;
    this.#told.set(top, told);
    if (told > mostTold + 1) return undefined;
    if (told > mostTold) return `${escapeControls(top)}: further failures inside are not shown`;
    const id = escapeControls(taskPath(entry.runId, entry.taskId));
    if (entry.type === 'task.failed') return `${id} failed: ${showError(entry.error)}`;
    const wait = showDuration(entry.retryAt - entry.at);
    return `${id} attempt ${entry.attempt} failed, next in ${wait}: ${showError(entry.error)}`;
  }
}
