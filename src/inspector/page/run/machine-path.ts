import type { Entry } from '../../../model/journal.ts';
import type { Moment, Recording } from './recording.ts';

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
  let retryAt = Number.POSITIVE_INFINITY;
  for (const place of recording.placesOf(task)) {
    if (place > moment.place) break;
    const entry = recording.entry(place);
    if (entry.type === 'task.rerun') path.restart('undecided');
    else if (entry.type === 'task.ready') path.go('ready', 'task.ready', entry.at);
    else if (entry.type === 'task.started') start(path, entry.at, retryAt);
    else if (entry.type === 'task.retrying') {
      retryAt = entry.retryAt;
      path.go('backing_off', 'attempt.failed', entry.at);
    } else if (entry.type !== 'task.progress')
      path.go(entry.type.slice('task.'.length), endingEvent(path.state, entry), entry.at);
  }
  const { status } = moment.task(task);
  // A recovery found that its attempt was lost.
  if (path.state === 'running' && status === 'pending') path.restart('ready');
  if (path.state === 'backing_off' && retryAt <= now) path.go('due', 'attempt.due', retryAt);
  if (path.state === 'running' && moment.run.status === 'cancelling')
    path.go('cancelling', 'task.cancel', moment.at);
  return path;
}

function start(path: Path, at: number, retryAt: number): void {
  if (path.state === 'running') path.restart('ready');
  if (path.state === 'backing_off') path.go('due', 'attempt.due', Math.min(at, retryAt));
  path.go('running', 'attempt.start', at);
}

/** The event by which a task ended. */
function endingEvent(state: string, entry: Entry): string {
  const isUnderWay = state === 'running';
  switch (entry.type) {
    case 'task.done':
      return 'attempt.done';
    case 'task.skipped':
      return isUnderWay ? 'attempt.skipped' : 'task.skip';
    case 'task.upstream_failed':
      return 'task.fail_upstream';
    case 'task.cancelled':
      return isUnderWay ? 'attempt.cancelled' : 'task.cancel';
    default:
      return isUnderWay ? 'attempt.failed' : 'task.expire';
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
    else if (entry.type !== 'run.flow_changed') {
      if (path.state !== 'concluding') path.go('concluding', 'task.settled', entry.at);
      path.go(entry.type.slice('run.'.length), 'run.conclude', entry.at);
    }
  }
  // A rerun begins the machine anew on the old journal.
  const isEnd = path.state === 'done' || path.state === 'failed' || path.state === 'cancelled';
  if (isEnd && moment.run.endedAt === null) path.restart('running');
  return path;
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
