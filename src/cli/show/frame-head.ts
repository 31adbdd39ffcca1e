import { showDuration } from '../../model/duration.ts';
import type { TaskStatus } from '../../model/status.ts';
import { type Piece, widthOfAll } from '../terminal/line.ts';
import { escapeControls, truncateMiddle } from '../terminal/text.ts';
import { marks, readyMark } from './marks.ts';
import type { RunProgress } from './progress.ts';

const barColumns = 24;

/** The progress of the run: its name, a bar and the time; then the number of tasks in each state. */
export function headLines(progress: RunProgress, now: number, columns: number): Piece[][] {
  const { settled, tasks } = progress;
  const progressed: Piece[] = [
    ['none', `${settled} of ${tasks.length}`],
    ['dim', `  ${elapsed(progress, now)}`],
  ];
  const state = stateOf(progress, columns);
  const bar = columns >= 70 && state.length === 0 ? barOf(progress) : [];
  const rest = [...bar, ...progressed, ...state.flatMap((piece): Piece[] => [['none', '  '], piece])];
  const room = columns - widthOfAll(rest) - 2;
  const name: Piece = ['bold', `${truncateMiddle(escapeControls(progress.flow), room)}  `];
  // If there is not enough room for all, the rest is cut before the name.
  const head =
    room >= 4
      ? [name, ...rest]
      : [...state.flatMap((piece): Piece[] => [piece, ['none', '  ']]), ...progressed];
  const forms = (['words', 'fewer words', 'marks'] as const).map((form) => countsOf(progress, form));
  const counts = forms.find((pieces) => widthOfAll(pieces) <= columns) ?? forms.at(-1) ?? [];
  return [head, counts];
}

/** The whole head in one line, for a terminal with hardly any. */
export function shortHead(progress: RunProgress, now: number): Piece[] {
  const share: Piece = ['none', `${progress.settled} of ${progress.tasks.length}  `];
  return [
    share,
    ...stateOf(progress, 0).flatMap((piece): Piece[] => [piece, ['none', '  ']]),
    ...countsOf(progress, 'marks'),
    ['dim', `  ${elapsed(progress, now)}`],
    ['bold', `  ${escapeControls(progress.flow)}`],
  ];
}

function barOf({ counts, tasks, settled }: RunProgress): Piece[] {
  const cells = (n: number): number => Math.floor((n / Math.max(tasks.length, 1)) * barColumns);
  const bad = cells(counts.failed + counts.upstream_failed + counts.cancelled);
  const all = cells(settled);
  return [
    ['green', '━'.repeat(all - bad)],
    ['red', '━'.repeat(bad)],
    ['dim', '─'.repeat(barColumns - all)],
    ['none', '  '],
  ];
}

function stateOf({ status }: RunProgress, columns: number): Piece[] {
  const how = columns < 70 ? '' : ' running tasks; Ctrl-C again aborts them';
  if (status === 'paused') return [['yellow', `finishing${how}`]];
  return status === 'cancelling' ? [['red', 'aborting']] : [];
}

const underWay: readonly TaskStatus[] = ['done', 'running', 'retrying', 'waiting'];
const endings: readonly TaskStatus[] = ['failed', 'upstream_failed', 'skipped', 'cancelled'];

/** The number of tasks in each state, with words or marks alone. */
function countsOf({ counts, ready }: RunProgress, form: 'words' | 'fewer words' | 'marks'): Piece[] {
  const pieces: Piece[] = [];
  const hasWords = form !== 'marks';
  const add = ({ glyph, style }: { glyph: string; style: Piece[0] }, n: number, word: string): void => {
    if (n === 0) return;
    if (pieces.length > 0) pieces.push(['none', hasWords ? '   ' : ' ']);
    const text = hasWords ? `${n} ${word}` : String(n);
    pieces.push([style, hasWords ? `${glyph} ` : glyph], [style === 'dim' ? 'dim' : 'none', text]);
  };
  for (const status of underWay) add(marks[status], counts[status], status);
  add(readyMark, ready.size, 'waiting for slots');
  for (const status of endings) add(marks[status], counts[status], status);
  // The line above shows the total.
  if (form !== 'fewer words') add(marks.pending, counts.pending - ready.size, 'to come');
  return pieces;
}

function elapsed({ startedAt, endedAt }: RunProgress, now: number): string {
  return showDuration((endedAt ?? now) - (startedAt ?? now));
}
