import type { ChildPlace } from './child-id.ts';
import { type FlowDefinition, isChildBody } from './definition.ts';
import { isItemId } from './item-rows.ts';
import { defineItems } from './map-definition.ts';

/** The definition of a task's child run, to read its journal with: the bodies of a map's items are not called. */
export function childDefinition(
  parent: FlowDefinition,
  taskId: string,
  input: unknown,
): FlowDefinition | undefined {
  const task = parent.tasks[parent.graph.indexOf(taskId)];
  if (task === undefined || !isChildBody(task.body)) return undefined;
  if (task.body.kind === 'flow') return task.body.flow;
  return defineItems(parent.name, task, Array.isArray(input) ? input.length : 0, (scope) => scope as never);
}

/**
 * The definition of a child run by its place in the tree of a root; `undefined` if the root's flow has no such place.
 * It makes the items of a map only where the map's own run is asked for: on the way, all items of a map have one flow.
 */
export function definitionAt(
  root: FlowDefinition,
  path: readonly ChildPlace[],
  input: unknown,
): FlowDefinition | undefined {
  let definition: FlowDefinition | undefined = path.length > 0 ? root : undefined;
  for (let depth = 0; depth < path.length && definition !== undefined; depth++) {
    const { taskId } = path[depth] as ChildPlace;
    const next = path[depth + 1];
    const ofItem: FlowDefinition | undefined = next && itemFlow(definition, taskId, next.taskId);
    definition = ofItem ?? childDefinition(definition, taskId, next === undefined ? input : undefined);
    if (ofItem !== undefined) depth++;
  }
  return definition;
}

/** The flow that is run for an item of a map. */
function itemFlow(parent: FlowDefinition, taskId: string, item: string): FlowDefinition | undefined {
  const body = parent.tasks[parent.graph.indexOf(taskId)]?.body;
  if (body?.kind !== 'map' || body.item.body.kind !== 'flow' || !isItemId(item)) return undefined;
  return body.item.body.flow;
}
