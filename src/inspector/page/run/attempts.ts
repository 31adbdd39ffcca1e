import type { ErrorView } from '../../../model/error.ts';
import type { Entry } from '../../../model/journal.ts';
import { isSettled, type TaskStatus } from '../../../model/status.ts';
import type { Recording } from './recording.ts';

/** An attempt of a task, with all that its entries tell. Instants are epoch milliseconds. */
export interface AttemptStory {
  /** How often the task had begun anew before it. */
  readonly life: number;
  readonly attempt: number;
  readonly startedAt: number;
  /** The place of the entry that began it. */
  readonly place: number;
  /** Absent while it is under way. */
  readonly endedAt?: number | undefined;
  /** Absent while it is under way; `lost` if a stop cut it short. */
  readonly ending?: TaskStatus | 'lost' | undefined;
  readonly error?: ErrorView | undefined;
  /** When the next attempt is due, if one follows. */
  readonly retryAt?: number | undefined;
  readonly progress: readonly Progress[];
}

/** A report of progress, in the order in which they came. */
export interface Progress {
  readonly at: number;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly note: string | undefined;
}

type Draft = { -readonly [K in keyof AttemptStory]: AttemptStory[K] } & { progress: Progress[] };

/** Tells a task's attempts up to a place, the first one first. */
export function attemptsOf(recording: Recording, task: number, place = recording.length): AttemptStory[] {
  const attempts: Draft[] = [];
  let life = 0;
  for (const each of recording.placesOf(task)) {
    if (each > place) break;
    const entry = recording.entry(each);
    if (entry.type === 'task.rerun') life++;
    else tell(attempts, entry, life, each);
  }
  return attempts;
}

function tell(attempts: Draft[], entry: Entry, life: number, place: number): void {
  const last = attempts.at(-1);
  const open = last !== undefined && last.ending === undefined ? last : undefined;
  switch (entry.type) {
    case 'task.started':
      if (open !== undefined) end(open, entry.at, 'lost');
      attempts.push({ life, attempt: entry.attempt, startedAt: entry.at, place, progress: [] });
      return;
    case 'task.progress':
      open?.progress.push({ at: entry.at, fraction: entry.fraction, note: entry.note });
      return;
    case 'task.retrying':
      if (open === undefined) return;
      end(open, entry.at, 'failed');
      open.error = entry.error;
      open.retryAt = entry.retryAt;
      return;
    default: {
      const status = entry.type.slice('task.'.length) as TaskStatus;
      if (open === undefined || !('taskId' in entry) || entry.type === 'task.ready' || !isSettled(status))
        return;
      end(open, entry.at, status);
      if (entry.type === 'task.failed') open.error = entry.error;
    }
  }
}

function end(attempt: Draft, at: number, ending: TaskStatus | 'lost'): void {
  attempt.endedAt = at;
  attempt.ending = ending;
}
