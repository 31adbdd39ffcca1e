import type { FlowDefinition } from './definition.ts';
import type { TriggerRule } from './trigger-rule.ts';

/** The parts of a flow that its hash covers, as plain data: stores keep it beside the runs of that version. */
export interface FlowOutline {
  readonly flow: string;
  readonly hash: string;
  /** In definition order. */
  readonly tasks: readonly TaskOutline[];
}

export interface TaskOutline {
  readonly id: string;
  /** Absent if it depends on nothing. */
  readonly dependsOn?: readonly string[] | undefined;
  /** Absent for `all_success`. */
  readonly triggerRule?: TriggerRule | undefined;
}

/** The number of differences that a sentence lists. */
const MOST_LISTED = 5;

export function outlineOf({ name, hash, tasks }: FlowDefinition): FlowOutline {
  return {
    flow: name,
    hash,
    tasks: tasks.map(({ id, dependsOn, triggerRule }) => ({
      id,
      ...(dependsOn.length > 0 && { dependsOn }),
      ...(triggerRule !== 'all_success' && { triggerRule }),
    })),
  };
}

/** Says in words how a flow differs from an earlier version of it; empty if it does not. */
export function describeChanges(before: FlowOutline, now: FlowOutline): string {
  const changes = changesOf(before, now);
  const rest = changes.length - MOST_LISTED;
  const listed = changes.slice(0, MOST_LISTED).join('; ');
  return rest > 0 ? `${listed}; and ${rest} more` : listed;
}

function changesOf(before: FlowOutline, now: FlowOutline): string[] {
  const then = new Map(before.tasks.map((task) => [task.id, task]));
  const ids = new Set(now.tasks.map(({ id }) => id));
  const added = now.tasks.filter(({ id }) => !then.has(id)).map(({ id }) => `\`${id}\` was added`);
  const removed = before.tasks.filter(({ id }) => !ids.has(id)).map(({ id }) => `\`${id}\` was removed`);
  const changed = now.tasks.flatMap((task) => changesOfTask(then.get(task.id), task));
  const changes = [...added, ...removed, ...changed];
  return changes.length === 0 && !isInOrder(before, now) ? ['its tasks stand in another order'] : changes;
}

function changesOfTask(before: TaskOutline | undefined, now: TaskOutline): string[] {
  if (before === undefined) return [];
  const changes: string[] = [];
  const [was, is] = [list(before.dependsOn), list(now.dependsOn)];
  if (was !== is) changes.push(`\`${now.id}\` depends on ${is}, and did on ${was}`);
  const { triggerRule = 'all_success' } = now;
  const { triggerRule: earlier = 'all_success' } = before;
  if (triggerRule !== earlier)
    changes.push(`\`${now.id}\` has the trigger rule \`${triggerRule}\`, and had \`${earlier}\``);
  return changes;
}

function list(ids: readonly string[] = []): string {
  return ids.length === 0 ? 'nothing' : ids.map((id) => `\`${id}\``).join(', ');
}

function isInOrder(before: FlowOutline, now: FlowOutline): boolean {
  return before.tasks.every(({ id }, index) => now.tasks[index]?.id === id);
}
