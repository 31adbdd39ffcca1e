import {
  canUndo,
  FlowDefinition,
  isChildBody,
  type TaskBody,
  type TaskDefinition,
} from '../../model/definition.ts';
import type { UndoDefinition } from '../../model/undo.ts';

/** The same flow with as much undo as the model looks at: of its own tasks, with one attempt each. */
export function withExploredUndo(definition: FlowDefinition): FlowDefinition {
  return withUndo(definition, exploredUndo);
}

/** Whether anything in child runs of a flow can be undone. */
export function hasUndoBelow({ tasks }: FlowDefinition): boolean {
  return tasks.some((task) => isChildBody(task.body) && canUndo(task));
}

/** An undo as it is explored: with one attempt, and without a limit. */
function exploredUndo(undo: UndoDefinition | undefined): UndoDefinition | undefined {
  return undo && { ...undo, retry: undefined, timeoutMs: undefined };
}

function withUndo(
  definition: FlowDefinition,
  undoOf: (undo: UndoDefinition | undefined) => UndoDefinition | undefined,
): FlowDefinition {
  if (!definition.hasUndo) return definition;
  const { name, settings, tasks, graph } = definition;
  const explored = tasks.map(
    (task): TaskDefinition => ({
      ...task,
      compensate: undoOf(task.compensate),
      body: bodyWithout(task.body),
    }),
  );
  return new FlowDefinition(name, settings, explored, graph);
}

function withoutUndo(definition: FlowDefinition): FlowDefinition {
  return withUndo(definition, () => undefined);
}

function bodyWithout(body: TaskBody): TaskBody {
  if (!isChildBody(body)) return body;
  if (body.kind === 'flow') return { ...body, flow: withoutUndo(body.flow) };
  const { item } = body;
  const inner = item.body.kind === 'flow' ? { ...item.body, flow: withoutUndo(item.body.flow) } : item.body;
  return { ...body, item: { ...item, compensate: undefined, body: inner } };
}
