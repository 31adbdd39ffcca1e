import { DatabaseSync } from 'node:sqlite';
import type { Entry, Run } from 'topple';
import * as assert from 'uvu/assert';
import type { Chance } from './chance.ts';
import type { FlowName } from './flows.ts';
import { type Host, type HostSettings, openHost } from './host.ts';
import type { Life } from './lives.ts';
import type { Note } from './notes.ts';
import { within } from './report.ts';
import { definitionOf, faultsOf } from './verdict.ts';

/** Something that happens to runs. Rejects if they do not bear it. */
export type Trial = (options: TrialOptions) => Promise<void>;

export interface TrialOptions {
  readonly chance: Chance;
  /** Whether it may take long and do much. */
  readonly isLong: boolean;
}

/** How long anything that is waited for may take. */
export const limitMs = 30_000;

export const idsOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`);

/** A host that recovers runs, now and later. Resolves when these have settled, wherever that was. */
export async function recoverAll(settings: HostSettings, ids: readonly string[]): Promise<Host> {
  const left = new Set(ids);
  const isOver = Promise.withResolvers<void>();
  const host = await openHost(settings, (runId, error) => {
    if (error === undefined) left.delete(runId);
    if (left.size === 0) isOver.resolve();
  });
  await host.recover({ watch: true });
  await within(limitMs, `the end of ${ids.join(', ')}`, isOver.promise);
  return host;
}

/** Checks settled runs by their journals and the notes of all processes. */
export async function judge(
  host: Host,
  flow: FlowName,
  ids: readonly string[],
  except = /^$/,
): Promise<void> {
  const notes = host.notes();
  const faults: string[] = [];
  for (const id of ids) {
    const own = notes.filter((note) => 'run' in note && note.run === id);
    faults.push(...faultsOf(definitionOf(flow), await host.store.read(id), own));
  }
  assert.equal(
    faults.filter((fault) => !except.test(fault)),
    [],
  );
}

export async function journalsOf(host: Host, ids: readonly string[]): Promise<(readonly Entry[])[]> {
  return Promise.all(ids.map((id) => host.store.read(id)));
}

export function callsIn(notes: readonly Note[], life: string): string[] {
  return notes.flatMap((note) =>
    note.what === 'call' && note.life === life ? [`${note.run}/${note.task}`] : [],
  );
}

/** The error with which a run ends before it has settled; `undefined` if it settles. */
export function failureOf(run: Run): Promise<Error | undefined> {
  const failed = run.settled().then(
    () => undefined,
    (error: Error) => error,
  );
  return within(limitMs, `the end of ${run.id}`, failed);
}

/** Resolves once an entry of a run is kept, or the run has ended. */
export async function reached(run: Run, seq: number): Promise<void> {
  if (run.seq >= seq) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const subscription = run.on('*', (entry) => {
    if (entry.seq >= seq) resolve();
  });
  await within(limitMs, `entry ${seq} of ${run.id}`, Promise.race([promise, failureOf(run)]));
  subscription.unsubscribe();
}

/** Waits until a process has said of all these runs that they have ended. Returns the names of their errors. */
export async function endsOf(life: Life, ids: readonly string[]): Promise<(string | undefined)[]> {
  const ends = new Map<string, string | undefined>();
  while (ids.some((id) => !ends.has(id))) {
    const { runId, error } = await life.next('ended');
    ends.set(runId, error);
  }
  return ids.map((id) => ends.get(id));
}

/** Freezes a process between transactions: in one it would hold the lock. */
export function freezeOutside(file: string, life: Life): void {
  const db = new DatabaseSync(file, { timeout: 0 });
  for (;;) {
    life.freeze();
    try {
      db.exec('BEGIN IMMEDIATE; ROLLBACK');
      return db.close();
    } catch {
      life.thaw();
    }
  }
}
