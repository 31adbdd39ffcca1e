import type { Engine, RunStatus } from '../../index.ts';
import { isSettledRun } from '../../model/status.ts';
import { Problem } from '../problem.ts';
import type { VisibleRun } from './access.ts';
import { readQuery } from './route.ts';

/** A run in a list. Instants are epoch milliseconds. */
export interface ListedRun {
  readonly id: string;
  readonly flow: string;
  readonly status: RunStatus;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** `seq` of its last event. */
  readonly seq: number;
}

/** A page of runs, those that started last first. */
export interface RunList {
  readonly runs: readonly ListedRun[];
  /** For `after`, to get the runs behind these; `null` on the last page. */
  readonly next: string | null;
}

interface Place {
  readonly startedAt: number;
  readonly id: string;
}

const statuses: readonly string[] = [
  'running',
  'paused',
  'cancelling',
  'done',
  'failed',
  'cancelled',
] satisfies RunStatus[];
const maxLimit = 200;
const defaultLimit = 50;

/**
 * A page of the runs that `isVisible` lets through. Where it begins is said by a run's place in the order, so that a
 * page can be asked for when the run has been dropped meanwhile.
 *
 * @throws Problem 400 for a query that will not do
 */
export function listRuns(
  engine: Engine,
  query: URLSearchParams,
  isVisible: (run: VisibleRun) => boolean,
): RunList {
  const given = readQuery(query, ['flow', 'status', 'settled', 'limit', 'after']);
  const limit = readLimit(given.limit);
  const after = given.after === undefined ? undefined : readPlace(given.after);
  const status = readStatus(given.status);
  const settled = readSettled(given.settled);
  const isWanted = settled ?? (status === undefined ? undefined : isSettledRun(status));
  const summaries = engine
    .runs({ flow: given.flow, settled: isWanted })
    .filter((run) => after === undefined || compare(after, placeOf(run)) < 0)
    .sort((a, b) => compare(placeOf(a), placeOf(b)));

  const runs: ListedRun[] = [];
  for (const { id, flow, startedAt, endedAt, seq } of summaries) {
    const run = engine.run(id);
    if (run === undefined || !isVisible({ id, flow })) continue;
    const { status: value } = run.view();
    if (status !== undefined && value !== status) continue;
    const last = runs.at(-1);
    if (runs.length === limit && last !== undefined) return { runs, next: writePlace(placeOf(last)) };
    runs.push({ id, flow, status: value, startedAt, endedAt, seq });
  }
  return { runs, next: null };
}

function placeOf({ id, startedAt }: { readonly id: string; readonly startedAt: number | null }): Place {
  return { id, startedAt: startedAt ?? 0 };
}

/** Those that started last come first; of the same instant, by id. */
function compare(a: Place, b: Place): number {
  if (a.startedAt !== b.startedAt) return b.startedAt - a.startedAt;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function writePlace({ startedAt, id }: Place): string {
  return `${startedAt}_${id}`;
}

function readPlace(text: string): Place {
  const [, startedAt, id] = /^(\d{1,16}(?:\.\d{1,6})?)_(.{1,256})$/su.exec(text) ?? [];
  if (startedAt === undefined || id === undefined) {
    throw new Problem(400, '`after` must be what `next` of the page before says.');
  }
  return { startedAt: Number(startedAt), id };
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return defaultLimit;
  const limit = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxLimit) return limit;
  throw new Problem(400, `\`limit\` must be a whole number from 1 to ${maxLimit}.`);
}

function readStatus(text: string | undefined): RunStatus | undefined {
  if (text === undefined || statuses.includes(text)) return text as RunStatus | undefined;
  throw new Problem(400, `\`status\` must be one of ${statuses.join(', ')}.`);
}

function readSettled(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Problem(400, '`settled` must be true or false.');
}
