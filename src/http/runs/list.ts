import {
  type Engine,
  FlowError,
  JournalError,
  type RunFilter,
  type RunStatus,
  type RunSummary,
} from '../../index.ts';
import { isSettledRun } from '../../model/status.ts';
import { Problem } from '../problem.ts';
import { soon } from '../requests-first.ts';
import type { VisibleRun } from './access.ts';
import { readQuery } from './route.ts';

/** A run in a list. Instants are epoch milliseconds. */
export interface ListedRun {
  readonly id: string;
  readonly flow: string;
  /** `running` for an unsettled run that the server cannot read, since it does not know its flow. */
  readonly status: RunStatus;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** `seq` of its last event. */
  readonly seq: number;
}

/** A page of runs, the latest first. */
export interface RunList {
  readonly runs: readonly ListedRun[];
  /** Value of `after` for the next page; `null` on the last page. */
  readonly next: string | null;
}

const statuses: readonly string[] = [
  'running',
  'paused',
  'cancelling',
  'compensating',
  'done',
  'failed',
  'cancelled',
] satisfies RunStatus[];
const maxLimit = 200;
const defaultLimit = 50;

/** Number of summaries read at a time; the event loop runs in between. */
const chunkSize = 256;

/**
 * Returns a page of the visible runs. The place of a run in the order marks its beginning, so a page is available even
 * if that run was dropped meanwhile.
 *
 * @throws Problem 400 for an invalid query
 */
export async function listRuns(
  engine: Engine,
  query: URLSearchParams,
  isVisible: (run: VisibleRun) => boolean,
): Promise<RunList> {
  const given = readQuery(query, ['flow', 'status', 'settled', 'limit', 'after']);
  const limit = readLimit(given.limit);
  const status = readStatus(given.status);
  const settled = readSettled(given.settled);
  const filter: RunFilter = {
    flow: given.flow,
    settled: settled ?? (status === undefined ? undefined : isSettledRun(status)),
    before: given.after === undefined ? undefined : readPlace(given.after),
  };

  const runs: ListedRun[] = [];
  let last = 0;
  for await (const summary of newestFirst(engine, filter, limit + 1)) {
    const run = isVisible({ id: summary.id, flow: summary.flow }) ? await listed(engine, summary) : undefined;
    if (run === undefined || (status !== undefined && run.status !== status)) continue;
    if (runs.length === limit) return { runs, next: String(last) };
    runs.push(run);
    last = summary.order;
  }
  return { runs, next: null };
}

/** Yields runs in chunks, the latest first. The first chunk fills most pages. */
async function* newestFirst(engine: Engine, filter: RunFilter, first: number): AsyncGenerator<RunSummary> {
  let { before } = filter;
  for (let limit = first; ; limit = chunkSize) {
    const chunk = await engine.runs({ ...filter, newestFirst: true, before, limit });
    yield* chunk;
    if (chunk.length < limit) return;
    before = chunk.at(-1)?.order;
    await new Promise<void>(soon);
  }
}

/** Returns `undefined` for a run that was dropped meanwhile. */
async function listed(
  engine: Engine,
  { id, flow, startedAt, endedAt, ending, seq }: RunSummary,
): Promise<ListedRun | undefined> {
  const status = ending ?? (await statusOf(engine, id));
  return status && { id, flow, status, startedAt, endedAt, seq };
}

/** Returns the status of an unsettled run, of which a summary knows no more than that. */
async function statusOf(engine: Engine, id: string): Promise<RunStatus | undefined> {
  try {
    return (await engine.run(id))?.view().status;
  } catch (error) {
    if (error instanceof FlowError || error instanceof JournalError) return 'running';
    throw error;
  }
}

/** Reads the `next` of an earlier page: only older runs follow it. */
function readPlace(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new Problem(400, '`after` must be the `next` of the previous page.');
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
