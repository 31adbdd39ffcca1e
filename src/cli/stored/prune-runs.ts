import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { RunSummary } from '../../index.ts';
import { count } from '../../model/duration.ts';
import { countRemoved } from '../../store/sqlite/removed.ts';
import { UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import { escapeControls } from '../terminal/text.ts';
import { type OpenStore, withStore } from './open-store.ts';

/** Options of `topple prune`. */
export interface PruneOptions {
  readonly store?: string | undefined;
  readonly flow?: string | undefined;
  readonly status?: 'done' | 'failed' | 'cancelled' | undefined;
  /** The number of the latest settled runs that stay. */
  readonly keep?: number | undefined;
  /** In milliseconds since a run has settled. */
  readonly olderThan?: number | undefined;
  readonly dryRun: boolean;
}

const chunkSize = 256;
/** How often what is left of removed journals is counted. */
const lookMs = 20;

/** Removes settled runs, and prints their ids. */
export async function pruneRuns(options: PruneOptions, io: Io): Promise<undefined> {
  const { keep, olderThan, dryRun } = options;
  if (keep === undefined && olderThan === undefined)
    throw new UsageError(
      'Say which settled runs go: `--keep N` keeps the latest, `--older-than TIME` those that ended since; `--keep 0` removes all.',
    );
  const removed = await withStore(options.store, 'change', io, async (open) => {
    const found = await toRemove(open, options, Date.now());
    let done = 0;
    for (const run of found) {
      if (!dryRun && !(await remove(open, run))) continue;
      io.stdout.write(`${escapeControls(String(run.id))}\n`);
      done++;
    }
    if (!dryRun) await swept(open);
    return done;
  });
  tell(io, `${dryRun ? 'would remove' : 'removed'} ${count(removed, 'run')}`);
  return undefined;
}

async function toRemove({ store }: OpenStore, options: PruneOptions, now: number): Promise<RunSummary[]> {
  const { flow, status, keep = 0, olderThan = Number.NEGATIVE_INFINITY } = options;
  const settled: RunSummary[] = [];
  for (let before: number | undefined; ; ) {
    const chunk = await store.list({ flow, settled: true, newestFirst: true, before, limit: chunkSize });
    settled.push(...chunk.filter(({ ending }) => status === undefined || ending === status));
    before = chunk.at(-1)?.order;
    if (before === undefined) break;
  }
  // The latest to end are those that stay, whenever they began.
  settled.sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0) || b.order - a.order);
  return settled.slice(keep).filter(({ endedAt }) => now - (endedAt ?? 0) >= olderThan);
}

/** Removes a run unless it runs again by now. */
async function remove({ store }: OpenStore, { id, order }: RunSummary): Promise<boolean> {
  const [now] = await store.list({ newestFirst: true, before: order + 1, limit: 1 });
  if (now?.order !== order || now.ending === undefined) return false;
  await store.remove(id);
  return true;
}

/** Journals go bit by bit while the store is open, so that nobody waits long for one: waits until all are gone. */
async function swept({ path }: OpenStore): Promise<void> {
  const file = new URL(`${pathToFileURL(path).href}?mode=ro`);
  while (countRemoved(file) > 0) await wait(lookMs);
}
