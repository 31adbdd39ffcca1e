import { showDuration } from '../../model/duration.ts';
import type { Piece } from '../terminal/line.ts';
import { escapeControls, padTo, truncateMiddle, widthOf } from '../terminal/text.ts';
import { marks, readyMark } from './marks.ts';
import type { TaskProgress } from './progress.ts';
import { showError } from './reasons.ts';

/** With fewer columns there are no words. */
const leastColumns = 10;
/** Columns of a time such as `12 min 34 s`, right-aligned. */
const timeColumns = 8;
const barColumns = 10;

/** A line for each task under way: its mark, its id, how long it has been in this state, and details. */
export function taskLines(tasks: readonly TaskProgress[], now: number, columns: number): Piece[][] {
  const ids = tasks.map(({ id }) => escapeControls(id));
  // Without room for details, ids take it all.
  const most =
    columns < 40 ? columns - timeColumns - 3 : Math.min(Math.max(Math.floor(columns * 0.4), 20), 40);
  const idColumns = Math.max(Math.min(Math.max(...ids.map(widthOf), 0), most), 1);
  const hasRoom = columns - idColumns - timeColumns - 5 >= leastColumns;
  return tasks.map((task, at) => {
    const { mark, time, words } = lineOf(task, now);
    const id = padTo(truncateMiddle(ids[at] as string, idColumns), idColumns);
    return [
      [mark.style, `${mark.glyph} `],
      ['none', `${id} `],
      ['dim', time.padStart(timeColumns)],
      ['none', '  '],
      ...(hasRoom ? words : []),
    ];
  });
}

/** The number of tasks that did not fit. */
export function moreLine(hidden: {
  readonly running: number;
  readonly retrying: number;
  readonly waiting: number;
  readonly ready: number;
}): Piece[] | undefined {
  const parts = [
    [hidden.running, 'running'],
    [hidden.retrying, 'retrying'],
    [hidden.waiting, 'waiting'],
    [hidden.ready, 'waiting for slots'],
  ] as const;
  const text = parts.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
  return text.length === 0 ? undefined : [['dim', `… and ${text.join(', ')}`]];
}

interface Line {
  readonly mark: { readonly glyph: string; readonly style: Piece[0] };
  readonly time: string;
  readonly words: readonly Piece[];
}

function lineOf(task: TaskProgress, now: number): Line {
  if (task.status === 'running') {
    return {
      mark: marks.running,
      time: showDuration(now - (task.since ?? now)),
      words: runningWords(task),
    };
  }
  if (task.status === 'retrying') {
    const left = (task.retryAt ?? now) - now;
    return {
      mark: marks.retrying,
      time: left > 0 ? showDuration(left) : 'due',
      words: retryingWords(task, left),
    };
  }
  const waited = showDuration(now - (task.since ?? now));
  if (task.status === 'waiting') return { mark: marks.waiting, time: waited, words: waitingWords(task, now) };
  return { mark: readyMark, time: waited, words: [['dim', 'waits for a slot']] };
}

function runningWords({ attempts, maxAttempts, child, fraction: own, note }: TaskProgress): Piece[] {
  const words: Piece[] = [];
  const fraction = own ?? child?.fraction;
  if (attempts > 1) words.push(['yellow', `attempt ${attempts}${ofAll(maxAttempts)}  `]);
  if (fraction !== undefined) {
    const full = Math.round(fraction * barColumns);
    words.push(['cyan', '━'.repeat(full)], ['dim', '─'.repeat(barColumns - full)]);
    words.push(['none', ` ${String(Math.floor(fraction * 100)).padStart(3)}%  `]);
  }
  if (child !== undefined) words.push([child.failed > 0 ? 'red' : 'none', `${child}`]);
  if (note !== undefined) words.push(['none', escapeControls(note)]);
  return words;
}

function waitingWords({ until, timeoutAt }: TaskProgress, now: number): Piece[] {
  const left = (until ?? timeoutAt ?? now) - now;
  const long = left > 0 ? showDuration(left) : 'less than a minute';
  if (until !== undefined) return [['cyan', `sleeps for another ${long}`]];
  return [
    ['cyan', 'waits for a value'],
    ['dim', timeoutAt === undefined ? '' : `, for another ${long}`],
  ];
}

function retryingWords({ attempts, maxAttempts, error }: TaskProgress, left: number): Piece[] {
  const next = `${left > 0 ? 'until' : 'waits for a slot for'} attempt ${attempts + 1}${ofAll(maxAttempts)}`;
  return [
    ['yellow', next],
    ['dim', error === undefined ? '' : `  ${showError(error)}`],
  ];
}

function ofAll(maxAttempts: number): string {
  return Number.isFinite(maxAttempts) ? ` of ${maxAttempts}` : '';
}
