import type { Append, Entry } from 'topple';
import type { SharedStore } from 'topple/sqlite';
import type { Fact } from './notes.ts';

/** When a process kills itself: at the entry with this `seq`. */
export interface Strike {
  /**
   * `recorded`: before the store is given it. `sent`: while the store may be writing it. `kept`: once the store has
   * acknowledged it, before the engine hears of that. `told`: in the first listener that is told of it.
   */
  readonly when: 'recorded' | 'sent' | 'kept' | 'told';
  readonly seq: number;
}

export interface Witness {
  /** The store, whose appends are noted. */
  readonly store: SharedStore;
  /** `seq` of the last entry of a run that the store has acknowledged. */
  keptOf(runId: string): number;
}

const endings: ReadonlySet<string> = new Set(['run.done', 'run.failed', 'run.cancelled']);

/** @param onEnd called when the end of a run is kept */
export function witness(
  store: SharedStore,
  note: (fact: Fact) => void,
  { strike, onEnd }: { readonly strike: Strike | undefined; readonly onEnd: (runId: string) => void },
): Witness {
  const kept = new Map<string, number>();
  const isHit = (when: Strike['when'], { expectedSeq, seq }: Append): boolean =>
    strike?.when === when && expectedSeq < strike.seq && strike.seq <= seq;

  async function append(given: Append): Promise<void> {
    if (isHit('recorded', given)) die();
    const appended = store.append(given);
    if (isHit('sent', given)) setImmediate(die);
    await appended;
    const { runId, seq } = given;
    const last = given.journal.get(seq);
    kept.set(runId, seq);
    note({ what: 'kept', run: runId, seq, entry: nameOf(last) });
    if (isHit('kept', given)) die();
    if (endings.has(last.type)) onEnd(runId);
  }

  async function read(runId: string): Promise<readonly Entry[]> {
    const entries = await store.read(runId);
    kept.set(runId, Math.max(entries.length, kept.get(runId) ?? 0));
    return entries;
  }

  const watched: SharedStore = {
    isAsync: true,
    values: store.values,
    append,
    read,
    lastSeq: (runId) => store.lastSeq(runId),
    list: (filter) => store.list(filter),
    remove: (runId) => store.remove(runId),
    claim: (flows, limit) => store.claim(flows, limit),
    claimRun: (runId) => store.claimRun(runId),
    release: (runIds) => store.release(runIds),
    watch: (watcher) => store.watch(watcher),
    request: (runId, request) => store.request(runId, request),
  };
  return { store: watched, keptOf: (runId) => kept.get(runId) ?? 0 };
}

/** What an entry says, in a word for each part. */
export function nameOf(entry: Entry): string {
  const task = 'taskId' in entry ? ` ${entry.taskId}` : '';
  return `${entry.type}${task}${'attempt' in entry ? ` ${entry.attempt}` : ''}`;
}

/** No handler, no flush, no good-bye. */
export function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
