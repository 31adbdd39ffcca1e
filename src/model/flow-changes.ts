import { segmentOf } from './child-id.ts';
import {
  type BodyOutline,
  type FlowOutline,
  innerFlow,
  limitsOf,
  outlineOfTask,
  type TaskOutline,
} from './flow-outline.ts';

/** The number of changes that are told; of more, only how many. */
const MOST_TOLD = 100;

/** Two versions of a flow, and the tasks that lead to it. */
interface Versions {
  readonly before: FlowOutline;
  readonly now: FlowOutline;
  readonly path: readonly string[];
}

/**
 * Says in words how a flow differs from an earlier version of it; nothing if it does not. Tasks added and removed come
 * first, then what has changed in tasks that both versions have, then what has changed in flows that these run, each told
 * once: ``in `publish`: `send` was added``.
 */
export function flowChanges(before: FlowOutline, now: FlowOutline): string[] {
  const changes: string[] = [];
  const [flowBefore, flowNow] = [findFlow(before), findFlow(now)];
  const compared = new Set<string>();
  const open: Versions[] = [{ before, now, path: [] }];
  for (const { before, now, path } of open) {
    const where = path.length === 0 ? '' : `in \`${path.map(segmentOf).join('/')}\`: `;
    const then = new Map(before.tasks.map((task) => [task.id, task]));
    for (const change of changesOfFlow(before, now, then)) changes.push(`${where}${change}`);
    for (const task of now.tasks) {
      const earlier = then.get(task.id);
      const was = earlier && flowBefore(earlier);
      const is = flowNow(task);
      if (was === undefined || is === undefined || was === is) continue;
      if (was.name !== is.name)
        changes.push(`${where}\`${task.id}\` runs flow \`${is.name}\`, and ran \`${was.name}\``);
      const pair = `${was.hash} ${is.hash}`;
      if (!compared.has(pair)) open.push({ before: was, now: is, path: [...path, task.id] });
      compared.add(pair);
    }
  }
  const rest = changes.length - MOST_TOLD;
  return rest > 0 ? [...changes.slice(0, MOST_TOLD), `${rest} more`] : changes;
}

function changesOfFlow(
  before: FlowOutline,
  now: FlowOutline,
  then: ReadonlyMap<string, TaskOutline>,
): string[] {
  const ids = new Set(now.tasks.map(({ id }) => id));
  const changes = [
    ...now.tasks.filter(({ id }) => !then.has(id)).map(({ id }) => `\`${id}\` was added`),
    ...before.tasks.filter(({ id }) => !ids.has(id)).map(({ id }) => `\`${id}\` was removed`),
    ...now.tasks.flatMap((task) => changesOfTask(then.get(task.id), task)),
  ];
  if (!isInOrder(before, now, then, ids)) changes.push('tasks stand in another order');
  changes.push(...changesOf('the flow', limitsOf(before), limitsOf(now)));
  return changes;
}

/** Finds the flow that a task of an outlined flow, or of one below it, runs. */
function findFlow({ flows = [] }: FlowOutline): (task: TaskOutline) => FlowOutline | undefined {
  const byHash = new Map(flows.map((flow) => [flow.hash, flow]));
  return (task) => {
    const flow = innerFlow(task);
    return typeof flow === 'string' ? byHash.get(flow) : flow;
  };
}

function changesOfTask(earlier: TaskOutline | undefined, now: TaskOutline): string[] {
  if (earlier === undefined) return [];
  const {
    dependsOn: was = [],
    triggerRule: oldRule = 'all_success',
    body: old,
    ...before
  } = outlineOfTask(earlier);
  const { dependsOn: is = [], triggerRule: newRule = 'all_success', body, ...after } = outlineOfTask(now);
  const changes: string[] = [];
  if (list(was) !== list(is)) changes.push(`\`${now.id}\` depends on ${list(is)}, and did on ${list(was)}`);
  if (oldRule !== newRule)
    changes.push(`\`${now.id}\` has the trigger rule \`${newRule}\`, and had \`${oldRule}\``);
  if (showBody(old) !== showBody(body))
    changes.push(`\`${now.id}\` is ${showBody(body)}, and was ${showBody(old)}`);
  return [...changes, ...changesOf(`\`${now.id}\``, flat(before, old), flat(after, body))];
}

/** Changes of settings, which are absent where they have their default. */
function changesOf(owner: string, before: object, now: object): string[] {
  const [was, is] = [new Map(Object.entries(before)), new Map(Object.entries(now))];
  const names = new Set([...was.keys(), ...is.keys()]);
  return [...names]
    .filter((name) => show(was.get(name)) !== show(is.get(name)))
    .map((name) => `${owner} has \`${name}\` ${show(is.get(name))}, and had ${show(was.get(name))}`);
}

function flat(
  { retry, ...rest }: Omit<TaskOutline, 'dependsOn' | 'triggerRule' | 'body'>,
  { concurrency, tolerate }: Partial<BodyOutline> = {},
): object {
  const { maxAttempts, maxElapsedMs } = retry ?? {};
  return {
    'retry.maxAttempts': maxAttempts,
    'retry.maxElapsedMs': maxElapsedMs,
    ...rest,
    concurrency,
    tolerate,
  };
}

function showBody(body: BodyOutline | undefined): string {
  if (body === undefined) return 'no run';
  if (body.kind === 'flow') return 'a run of a flow';
  if (body.kind === 'waitFor') return 'a wait for a value';
  if (body.kind === 'sleep') return 'a sleep';
  return body.flow === undefined ? 'a map' : 'a map of a flow';
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
