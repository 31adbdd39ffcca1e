import type { RunView } from '../../index.ts';
import { showCounts } from '../../model/child-counts.ts';
import { rootIdOf } from '../../model/child-id.ts';
import { showDuration } from '../../model/duration.ts';
import { escapeJson } from '../../model/escape.ts';
import { RunFold } from '../../model/fold.ts';
import type { ChildCounts } from '../../model/journal.ts';
import { toJson } from '../../model/json.ts';
import { UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { logLine } from '../show/happening.ts';
import { marks } from '../show/marks.ts';
import { RunProgress, type TaskProgress } from '../show/progress.ts';
import { reasonOf, showId, showReason } from '../show/reasons.ts';
import { layOut, type Piece } from '../terminal/line.ts';
import { paintFor } from '../terminal/paint.ts';
import { padTo, widthOf } from '../terminal/text.ts';
import { showInstant } from './instant.ts';
import { moduleNamedBy } from './module-of-run.ts';
import { withStore } from './open-store.ts';
import { lenientValues, type ReadRun, readRun } from './read-run.ts';

/** Options of `topple show`. */
export interface ShowOptions {
  readonly store?: string | undefined;
  /** `seq` of the last entry that counts. */
  readonly at?: number | undefined;
  readonly events: boolean;
  readonly json: boolean;
}

/** Prints a run as its journal tells it. */
export async function showRun(id: string, options: ShowOptions, io: Io): Promise<undefined> {
  const { run, module } = await withStore(
    options.store,
    'read',
    io,
    async (open) => ({ run: await readRun(open, id), module: moduleNamedBy(open, rootIdOf(id)) }),
    lenientValues,
  );
  const seq = options.at ?? run.entries.length;
  if (seq > run.entries.length)
    throw new UsageError(
      `\`--at\` must be a whole number from 0 to ${run.entries.length}, the run's last entry, but is ${seq}.`,
    );
  const shown = { ...run, entries: run.entries.slice(0, seq) };
  if (options.events) printEvents(shown, options.json, io);
  else if (options.json) io.stdout.write(`${escapeJson(toJson(viewOf(shown), 2))}\n`);
  else printRun(shown, run.entries.length, module, io);
  return undefined;
}

function viewOf({ id, entries, definition }: ReadRun): RunView {
  const fold = new RunFold(id, definition);
  for (const entry of entries) fold.apply(entry);
  return fold.view();
}

function printEvents({ entries, definition }: ReadRun, isJson: boolean, io: Io): void {
  const progress = new RunProgress(definition);
  for (const entry of entries) {
    progress.apply(entry);
    const line = isJson ? escapeJson(toJson(entry)) : `${String(entry.seq)} ${logLine(progress, entry)}`;
    io.stdout.write(`${line}\n`);
  }
}

function printRun(run: ReadRun, lastSeq: number, module: string | undefined, io: Io): void {
  const { id, entries, definition } = run;
  const view = viewOf(run);
  const progress = new RunProgress(definition);
  for (const entry of entries) progress.apply(entry);
  const paint = paintFor(io.stdout, io.env);
  const columns = io.stdout.columns ?? Number.POSITIVE_INFINITY;
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ['flow', showId(definition.name)],
    ['status', `${view.status}${because(view)}`],
    ['started', showInstant(view.startedAt)],
    ['ended', view.endedAt === null ? undefined : endOf(view)],
    ['module', module === undefined ? undefined : showId(module, 200)],
    ['entry', entries.length === lastSeq ? String(lastSeq) : `${entries.length} of ${lastSeq}`],
  ];
  const lines: Piece[][] = [[['bold', showId(id, 200)]]];
  for (const [name, value] of facts)
    if (value !== undefined && value !== '')
      lines.push([
        ['dim', `  ${name.padEnd(9)}`],
        ['none', value],
      ]);
  if (progress.tasks.length > 0) lines.push([], ...taskLines(progress, view));
  for (const line of lines) io.stdout.write(`${layOut(line, columns, paint)}\n`);
}

function because({ status, cause, reason }: RunView): string {
  const isSaid = cause === 'cancelled' && status.startsWith('cancel');
  const why = [isSaid ? undefined : cause, showReason(reason)]
    .filter((text) => text !== undefined)
    .join(': ');
  return why === '' ? '' : ` (${why})`;
}

function endOf({ startedAt, endedAt }: RunView): string {
  const took = (endedAt ?? 0) - (startedAt ?? endedAt ?? 0);
  return `${showInstant(endedAt)}, after ${showDuration(Math.max(took, 0))}`;
}

function taskLines(progress: RunProgress, view: RunView): Piece[][] {
  const width = Math.max(...progress.tasks.map(({ id }) => widthOf(showId(id))));
  return progress.tasks.map((task): Piece[] => {
    const { glyph, style } = marks[task.status];
    return [
      [style, `  ${glyph} `],
      ['none', `${padTo(showId(task.id), width)}  ${reasonOf(progress, task)}`],
      ['dim', `${detailsOf(task)}${showChild(view.tasks[task.id]?.child?.counts)}`],
    ];
  });
}

function showChild(counts: ChildCounts | undefined): string {
  return counts === undefined ? '' : `, ${showCounts(counts)}`;
}

function detailsOf({ status, attempts, ranMs, retryAt }: TaskProgress): string {
  if (status === 'done')
    return ` after ${showDuration(Math.max(ranMs, 0))}${attempts > 1 ? `, attempt ${attempts}` : ''}`;
  if (status === 'running') return `, attempt ${attempts}`;
  return retryAt === undefined ? '' : `, next attempt at ${showInstant(retryAt)}`;
}
