import { showDuration } from '../../model/duration.ts';
import type { ErrorView } from '../../model/error.ts';
import { toJson } from '../../model/json.ts';
import { isSettled } from '../../model/status.ts';
import { countsAsFailure, type TriggerRule } from '../../model/trigger-rule.ts';
import { escapeControls, truncateMiddle } from '../terminal/text.ts';
import type { RunProgress, TaskProgress } from './progress.ts';

/** Why a task ended as it did: `how` follows its status, `said` is the message of the error or the person. */
interface Reason {
  readonly how?: string | undefined;
  readonly said?: string | undefined;
}

/** Maximum number of columns of an id in a sentence. */
export const maxIdColumns = 40;

/** Why a settled task is not `done`, including its status: `failed after 3 attempts: no network`. */
export function reasonOf(progress: RunProgress, task: TaskProgress, idColumns = maxIdColumns): string {
  const { how, said } = reasonFor(progress, task, idColumns);
  return `${task.status}${how === undefined ? '' : ` ${how}`}${said === undefined ? '' : `: ${said}`}`;
}

/** The same without the status: `after 3 attempts: no network`. */
export function detailOf(progress: RunProgress, task: TaskProgress, idColumns = maxIdColumns): string {
  const { how, said } = reasonFor(progress, task, idColumns);
  return [how, said].filter((text) => text !== undefined).join(': ');
}

/**
 * The task whose own ending kept this one from running; itself if there is no other.
 *
 * @param known roots found before, extended by this call; without it, a long chain is walked once for each of its tasks
 */
export function rootTask(
  progress: RunProgress,
  task: TaskProgress,
  known = new Map<TaskProgress, TaskProgress>(),
): TaskProgress {
  const path = [task];
  let root = known.get(task) ?? task;
  // Each step goes upstream, so the loop ends.
  for (let next = decider(progress, root); next !== undefined; next = decider(progress, root)) {
    root = known.get(next) ?? next;
    path.push(next);
  }
  for (const passed of path) known.set(passed, root);
  return root;
}

/** An id in a line: its two ends if it is too long. */
export function showId(id: string, columns = maxIdColumns): string {
  return truncateMiddle(escapeControls(id), columns);
}

/** An error in one line. */
export function showError({ name, message }: ErrorView): string {
  const text = message.trim();
  return escapeControls(text === '' ? name : text);
}

/** The reason given for a cancellation, or by a task that skipped itself, in one line. */
export function showReason(reason: unknown): string | undefined {
  if (reason === undefined || reason === null || reason === '') return undefined;
  if (reason instanceof Error) return showError(reason);
  return escapeControls(typeof reason === 'string' ? reason : toJson(reason));
}

function reasonFor(progress: RunProgress, task: TaskProgress, idColumns: number): Reason {
  switch (task.status) {
    case 'failed':
      return failureOf(task);
    case 'upstream_failed': {
      const root = rootTask(progress, task);
      return {
        how:
          root === task ? 'because no dependency is done' : `because ${statement(progress, root, idColumns)}`,
      };
    }
    case 'skipped':
      return task.cause === 'rule'
        ? skippedByRule(progress, task, idColumns)
        : { said: skippedBy[task.cause ?? ''] ?? showReason(task.reason) };
    case 'cancelled':
      return {
        how: task.attempts > 0 ? `in attempt ${task.attempts}` : undefined,
        said: whyCancelled(progress, task),
      };
    default:
      return {};
  }
}

/** Why a task was skipped that did not skip itself, by its cause. */
const skippedBy: { readonly [cause: string]: string | undefined } = {
  condition: 'its condition said no',
  timeout: 'no value came in time',
};

function failureOf(task: TaskProgress): Reason {
  return {
    how: task.attempts > 1 ? `after ${task.attempts} attempts` : undefined,
    said: task.error === undefined ? undefined : showError(task.error),
  };
}

/** The dependency whose ending was passed on to this task. */
function decider(progress: RunProgress, task: TaskProgress): TaskProgress | undefined {
  const because = task.because === undefined ? undefined : progress.task(task.because);
  if (task.status === 'upstream_failed') {
    if (because !== undefined && isFailure(because)) return because;
    // That one was only the last to settle; another one failed.
    return progress.upstream(task).find(isFailure);
  }
  const isPassedOn =
    task.status === 'skipped' && task.cause === 'rule' && hopes[task.triggerRule] === undefined;
  return isPassedOn ? because : undefined;
}

function isFailure({ status }: TaskProgress): boolean {
  return isSettled(status) && countsAsFailure(status);
}

/** Tells how another task ended, as a clause. */
function statement(progress: RunProgress, task: TaskProgress, idColumns: number): string {
  const id = `\`${showId(task.id, idColumns)}\``;
  const { said } = reasonFor(progress, task, idColumns);
  const verb = { failed: '', skipped: 'was ', cancelled: 'was ' } as { readonly [status: string]: string };
  return `${id} ${verb[task.status] ?? 'is '}${task.status}${said === undefined ? '' : `: ${said}`}`;
}

function skippedByRule(progress: RunProgress, task: TaskProgress, idColumns: number): Reason {
  const root = rootTask(progress, task);
  const because =
    root === task ? (hopes[task.triggerRule] ?? 'its rule said so') : statement(progress, root, idColumns);
  return { how: `because ${because}${task.triggerRule === 'all_success' ? '' : ` (${task.triggerRule})`}` };
}

/** Rules that wait for a certain ending until all have settled: no single dependency decides. */
const hopes: { readonly [Rule in TriggerRule]?: string } = {
  one_failed: 'no dependency failed',
  one_settled: 'no dependency is done or failed itself',
};

function whyCancelled({ startedAt, endedAt }: RunProgress, task: TaskProgress): string | undefined {
  if (task.cause === 'input') return "the run's input was refused";
  if (task.cause !== 'timeout') return showReason(task.reason);
  const until = endedAt ?? task.endedAt;
  return startedAt === null || until === undefined
    ? 'the run timed out'
    : `the run timed out after ${showDuration(until - startedAt)}`;
}
