import type { ChildPlace } from './child-id.ts';
import { type FlowDefinition, isChildBody, type TaskDefinition } from './definition.ts';
import { defineItems } from './map-definition.ts';
import { defineUndo, type UndoInput } from './undo-flow.ts';

/** The definition of a task's child run, to read its journal with: the bodies of a map's items are not called. */
export function childDefinition(
  parent: FlowDefinition,
  taskId: string,
  input: unknown,
): FlowDefinition | undefined {
  const task = parent.tasks[parent.graph.indexOf(taskId)];
  return task === undefined ? undefined : definitionOf(parent, task, Array.isArray(input) ? input.length : 0);
}

/** The definition of a child run by its place in the tree of a root; `undefined` if the root's flow has no such place. */
export function definitionAt(
  root: FlowDefinition,
  path: readonly ChildPlace[],
  input: unknown,
): FlowDefinition | undefined {
  let definition: FlowDefinition | undefined = path.length > 0 ? root : undefined;
  for (let depth = 0; depth < path.length && definition !== undefined; depth++) {
    const { taskId, isUndo } = path[depth] as ChildPlace;
    if (isUndo) return undoOf(definition, input);
    const next = path[depth + 1];
    const task: TaskDefinition | undefined = definition.tasks[definition.graph.indexOf(taskId)];
    const last = Array.isArray(input) ? input.length : 0;
    // On the way only one item of a map matters.
    const count = next === undefined ? last : next.isUndo ? undoneItems(input) : Number(next.taskId) + 1;
    definition = task && definitionOf(definition, task, Number.isSafeInteger(count) ? count : 0);
  }
  return definition;
}

/** The flow that undoes a run, to read its journal with. */
function undoOf(definition: FlowDefinition, input: unknown): FlowDefinition {
  const perform = (): void => {};
  return defineUndo(definition, tasksIn(input), {
    performFor: () => perform,
    bodyFor: () => ({ kind: 'perform', perform }),
  });
}

/** How many items a map has at least if these are undone. */
function undoneItems(input: unknown): number {
  return Math.max(0, ...tasksIn(input).map(Number)) + 1;
}

function tasksIn(input: unknown): readonly string[] {
  const { tasks } = (input ?? {}) as Partial<UndoInput>;
  return Array.isArray(tasks) ? tasks : [];
}

function definitionOf(
  parent: FlowDefinition,
  task: TaskDefinition,
  count: number,
): FlowDefinition | undefined {
  if (!isChildBody(task.body)) return undefined;
  if (task.body.kind === 'flow') return task.body.flow;
  return defineItems(parent.name, task, count, (scope) => scope as never);
}
