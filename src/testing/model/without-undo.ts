import { FlowDefinition, isChildBody, type TaskBody, type TaskDefinition } from '../../model/definition.ts';

/** The same flow without undo, which the model does not look at: in its child runs too. */
export function withoutUndo(definition: FlowDefinition): FlowDefinition {
  if (!definition.hasUndo) return definition;
  const { name, settings, tasks, graph } = definition;
  const without = tasks.map(
    (task): TaskDefinition => ({ ...task, compensate: undefined, body: bodyWithout(task.body) }),
  );
  return new FlowDefinition(name, settings, without, graph);
}

function bodyWithout(body: TaskBody): TaskBody {
  if (!isChildBody(body)) return body;
  if (body.kind === 'flow') return { ...body, flow: withoutUndo(body.flow) };
  const { item } = body;
  const inner = item.body.kind === 'flow' ? { ...item.body, flow: withoutUndo(item.body.flow) } : item.body;
  return { ...body, item: { ...item, compensate: undefined, body: inner } };
}
