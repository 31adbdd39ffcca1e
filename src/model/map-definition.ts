import { noIds } from './define-task.ts';
import {
  FlowDefinition,
  type MapBody,
  type TaskBody,
  type TaskDefinition,
  type Tolerance,
} from './definition.ts';
import type { ItemScope, PerformScope } from './perform.ts';

/** The number of failed items that a map of this many still accepts; `undefined` if it tries all. */
export function tolerated(tolerate: Tolerance | undefined, count: number): number | undefined {
  return typeof tolerate === 'object' ? Math.floor(tolerate.share * count) : tolerate;
}

/**
 * The flow whose run is a map's child: a task for each item, `0`, `1`, ….
 *
 * @param task the map, in its flow
 * @param scopeOf gives an item's scope the parts that it has from the map
 */
export function defineItems(
  flow: string,
  task: TaskDefinition,
  count: number,
  scopeOf: (scope: PerformScope) => ItemScope,
): FlowDefinition {
  const { item, concurrency, tolerate } = task.body as MapBody;
  const shared: Omit<TaskDefinition, 'id'> = {
    dependsOn: noIds,
    triggerRule: 'all_success',
    retry: item.retry,
    timeoutMs: item.timeoutMs,
    totalTimeoutMs: undefined,
    graceMs: item.graceMs,
    optional: false,
    skippable: item.skippable,
    priority: item.priority,
    pool: item.pool,
    durationMs: item.durationMs,
    output: item.output,
    body: bodyOf(item.body, scopeOf),
  };
  const tasks = Array.from(
    { length: count },
    (_, index): TaskDefinition => ({ id: String(index), ...shared }),
  );
  const name = `${flow}/${task.id}`;
  const hash = item.body.kind === 'flow' ? `map of ${item.body.flow.hash}, ${count}` : `map, ${count}`;
  return new FlowDefinition(name, { concurrency }, tasks, undefined, {
    hash,
    tolerance: tolerated(tolerate, count),
  });
}

function bodyOf(body: MapBody['item']['body'], scopeOf: (scope: PerformScope) => ItemScope): TaskBody {
  if (body.kind === 'perform') return { kind: 'perform', perform: (scope) => body.perform(scopeOf(scope)) };
  const { flow, input = ({ item }) => item } = body;
  return { kind: 'flow', flow, input: (scope) => input(scopeOf(scope)) };
}
