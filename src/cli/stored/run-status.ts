import type { Entry, RunStatus, RunSummary } from '../../index.ts';

/** The status of a run as lists show it. `lost`: set aside, because its process died too often while it ran. */
export type ListedStatus = RunStatus | 'lost';

export const listedStatuses = [
  'running',
  'paused',
  'cancelling',
  'compensating',
  'lost',
  'done',
  'failed',
  'cancelled',
] as const satisfies readonly ListedStatus[];

const entryStatuses: { readonly [Type in Entry['type']]?: RunStatus } = {
  'run.started': 'running',
  'run.paused': 'paused',
  'run.resumed': 'running',
  'run.cancelling': 'cancelling',
  'run.compensating': 'compensating',
  'run.done': 'done',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};

/** The status after these entries. */
export function statusAfter(entries: readonly Entry[]): RunStatus {
  let status: RunStatus = 'running';
  for (const { type } of entries)
    status = entryStatuses[type] ?? (type === 'task.rerun' && isOver(status) ? 'running' : status);
  return status;
}

/** The status of a run that has not settled, by the type of the last entry that changed it: it may run again. */
export function unsettledStatus(last: string | undefined): RunStatus {
  const status = entryStatuses[last as Entry['type']] ?? 'running';
  return isOver(status) ? 'running' : status;
}

/** Whether a summary alone tells the status; otherwise the journal does. */
export function statusOf({ ending, status }: RunSummary): ListedStatus | undefined {
  return ending ?? status;
}

function isOver(status: RunStatus): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}

/** Whether a run stays paused when it is recovered. */
export function isPaused(entries: readonly Entry[]): boolean {
  const start = entries.find((entry) => entry.type === 'run.started');
  return statusAfter(entries) === 'paused' && start?.settings?.resumesWhenRecovered !== true;
}
