import { undoIdOf } from '../../../model/child-id.ts';
import type { ErrorView } from '../../../model/error.ts';
import { isSettledRun } from '../../../model/status.ts';
import type { UndoStatus } from '../../../model/view.ts';
import type { Moment, Recording } from './recording.ts';

/** How far the undo of a task is. */
export interface UndoMark {
  readonly status: UndoStatus;
  /** When it was undone, or when that failed; epoch ms. */
  readonly at?: number | undefined;
  /** Why it could not be undone. */
  readonly error?: ErrorView | undefined;
}

/** The undo of a run at a moment. */
export interface RunUndo {
  /** The id of the run that undoes. */
  readonly runId: string;
  readonly isOver: boolean;
  /** The tasks that are to be undone, by their numbers. */
  readonly marks: ReadonlyMap<number, UndoMark>;
}

const kept = new WeakMap<
  Recording,
  { readonly place: number; readonly seq: number; readonly undo: RunUndo | undefined }
>();

/** Finds what was undone up to a moment: from the first entry of an undo until a rerun; `undefined` without one. */
export function undoOf(recording: Recording, moment: Pick<Moment, 'place' | 'run'>): RunUndo | undefined {
  const known = kept.get(recording);
  const { place } = moment;
  const { seq } = recording;
  if (known?.place === place && known.seq === seq) return known.undo;
  const undo = findUndo(recording, moment);
  kept.set(recording, { place, seq, undo });
  return undo;
}

function findUndo(recording: Recording, { place, run }: Pick<Moment, 'place' | 'run'>): RunUndo | undefined {
  const isSettled = isSettledRun(run.status);
  if (!isSettled && run.status !== 'compensating') return undefined;
  let count = 0;
  let since = 0;
  let endings = 0;
  let ids: readonly string[] = [];
  for (const each of recording.runPlaces) {
    if (each > place) break;
    const entry = recording.entry(each);
    if (entry.type === 'run.compensating') {
      count++;
      since = each;
      endings = 0;
      ids = entry.tasks;
    } else if (/^run\.(done|failed|cancelled|compensated)$/.test(entry.type)) endings++;
  }
  // A second ending is that of a rerun.
  if (count === 0 || endings > 1) return undefined;
  const marks = new Map<number, UndoMark>();
  for (const id of ids) {
    const task = recording.graph.indexOf(id);
    if (task >= 0) marks.set(task, markOf(recording, task, since, place, isSettled));
  }
  return { runId: undoIdOf(recording.structure.id, count), isOver: isSettled, marks };
}

function markOf(recording: Recording, task: number, since: number, until: number, isOver: boolean): UndoMark {
  const places = recording.placesOf(task);
  for (let index = places.length - 1; index >= 0; index--) {
    const place = places[index] as number;
    if (place > until) continue;
    if (place < since) break;
    const entry = recording.entry(place);
    if (entry.type === 'task.undone') return { status: 'undone', at: entry.at };
    if (entry.type === 'task.undo_failed') return { status: 'failed', at: entry.at, error: entry.error };
  }
  return { status: isOver ? 'blocked' : 'pending' };
}
