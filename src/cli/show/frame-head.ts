import type { TaskStatus } from '../../model/status.ts';
import { showDuration } from '../duration.ts';
import { type Piece, widthOfAll } from '../terminal/line.ts';
import { escapeControls, truncate } from '../terminal/text.ts';
import { marks, readyMark } from './marks.ts';
import type { RunProgress } from './progress.ts';

const barColumns = 24;

/** How far the run is: its name, a bar and the time; then how many tasks are where. */
export function headLines(progress: RunProgress, now: number, columns: number): Piece[][] {
  const { settled, tasks } = progress;
  const time = `  ${elapsed(progress, now)}`;
  const share = `${settled} of ${tasks.length}`;
  const bar = columns >= 70 && progress.status === 'running' ? barOf(progress) : [];
  const rest: Piece[] = [...bar, ['none', share], ['dim', time], ...stateOf(progress)];
  const name = truncate(escapeControls(progress.flow), Math.max(columns - widthOfAll(rest) - 2, 4));
  const forms = (['words', 'fewer words', 'marks'] as const).map((form) => countsOf(progress, form));
  const counts = forms.find((pieces) => widthOfAll(pieces) <= columns) ?? forms.at(-1) ?? [];
  return [[['bold', `${name}  `], ...rest], counts];
}

/** All of it in one line, for a terminal of hardly any. */
export function shortHead(progress: RunProgress, now: number): Piece[] {
  const share: Piece = ['none', `${progress.settled} of ${progress.tasks.length}  `];
  return [
    share,
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

function stateOf({ status }: RunProgress): Piece[] {
  if (status === 'paused') return [['yellow', '  finishing what runs, Ctrl-C again aborts it']];
  return status === 'cancelling' ? [['red', '  aborting']] : [];
}

const underWay: readonly TaskStatus[] = ['done', 'running', 'retrying'];
const endings: readonly TaskStatus[] = ['failed', 'upstream_failed', 'skipped', 'cancelled'];

/** How many tasks are in which state, each with its word or only with its mark. */
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
  // How many there are in all says the line above.
  if (form !== 'fewer words') add(marks.pending, counts.pending - ready.size, 'to come');
  return pieces;
}

function elapsed({ startedAt, endedAt }: RunProgress, now: number): string {
  return showDuration((endedAt ?? now) - (startedAt ?? now));
}
