import type { Entry, Store } from 'topple';
import { childIdOf, pathOf, segmentOf } from '../../src/model/child-id.ts';

const endOfRun = /^run\.(done|failed|cancelled)$/;
const endOfTask = /^task\.(done|failed|skipped|upstream_failed|cancelled)$/;

/** The path of a task without the lives: what its key must be. */
export function keyOfTask(runId: string, taskId: string): string {
  const rootId = runId.split('/')[0] as string;
  return [rootId, ...pathOf(runId).map((place) => segmentOf(place.taskId)), segmentOf(taskId)].join('/');
}

/** What a store has of a run and all below it. */
export class Kept {
  readonly entries = new Map<string, readonly Entry[]>();

  constructor(rootId: string, all: readonly (readonly [string, readonly Entry[]])[]) {
    for (const [id, entries] of all)
      if (id === rootId || id.startsWith(`${rootId}/`)) this.entries.set(id, entries);
  }

  /** How often the body of each key has failed. */
  failures(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [runId, entries] of this.entries)
      for (const entry of entries) {
        if (entry.type !== 'task.failed' && entry.type !== 'task.retrying') continue;
        if (this.entries.has(childIdOf(runId, entry.taskId, 1))) continue;
        const key = keyOfTask(runId, entry.taskId);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    return counts;
  }

  /** The status of each task, and which of its lives is current. */
  tasksOf(runId: string): Map<string, { status: string; life: number }> {
    const tasks = new Map<string, { status: string; life: number }>();
    for (const entry of this.entries.get(runId) ?? []) {
      if (!('taskId' in entry)) continue;
      const { life, status } = tasks.get(entry.taskId) ?? { life: 1, status: 'pending' };
      if (entry.type === 'task.rerun')
        tasks.set(entry.taskId, { status: 'pending', life: entry.keepsLife === true ? life : life + 1 });
      else if (entry.type === 'task.started') tasks.set(entry.taskId, { status: 'running', life });
      else if (entry.type === 'task.retrying') tasks.set(entry.taskId, { status: 'retrying', life });
      else if (endOfTask.test(entry.type)) tasks.set(entry.taskId, { status: entry.type.slice(5), life });
      else tasks.set(entry.taskId, { status, life });
    }
    return tasks;
  }

  isPaused(runId: string): boolean {
    const last = (this.entries.get(runId) ?? []).findLast(
      ({ type }) => type === 'run.paused' || type === 'run.resumed',
    );
    return last?.type === 'run.paused';
  }

  /** Whether a run has been told to end, and has not ended. */
  isEnding(runId: string): boolean {
    const last = (this.entries.get(runId) ?? []).findLast(
      ({ type }) => type === 'run.cancelling' || endOfRun.test(type),
    );
    return last?.type === 'run.cancelling';
  }

  /** Whether no verdict depends on which of two dependencies settles first: one that was skipped, or one that failed. */
  get isOrderFree(): boolean {
    return [...this.entries.keys()].every((runId) => {
      const statuses = [...this.tasksOf(runId).values()].map(({ status }) => status);
      return (
        !statuses.includes('skipped') || !statuses.some((one) => ['failed', 'upstream_failed'].includes(one))
      );
    });
  }

  /** Whether the last entry of a run ends it. */
  hasEnded(runId: string): boolean {
    return endOfRun.test(this.entries.get(runId)?.at(-1)?.type ?? '');
  }

  /** What is wrong with the lives of tasks: a child run under way of which the task has settled, or was never ready. */
  orphans(): string[] {
    const found: string[] = [];
    for (const runId of this.entries.keys()) {
      const place = pathOf(runId).at(-1);
      if (place === undefined) continue;
      const task = this.tasksOf(place.parentId).get(place.taskId);
      if (task === undefined) found.push(`${runId}: its task is not known`);
      else if (task.life < place.life) found.push(`${runId}: its task is in life ${task.life}`);
      else if (
        !this.hasEnded(runId) &&
        (task.life > place.life || !['pending', 'running', 'retrying'].includes(task.status))
      )
        found.push(`${runId}: its task is ${task.status} in life ${task.life}`);
    }
    return found;
  }
}

/** What a store has of a run and all below it now. */
export async function keptIn(store: Store, rootId: string): Promise<Kept> {
  const listed = await store.list({ under: rootId });
  const all: [string, readonly Entry[]][] = [];
  for (const id of [rootId, ...listed.map((run) => run.id)]) {
    const entries = await store.read(id);
    if (entries.length > 0) all.push([id, entries]);
  }
  return new Kept(rootId, all);
}
