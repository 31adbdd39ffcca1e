import type { TaskEntry } from '../../../model/journal.ts';
import { isSettledRun, type TaskStatus } from '../../../model/status.ts';
import type { TaskView } from '../../../model/view.ts';
import { holdersOf } from './holders.ts';
import type { Moment, Recording } from './recording.ts';
import { judge } from './rule-inputs.ts';
import { lastUnsettled, statuses } from './status-log.ts';
import { upstreamOf } from './structure.ts';
import { undoOf } from './undo.ts';
import { causeWords, isWait, type Part, showInstant, showWait, statusWords } from './words.ts';

/** The most tasks that a sentence names. */
const mostNamed = 3;

/** What a reason is made of. */
export interface Case {
  readonly recording: Recording;
  readonly moment: Moment;
  /** The instant that counts as now, epoch ms. */
  readonly now: number;
}

/** Says in one sentence why a task is as it is: `pending: waits for b, which retries in 4 s`. */
export function reasonOf(given: Case, task: number): readonly Part[] {
  const view = given.moment.task(task);
  return [`${statusWords(view.status)}: `, ...becauseOf(given, task, view), ...undoBecause(given, task)];
}

function becauseOf(given: Case, task: number, view: TaskView): readonly Part[] {
  switch (view.status) {
    case 'pending':
      return pendingBecause(given, task, view);
    case 'waiting':
      return waitingBecause(given, view);
    case 'running':
      return runningBecause(given, task, view);
    case 'retrying':
      return retryingBecause(given, task, view);
    case 'done':
      return doneBecause(given, task, view);
    case 'failed':
      return failedBecause(given, task, view);
    case 'skipped':
      return skippedBecause(given, task, view);
    case 'upstream_failed':
      return upstreamBecause(given, task);
    case 'cancelled':
      return cancelledBecause(given, task, view);
  }
}

function pendingBecause(given: Case, task: number, view: TaskView): readonly Part[] {
  const { run } = given.moment;
  if (run.startedAt === null) return ['the run has not started'];
  if (isSettledRun(run.status)) return ['the run ended before its turn'];
  const { kind, when } = given.recording.structure.tasks[task] ?? {};
  if (view.readyAt !== undefined) {
    if (isWait(kind)) return ['it is ready, and about to wait'];
    return slotBecause(given, task, view.readyAt, 'it is ready');
  }
  const waits = waitsFor(given, task);
  if (waits.length > 0)
    return view.delivery === undefined ? waits : [...waits, '; its value has come already'];
  if (run.status === 'cancelling') return ['the run is being cancelled'];
  if (when === true)
    return [
      run.status === 'paused'
        ? 'its condition is not asked while the run is paused'
        : 'its condition is being asked',
    ];
  return ['its verdict has not come yet'];
}

function waitingBecause({ now }: Case, { until, timeoutAt }: TaskView): readonly Part[] {
  const end = until ?? timeoutAt;
  if (end === undefined) return ['for a value from outside, for as long as it takes'];
  const left = end > now ? `another ${showWait(end - now)}` : 'its time is over';
  return [
    `${until === undefined ? 'for a value from outside,' : 'sleeps'} until ${showInstant(end, now)} (${left})`,
  ];
}

/** What became of it when its run was undone. */
function undoBecause({ recording, moment, now }: Case, task: number): readonly Part[] {
  const mark = undoOf(recording, moment)?.marks.get(task);
  if (mark === undefined) return [];
  const { status, at = now, error } = mark;
  switch (status) {
    case 'pending':
      return ['; it is to be undone'];
    case 'undone':
      return [`; undone ${showInstant(at, now)}`];
    case 'failed':
      return [`; it could not be undone (${shortError({ error })})`];
    case 'blocked':
      return ['; it was not undone, since something downstream could not be'];
  }
}

/** The unsettled dependencies, those that explain most first: failing ones, then running ones. */
function waitsFor(given: Case, task: number): readonly Part[] {
  const { recording, moment } = given;
  const unsettled = Array.from(upstreamOf(recording.graph, task)).filter((other) => {
    return (moment.codes[other] as number) <= lastUnsettled;
  });
  if (unsettled.length === 0) return [];
  const interest: Partial<Record<TaskStatus, number>> = { retrying: 0, running: 1, waiting: 2, pending: 3 };
  const order = (other: number): number =>
    interest[statuses[moment.codes[other] as number] as TaskStatus] ?? 4;
  const named = unsettled.sort((a, b) => order(a) - order(b)).slice(0, mostNamed);
  const parts: Part[] = ['waits for '];
  for (const [index, other] of named.entries()) {
    if (index > 0) parts.push(index === named.length - 1 && unsettled.length <= mostNamed ? ' and ' : ', ');
    parts.push({ task: other }, `, which ${doingOf(given, other)}`);
  }
  if (unsettled.length > named.length) parts.push(`, and ${unsettled.length - named.length} more`);
  return parts;
}

