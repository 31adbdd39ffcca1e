import { noIds } from './define-task.ts';
import {
  FlowDefinition,
  type MapBody,
  type TaskBody,
  type TaskDefinition,
  type Tolerance,
} from './definition.ts';
import { Graph } from './graph.ts';
import { itemRows } from './item-rows.ts';
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
  const body = bodyOf(item.body, scopeOf);
  const rows = itemRows(count);
  // All fields, in the order of any other task's: an engine whose tasks have one shape is faster.
  const tasks = rows.ids.map(
    (id): TaskDefinition => ({
      id,
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
      when: undefined,
      body,
    }),
  );
  const name = `${flow}/${task.id}`;
  const hash = item.body.kind === 'flow' ? `map of ${item.body.flow.hash}, ${count}` : `map, ${count}`;
  const { durationMs } = item;
  const durations = durationMs === undefined ? undefined : new Float64Array(count).fill(durationMs);
  return new FlowDefinition(name, { concurrency }, tasks, new Graph(name, rows, durations), {
    hash,
    tolerance: tolerated(tolerate, count),
  });
}

function bodyOf(body: MapBody['item']['body'], scopeOf: (scope: PerformScope) => ItemScope): TaskBody {
  if (body.kind === 'perform') return { kind: 'perform', perform: (scope) => body.perform(scopeOf(scope)) };
  const { flow, input = ({ item }) => item } = body;
  return { kind: 'flow', flow, input: (scope) => input(scopeOf(scope)) };
}
