import { type FlowOutline, limitsOf, outlineOfTask, type TaskOutline } from './flow-outline.ts';

/** The number of changes that are told; of more, only how many. */
const MOST_TOLD = 100;

/**
 * Says in words how a flow differs from an earlier version of it; nothing if it does not. Tasks added and removed come
 * first, then what has changed in tasks that both versions have.
 */
export function flowChanges(before: FlowOutline, now: FlowOutline): string[] {
  const then = new Map(before.tasks.map((task) => [task.id, task]));
  const ids = new Set(now.tasks.map(({ id }) => id));
  const changes = [
    ...now.tasks.filter(({ id }) => !then.has(id)).map(({ id }) => `\`${id}\` was added`),
    ...before.tasks.filter(({ id }) => !ids.has(id)).map(({ id }) => `\`${id}\` was removed`),
    ...now.tasks.flatMap((task) => changesOfTask(then.get(task.id), task)),
  ];
  if (!isInOrder(before, now, then, ids)) changes.push('tasks stand in another order');
  changes.push(...changesOf('the flow', limitsOf(before), limitsOf(now)));
  const rest = changes.length - MOST_TOLD;
  return rest > 0 ? [...changes.slice(0, MOST_TOLD), `${rest} more`] : changes;
}

function changesOfTask(earlier: TaskOutline | undefined, now: TaskOutline): string[] {
  if (earlier === undefined) return [];
  const { dependsOn: was = [], triggerRule: oldRule = 'all_success', ...before } = outlineOfTask(earlier);
  const { dependsOn: is = [], triggerRule: newRule = 'all_success', ...after } = outlineOfTask(now);
  const changes: string[] = [];
  if (list(was) !== list(is)) changes.push(`\`${now.id}\` depends on ${list(is)}, and did on ${list(was)}`);
  if (oldRule !== newRule)
    changes.push(`\`${now.id}\` has the trigger rule \`${newRule}\`, and had \`${oldRule}\``);
  return [...changes, ...changesOf(`\`${now.id}\``, flat(before), flat(after))];
}

/** Changes of settings, which are absent where they have their default. */
function changesOf(owner: string, before: object, now: object): string[] {
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(now))];
  const names = new Set([...was.keys(), ...is.keys()]);
  return [...names]
    .filter((name) => show(was.get(name)) !== show(is.get(name)))
    .map((name) => `${owner} has \`${name}\` ${show(is.get(name))}, and had ${show(was.get(name))}`);
}

function flat({ retry, ...rest }: Omit<TaskOutline, 'dependsOn' | 'triggerRule'>): object {
  return { 'retry.maxAttempts': retry?.maxAttempts, 'retry.maxElapsedMs': retry?.maxElapsedMs, ...rest };
}

function show(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

function list(ids: readonly string[]): string {
  return ids.length === 0 ? 'nothing' : ids.map((id) => `\`${id}\``).join(', ');
}

/** Whether the tasks that both versions have stand in the same order. */
function isInOrder(
  before: FlowOutline,
  now: FlowOutline,
  then: ReadonlyMap<string, TaskOutline>,
  ids: ReadonlySet<string>,
): boolean {
  const kept = now.tasks.filter(({ id }) => then.has(id));
  return before.tasks.filter(({ id }) => ids.has(id)).every(({ id }, index) => kept[index]?.id === id);
}
