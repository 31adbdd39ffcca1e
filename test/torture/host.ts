import { type AnyFlow, type Clock, createEngine, type Engine, type PerformScope, type Run } from 'topple';
import { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from 'topple/sqlite';
import { type FlowName, flowOf } from './flows.ts';
import { type Fact, type Note, openNotes, readNotes } from './notes.ts';
import { die, nameOf, type Strike, witness } from './witness.ts';

export interface HostSettings {
  /** Of the store. */
  readonly file: string;
  /** The side file. */
  readonly notes: string;
  /** Tells this process from the others. */
  readonly life: string;
  readonly flow: FlowName;
  readonly store?: SqliteStoreOptions | undefined;
  readonly concurrency?: number | undefined;
  /** Whether listeners are told of each entry; it changes when starts are kept. */
  readonly isWatched?: boolean | undefined;
  readonly strike?: Strike | undefined;
  /** An open store in place of a new one. */
  readonly over?: SqliteStore | undefined;
  /** By how much this process's time of day is wrong. */
  readonly aheadMs?: number | undefined;
}

/** An engine on a file, which notes what happens in it. */
export interface Host {
  readonly engine: Engine;
  readonly store: SqliteStore;
  readonly flow: AnyFlow;
  start(id: string): Promise<Run>;
  recover(options?: { readonly watch: boolean }): Promise<readonly Run[]>;
  /** Notes that have been made in this process and others. */
  notes(): Note[];
  /** Stops the engine and closes the store. */
  close(): Promise<void>;
}

/** @param onEnd called when the end of a run is kept, and with an error when a run ends here before it settles */
export async function openHost(
  settings: HostSettings,
  onEnd: (runId: string, error?: Error) => void = () => {},
): Promise<Host> {
  const { file, notes, life, flow: name, concurrency, isWatched = false, strike, aheadMs } = settings;
  const note = openNotes(notes, life);
  const store = settings.over ?? (await createSqliteStore(file, settings.store));
  const watched = witness(store, note, { strike, onEnd });
  const known = new WeakSet<Run>();

  function called(scope: PerformScope): void {
    const { runId, taskId, attempt, idempotencyKey, deps } = scope;
    const call = { run: runId, task: taskId, attempt, key: idempotencyKey, deps: Object.keys(deps) };
    note({ what: 'call', ...call, kept: watched.keptOf(runId), at: Date.now() + (aheadMs ?? 0) });
    // Runs that a watch took up are met here.
    void runOf(runId).then((run) => run && follow(run));
  }

  async function runOf(id: string): Promise<Run> {
    return (await engine.run(id)) as Run;
  }

  function follow(run: Run): void {
    if (known.has(run)) return;
    known.add(run);
    const { id } = run;
    run.settled().then(
      () => note({ what: 'ended', run: id }),
      (error: Error) => {
        note({ what: 'ended', run: id, error: `${error.name}: ${error.message}` });
        onEnd(id, error);
      },
    );
    if (!isWatched) return;
    const isStruck = (seq: number): boolean => strike?.when === 'told' && seq >= strike.seq;
    if (isStruck(run.seq)) die();
    run.on('*', (entry) => {
      note({ what: 'told', run: id, seq: entry.seq, entry: nameOf(entry) });
      if (isStruck(entry.seq)) die();
    });
  }

  const flow = flowOf(name, { called, run: runOf });
  const logged = (...parts: unknown[]): void => note(loggedOf(parts));
  const engine = createEngine({
    store: watched.store,
    flows: [flow],
    logger: { error: logged, warn: logged, info: () => {} },
    concurrency,
    clock: aheadMs === undefined ? undefined : clockAhead(aheadMs),
    keepSettled: Number.POSITIVE_INFINITY,
  });

  return {
    engine,
    store,
    flow,
    async start(id) {
      const run = await engine.start(flow as never, undefined as never, { id });
      note({ what: 'accepted', run: id });
      follow(run as Run);
      return run as Run;
    },
    async recover(options) {
      const runs = await engine.recover([flow], options);
      for (const run of runs) {
        follow(run);
        if (run.view().status === 'paused') run.resume();
      }
      return runs;
    },
    notes: () => readNotes(notes),
    async close() {
      await engine.stop();
      await store.close();
    },
  };
}

function loggedOf(parts: readonly unknown[]): Fact {
  const text = parts.map((part) => (part instanceof Error ? `${part.name}: ${part.message}` : String(part)));
  return { what: 'logged', text: text.join(' ') };
}

/** The time of day, some milliseconds wrong. */
function clockAhead(aheadMs: number): Clock {
  return {
    now: () => Date.now() + aheadMs,
    monotonicNow: () => performance.now(),
    setTimeout: (callback, timeoutMs) => setTimeout(callback, Math.ceil(timeoutMs)),
    clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
  };
}