/** What an unsettled task does, after "which". */
function doingOf({ recording, moment, now }: Case, task: number): string {
  const { status, retryAt, readyAt, attempts, until } = moment.task(task);
  if (status === 'retrying') {
    return retryAt !== undefined && retryAt > now
      ? `retries in ${showWait(retryAt - now)}`
      : 'waits for a slot to be tried again';
  }
  if (status === 'running') {
    const attempt = attemptOf(recording, task, attempts);
    return attempt === '' ? 'is running' : `runs ${attempt}`;
  }
  if (status === 'waiting') return until === undefined ? 'waits for a value' : 'sleeps';
  return readyAt === undefined ? 'waits itself' : 'waits for a slot';
}

function slotBecause(given: Case, task: number, since: number, start: string): readonly Part[] {
  const { recording, moment, now } = given;
  const waited = showWait(now - since);
  if (moment.run.status === 'paused') return [`${start} for ${waited}, but the run is paused`];
  if (moment.run.status === 'cancelling') return [`${start}, but the run is being cancelled`];
  const holders = holdersOf(recording.structure, moment, task);
  const parts: Part[] = [`${start} and has waited for a slot for ${waited}`];
  if (holders === undefined) {
    parts.push('; no limit of its own run is reached, so other runs may hold the slots of its engine');
    return parts;
  }
  parts.push(`: ${holders.limit}, held by `);
  for (const [index, other] of holders.tasks.slice(0, mostNamed).entries())
    parts.push(...(index > 0 ? [', '] : []), { task: other });
  if (holders.tasks.length > mostNamed) parts.push(` and ${holders.tasks.length - mostNamed} more`);
  return parts;
}

function runningBecause({ recording, moment, now }: Case, task: number, view: TaskView): readonly Part[] {
  const { timeoutMs } = recording.structure.tasks[task] ?? {};
  const startedAt = startOfAttempt(recording, task, moment.place) ?? view.startedAt ?? now;
  const attempt = attemptOf(recording, task, view.attempts);
  const parts = [`${attempt}${attempt === '' ? '' : ' '}for ${showWait(now - startedAt)}`];
  if (moment.run.status === 'cancelling')
    parts.push('; its signal is aborted, and the run waits for it to end');
  else if (timeoutMs !== undefined && Number.isFinite(timeoutMs)) {
    const left = startedAt + timeoutMs - now;
    parts.push(left > 0 ? `; its time is over in ${showWait(left)}` : '; its time is over');
  }
  return parts;
}

function retryingBecause(given: Case, task: number, view: TaskView): readonly Part[] {
  const { recording, now } = given;
  const failed = `attempt ${view.attempts} failed (${shortError(view)})`;
  const next = attemptOf(recording, task, view.attempts + 1);
  const { retryAt = now } = view;
  if (retryAt > now) return [`${failed}; ${next} in ${showWait(retryAt - now)}`];
  return [`${failed}; `, ...slotBecause(given, task, retryAt, `${next} is due`)];
}

/** The number of an attempt in words; nothing if there can be only one. */
function attemptOf(recording: Recording, task: number, attempt: number): string {
  const { maxAttempts } = recording.structure.tasks[task] ?? {};
  if (maxAttempts === 1 && attempt <= 1) return '';
  return maxAttempts === undefined || attempt > maxAttempts
    ? `attempt ${attempt}`
    : `attempt ${attempt} of ${maxAttempts}`;
}

function doneBecause({ recording }: Case, task: number, view: TaskView): readonly Part[] {
  const { kind } = recording.structure.tasks[task] ?? {};
  const took = showWait((view.endedAt ?? 0) - (view.startedAt ?? view.readyAt ?? view.endedAt ?? 0));
  if (view.attempts === 0 && kind === 'sleep') return [`it slept for ${took}`];
  if (view.attempts === 0 && kind === 'waitFor') {
    const { delivery, readyAt = 0 } = view;
    if (delivery === undefined) return [`no value came within ${took}, so it has the one for this case`];
    return [delivery.at < readyAt ? 'its value had come before it was ready' : `a value came after ${took}`];
  }
  return [
    view.attempts > 1
      ? `attempt ${view.attempts} returned, ${took} after the first began`
      : `it returned after ${took}`,
  ];
}

