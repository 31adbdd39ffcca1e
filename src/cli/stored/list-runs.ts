import { pathToFileURL } from 'node:url';
import type { RunFilter, RunSummary } from '../../index.ts';
import { showDuration } from '../../model/duration.ts';
import { escapeJson } from '../../model/escape.ts';
import { lastOfRuns } from '../../store/sqlite/last-of-run.ts';
import { UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { marks } from '../show/marks.ts';
import { showId } from '../show/reasons.ts';
import { tell } from '../tell.ts';
import { layOut, type Piece } from '../terminal/line.ts';
import { paintFor, type Style } from '../terminal/paint.ts';
import { padTo, widthOf } from '../terminal/text.ts';
import { showInstant } from './instant.ts';
import { type OpenStore, withStore } from './open-store.ts';
import { rawValues, unknownRun } from './read-run.ts';
import { type ListedStatus, statusOf, unsettledStatus } from './run-status.ts';

/** Options of `topple list`. */
export interface ListOptions {
  readonly store?: string | undefined;
  readonly flow?: string | undefined;
  /** The run whose child runs are listed, in place of roots. */
  readonly under?: string | undefined;
  readonly status?: ListedStatus | undefined;
  readonly unsettled: boolean;
  readonly settled: boolean;
  readonly limit?: number | undefined;
  readonly after?: number | undefined;
  readonly json: boolean;
}

interface ListedRun {
  readonly id: string;
  readonly flow: string;
  readonly status: ListedStatus;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** `seq` of its last entry. */
  readonly seq: number;
}

interface Page {
  readonly runs: readonly ListedRun[];
  /** Value of `--after` for the next page; `null` on the last one. */
  readonly next: number | null;
}

const defaultLimit = 50;
/** Summaries read at a time, where a status has to be looked for. */
const chunkSize = 256;

/** Prints a page of runs, the latest first. */
export async function listRuns(options: ListOptions, io: Io): Promise<undefined> {
  if (options.settled && options.unsettled)
    throw new UsageError('`--settled` and `--unsettled` exclude each other: give one of them.');
  const page = await withStore(options.store, 'read', io, (open) => pageOf(open, options), rawValues);
  if (options.json) {
    io.stdout.write(`${escapeJson(JSON.stringify(page))}\n`);
    return undefined;
  }
  if (page.runs.length === 0) tell(io, 'no run matches');
  const columns = io.stdout.columns ?? Number.POSITIVE_INFINITY;
  const paint = paintFor(io.stdout, io.env);
  for (const line of linesOf(page.runs)) io.stdout.write(`${layOut(line, columns, paint)}\n`);
  if (page.next !== null) tell(io, `there are more: \`--after ${page.next}\` shows the next`);
  return undefined;
}

async function pageOf(open: OpenStore, options: ListOptions): Promise<Page> {
  const { flow, under, status, limit = defaultLimit, after } = options;
  if (under !== undefined && (await open.store.lastSeq(under)) === 0) throw await unknownRun(open, under);
  const filter: RunFilter = { flow, under, settled: settledOf(options), newestFirst: true };
  const runs: ListedRun[] = [];
  let shown: number | undefined = after;
  for (let before = after; ; ) {
    const chunk = await open.store.list({
      ...filter,
      before,
      limit: status === undefined ? limit + 1 : chunkSize,
    });
    const unsettled = chunk.filter((summary) => statusOf(summary) === undefined);
    const last = lastOf(
      open,
      unsettled.map(({ id }) => String(id)),
    );
    for (const summary of chunk) {
      const run = listed(summary, last);
      if (status !== undefined && run.status !== status) continue;
      if (runs.length === limit) return { runs, next: shown ?? null };
      runs.push(run);
      shown = summary.order;
    }
    before = chunk.at(-1)?.order;
    if (before === undefined) return { runs, next: null };
  }
}

function settledOf({ settled, unsettled, status }: ListOptions): boolean | undefined {
  if (settled) return true;
  if (unsettled) return false;
  return status === undefined ? undefined : ['done', 'failed', 'cancelled'].includes(status);
}

function listed(summary: RunSummary, last: ReadonlyMap<string, string>): ListedRun {
  const { flow, startedAt, endedAt, seq } = summary;
  const id = String(summary.id);
  const status = statusOf(summary) ?? unsettledStatus(last.get(id));
  return { id, flow: String(flow), status, startedAt, endedAt, seq };
}

/** What last happened to each of these runs as a whole. */
function lastOf({ path }: OpenStore, runIds: readonly string[]): ReadonlyMap<string, string> {
  return lastOfRuns(new URL(`${pathToFileURL(path).href}?mode=ro`), runIds);
}

const statusMarks: Readonly<Record<ListedStatus, { readonly glyph: string; readonly style: Style }>> = {
  running: marks.running,
  paused: { glyph: '‖', style: 'yellow' },
  cancelling: { glyph: '■', style: 'yellow' },
  compensating: { glyph: '↶', style: 'yellow' },
  lost: { glyph: '?', style: 'red' },
  done: marks.done,
  failed: marks.failed,
  cancelled: marks.cancelled,
};

function linesOf(runs: readonly ListedRun[]): Piece[][] {
  const ids = runs.map(({ id }) => showId(id, idColumns));
  const flows = runs.map(({ flow }) => showId(flow));
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(widthOf));
  const [idWidth, flowWidth] = [widest(ids), widest(flows)];
  return runs.map(({ status, startedAt, endedAt }, index): Piece[] => {
    const { glyph, style } = statusMarks[status];
    const took =
      startedAt === null || endedAt === null ? '' : `  ${showDuration(Math.max(endedAt - startedAt, 0))}`;
    return [
      [style, `${glyph} ${padTo(status, 'cancelling'.length)}  `],
      ['bold', padTo(ids[index] ?? '', idWidth)],
      ['none', `  ${padTo(flows[index] ?? '', flowWidth)}`],
      ['dim', `  ${showInstant(startedAt)}${took}`],
    ];
  });
}

/** Ids are copied from a list, so they are shortened late. */
const idColumns = 120;
