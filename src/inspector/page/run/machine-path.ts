import type { Entry } from '../../../model/journal.ts';
import type { Moment, Recording } from './recording.ts';
import { judge } from './rule-inputs.ts';
import { isWait } from './words.ts';

/** A transition that was taken. */
export interface Taken {
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly at: number;
}

/** What a journal tells of a machine's way. */
export interface MachinePath {
  readonly state: string;
  /** The last ones are the latest. Reruns begin anew, and show only what came since. */
  readonly taken: readonly Taken[];
}

/** Finds the way of a task's machine up to a moment. */
export function taskPath(recording: Recording, moment: Moment, task: number, now: number): MachinePath {
  const path = new Path('undecided');
  const { kind, when = false } = recording.structure.tasks[task] ?? {};
  let retryAt = Number.POSITIVE_INFINITY;
  let hasValue = false;
  for (const place of recording.placesOf(task)) {
    if (place > moment.place) break;
    const entry = recording.entry(place);
    if (entry.type === 'task.rerun') {
      path.restart('undecided');
      hasValue = false;
    } else if (entry.type === 'task.delivered') hasValue = true;
    else if (entry.type === 'task.ready') {
      if (when) path.go('asking', 'task.ready', entry.at);
      path.go(isWait(kind) ? 'planning' : 'ready', when ? 'condition.true' : 'task.ready', entry.at);
    } else if (entry.type === 'task.waiting') path.go('waiting', 'wait.planned', entry.at);
    else if (entry.type === 'task.started') start(path, entry.at, retryAt);
    else if (entry.type === 'task.retrying') {
      retryAt = entry.retryAt;
      path.go('backing_off', 'attempt.failed', entry.at);
    } else if (!isBeside(entry)) {
      if (path.state === 'undecided' && 'cause' in entry && entry.cause === 'condition')
        path.go('asking', 'task.ready', entry.at);
      path.go(entry.type.slice('task.'.length), endingEvent(path.state, entry, hasValue), entry.at);
    }
  }
  const { status } = moment.task(task);
  if (when && path.state === 'undecided' && isAsked(recording, moment, task))
    path.go('asking', 'task.ready', moment.at);
  // A recovery found that its attempt was lost.
  if (path.state === 'running' && status === 'pending') path.restart('ready');
  if (path.state === 'backing_off' && retryAt <= now) path.go('due', 'attempt.due', retryAt);
  if (path.state === 'running' && moment.run.status === 'cancelling')
    path.go('cancelling', 'task.cancel', moment.at);
  return path;
}

/** Whether an entry moves its task's machine nowhere. */
function isBeside({ type }: Entry): boolean {
  return type === 'task.progress' || type === 'task.undone' || type === 'task.undo_failed';
}

/** Whether a task's rule says run, so that its condition is asked. */
function isAsked(recording: Recording, moment: Moment, task: number): boolean {
  const isOpen = moment.run.startedAt !== null && moment.run.status === 'running';
  return isOpen && judge(recording, moment, task).decision === 'run';
}

function start(path: Path, at: number, retryAt: number): void {
  if (path.state === 'running') path.restart('ready');
  if (path.state === 'backing_off') path.go('due', 'attempt.due', Math.min(at, retryAt));
  path.go('running', 'attempt.start', at);
}

/** The event by which a task ended. */
function endingEvent(state: string, entry: Entry, hasValue: boolean): string {
  const isUnderWay = state === 'running';
  const waits = state === 'planning' || state === 'waiting';
  switch (entry.type) {
    case 'task.done':
      if (waits) return hasValue || state === 'planning' ? 'wait.delivered' : 'wait.over';
      return 'attempt.done';
    case 'task.skipped':
      if (state === 'asking') return 'condition.false';
      return isUnderWay ? 'attempt.skipped' : 'task.skip';
    case 'task.upstream_failed':
      return 'task.fail_upstream';
    case 'task.cancelled':
      return isUnderWay ? 'attempt.cancelled' : 'task.cancel';
    default: {
      const { cause } = entry as { readonly cause?: string };
      if (state === 'asking' && cause === 'condition') return 'condition.threw';
      if (waits && cause !== 'timeout') return 'wait.failed';
      return isUnderWay ? 'attempt.failed' : 'task.expire';
    }
  }
}

/** Finds the way of a run's orchestrator up to a moment. */
export function runPath(recording: Recording, moment: Moment): MachinePath {
  const path = new Path('opening');
  for (const place of recording.runPlaces) {
    if (place > moment.place) break;
    const entry = recording.entry(place);
    const isOpen = path.state === 'opening' || path.state === 'held';
    if (entry.type === 'run.started')
      path.go(path.state === 'held' ? 'paused' : 'running', 'run.start', entry.at);
    else if (entry.type === 'run.paused') path.go(isOpen ? 'held' : 'paused', 'run.pause', entry.at);
    else if (entry.type === 'run.resumed') path.go(isOpen ? 'opening' : 'running', 'run.resume', entry.at);
    else if (entry.type === 'run.cancelling') path.go('cancelling', 'run.cancel', entry.at);
    else if (entry.type === 'run.compensating') {
      if (isFinal(path.state)) {
        path.restart('opening');
        path.go('reopened', 'run.reopen', entry.at);
      } else {
        path.go('concluding', 'task.settled', entry.at);
        path.go('compensating', 'run.compensate', entry.at);
      }
    } else if (entry.type === 'run.compensated') path.go(entry.ending, 'run.conclude', entry.at);
    else if (entry.type !== 'run.flow_changed') {
      if (path.state !== 'compensating') path.go('concluding', 'task.settled', entry.at);
      path.go(entry.type.slice('run.'.length), 'run.conclude', entry.at);
    }
  }
  // A rerun begins the machine anew on the old journal.
  if (isFinal(path.state) && moment.run.endedAt === null) path.restart('running');
  return path;
}

function isFinal(state: string): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

class Path implements MachinePath {
  state: string;
  taken: Taken[] = [];

  constructor(state: string) {
    this.state = state;
  }

  go(to: string, event: string, at: number): void {
    this.taken.push({ from: this.state, to, event, at });
    this.state = to;
  }

  restart(state: string): void {
    this.taken = [];
    this.state = state;
  }
}