function failedBecause({ recording }: Case, task: number, view: TaskView): readonly Part[] {
  const attempt = attemptOf(recording, task, view.attempts);
  const why =
    view.cause === undefined || view.cause === 'exhausted' ? '' : `; ${causeWords[view.cause] ?? view.cause}`;
  return [`${attempt}${attempt === '' ? '' : ': '}${shortError(view)}${why}`];
}

function skippedBecause(given: Case, task: number, view: TaskView): readonly Part[] {
  const entry = endOf(given, task);
  if (view.cause === 'condition') return ['its condition said no'];
  if (view.cause === 'timeout') return ['no value came in time'];
  if (view.cause !== 'rule') {
    const reason = entry?.type === 'task.skipped' ? entry.reason : undefined;
    return [reason === undefined ? 'it skipped itself' : `it skipped itself: ${String(reason)}`];
  }
  const { triggerRule } = judge(given.recording, given.moment, task);
  const other = becauseEntry(given, entry);
  if (other === undefined) return [`its rule ${triggerRule} said so`];
  return [`its rule ${triggerRule} said so when `, { task: other }, ` was ${endWord(given, other)}`];
}

function upstreamBecause(given: Case, task: number): readonly Part[] {
  const direct = becauseEntry(given, endOf(given, task));
  if (direct === undefined) return ['a dependency failed'];
  const root = rootOf(given, direct);
  const { status, error } = given.moment.task(root);
  const message = error === undefined ? '' : ` (${error.message})`;
  const why = `, which ${status === 'failed' ? 'failed' : `was ${statusWords(status)}`}${message}`;
  if (root === direct) return ['because of ', { task: root }, why];
  return ['because of ', { task: root }, why, ', by way of ', { task: direct }];
}

function cancelledBecause({ moment }: Case, _task: number, view: TaskView): readonly Part[] {
  const waited = view.readyAt !== undefined && view.startedAt === undefined;
  const during = view.attempts > 0 ? ` during attempt ${view.attempts}` : waited ? '' : ' before it started';
  const { reason } = moment.run;
  const why = view.cause === 'timeout' ? 'the run was out of time' : 'the run was cancelled';
  return [`${why}${during}${reason === undefined ? '' : `: ${String(reason)}`}`];
}

/** The failed task that an ending goes back to, over tasks that only passed it on. */
export function rootOf(given: Case, task: number): number {
  const met = new Set<number>();
  for (let each = task; ; ) {
    met.add(each);
    const next =
      statuses[given.moment.codes[each] as number] === 'upstream_failed'
        ? becauseEntry(given, endOf(given, each))
        : undefined;
    if (next === undefined || met.has(next)) return each;
    each = next;
  }
}

/** The dependency that an entry names as its reason. */
function becauseEntry({ recording }: Case, entry: TaskEntry | undefined): number | undefined {
  if (entry === undefined || !('because' in entry) || entry.because === undefined) return undefined;
  const task = recording.graph.indexOf(entry.because);
  return task < 0 ? undefined : task;
}

/** The last entry of a task up to the moment: of a settled one, its end. */
function endOf({ recording, moment }: Case, task: number): TaskEntry | undefined {
  const place = recording.placesOf(task).findLast((each) => each <= moment.place);
  return place === undefined ? undefined : (recording.entry(place) as TaskEntry);
}

function startOfAttempt(recording: Recording, task: number, until: number): number | undefined {
  const place = recording
    .placesOf(task)
    .findLast((each) => each <= until && recording.entry(each).type === 'task.started');
  return place === undefined ? undefined : recording.entry(place).at;
}

function endWord({ moment }: Case, task: number): string {
  return statusWords(statuses[moment.codes[task] as number] as TaskStatus);
}

function shortError({ error }: Pick<TaskView, 'error'>): string {
  if (error === undefined) return 'no error is known';
  const [line = ''] = error.message.split('\n');
  return `${error.name}: ${line.length > 160 ? `${line.slice(0, 159)}…` : line}`;
}
