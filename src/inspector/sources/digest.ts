import type { Entry, RunStatus } from '../../index.ts';
import type { ChildCounts } from '../../model/journal.ts';
import { endingOf } from '../../model/summary.ts';
import type { ListedRun, ParentTask } from '../protocol.ts';

const statusBy: { readonly [Type in Entry['type']]?: RunStatus } = {
  'run.started': 'running',
  'run.paused': 'paused',
  'run.resumed': 'running',
  'run.cancelling': 'cancelling',
  'run.compensating': 'compensating',
};

type Ending = Exclude<keyof ChildCounts, 'total'>;

const settling: ReadonlySet<string> = new Set([
  'task.done',
  'task.failed',
  'task.skipped',
  'task.upstream_failed',
  'task.cancelled',
]);

/** What a list says of a run, kept up entry by entry. */
export class RunDigest {
  /** `seq` of the last entry read. */
  seq = 0;
  flow = '';
  flowHash = '';
  status: RunStatus = 'running';
  startedAt: number | null = null;
  endedAt: number | null = null;
  parent: ParentTask | undefined;
  /** How each settled task ended. */
  readonly #settled = new Map<string, Ending>();

  get settledTasks(): number {
    return this.#settled.size;
  }

  get isSettled(): boolean {
    return this.endedAt !== null;
  }

  apply(entry: Entry): void {
    this.seq = entry.seq;
    if ('taskId' in entry) {
      if (settling.has(entry.type))
        this.#settled.set(entry.taskId, entry.type.slice('task.'.length) as Ending);
      else if (entry.type === 'task.rerun') this.#goOn(entry.taskId);
      return;
    }
    const ending = endingOf(entry);
    this.status = ending ?? statusBy[entry.type] ?? this.status;
    if (ending !== undefined) this.endedAt = entry.at;
    else if (entry.type === 'run.compensating') this.endedAt = null;
    if (entry.type === 'run.started') this.#start(entry);
    if (entry.type === 'run.flow_changed') {
      this.flowHash = entry.flowHash;
      for (const id of entry.dropped) this.#settled.delete(id);
    }
  }

  /** How many tasks have ended in which way. */
  counts(total: number): ChildCounts {
    const counts = { total, done: 0, failed: 0, skipped: 0, upstream_failed: 0, cancelled: 0 };
    for (const ending of this.#settled.values()) counts[ending]++;
    return counts;
  }

  listed(source: string, id: string, tasks: number | undefined): ListedRun {
    const { flow, status, startedAt, endedAt, seq, settledTasks, parent } = this;
    const run = { source, id, flow, status, startedAt, endedAt, seq, settledTasks };
    return { ...run, ...(tasks === undefined ? {} : { tasks }), ...(parent && { parent }) };
  }

  #start(entry: Extract<Entry, { type: 'run.started' }>): void {
    this.flow = entry.flow;
    this.flowHash = entry.flowHash;
    this.startedAt ??= entry.at;
    const { parent } = entry;
    if (parent !== undefined) this.parent = { runId: parent.runId, taskId: parent.taskId, life: parent.life };
  }

  #goOn(taskId: string): void {
    this.#settled.delete(taskId);
    if (this.endedAt === null) return;
    this.endedAt = null;
    this.status = 'running';
  }
}
