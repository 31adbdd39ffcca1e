// A process that runs flows on a file until its parent or it itself ends it.

import { flushCompileCache } from 'node:module';
import { StoreConflictError } from 'topple';
import { type Host, type HostSettings, openHost } from './host.ts';

/** What a process is to do, in this order. */
export interface Job extends HostSettings {
  /** Takes up what nobody owns, with `watch` also later. */
  readonly recover?: 'once' | 'watch' | undefined;
  /** Starts runs of these ids; those that exist already are left alone. */
  readonly start?: readonly string[] | undefined;
}

export type Order =
  | { readonly type: 'begin'; readonly job: Job }
  | { readonly type: 'start'; readonly runId: string }
  | { readonly type: 'stop' };

export type Message =
  /** All modules are loaded. */
  | { readonly type: 'loaded' }
  /** It has taken up what it was to take up. */
  | { readonly type: 'recovered'; readonly runs: readonly string[] }
  | { readonly type: 'started'; readonly runId: string }
  /** All runs that it was to start exist. */
  | { readonly type: 'under way' }
  /** The end of a run is kept, or it ended here before with this error. */
  | { readonly type: 'ended'; readonly runId: string; readonly error?: string | undefined }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: string };

const tell = (message: Message): void => void process.send?.(message);
let host: Host | undefined;

process.on('message', (order: Order) => {
  obey(order).catch((error: Error) => tell({ type: 'failed', error: `${error.stack}` }));
});
process.on('disconnect', () => process.exit());
flushCompileCache();
tell({ type: 'loaded' });

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'begin':
      return begin(order.job);
    case 'start':
      return start(order.runId);
    case 'stop':
      await host?.close();
      tell({ type: 'stopped' });
  }
}

async function begin(job: Job): Promise<void> {
  host = await openHost(job, (runId, error) => tell({ type: 'ended', runId, error: error?.name }));
  if (job.recover !== undefined) {
    const runs = await host.recover({ watch: job.recover === 'watch' });
    tell({ type: 'recovered', runs: runs.map(({ id }) => id) });
  }
  await Promise.all((job.start ?? []).map(start));
  tell({ type: 'under way' });
}

async function start(runId: string): Promise<void> {
  try {
    await host?.start(runId);
    tell({ type: 'started', runId });
  } catch (error) {
    if (!(error instanceof StoreConflictError)) throw error;
  }
}
