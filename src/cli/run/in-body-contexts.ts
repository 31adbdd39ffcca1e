import { FlowDefinition, isChildBody, type TaskDefinition } from '../../model/definition.ts';
import type { Body } from '../../model/perform.ts';
import { type BodyContext, bodyContext } from './body-context.ts';
import { StrayError } from './stray-error.ts';

/** Returns a flow whose bodies run with their tasks as context, in everything that they call and leave behind. */
export function inBodyContexts({ name, settings, tasks, graph }: FlowDefinition): FlowDefinition {
  const known = tasks.map(
    (task): TaskDefinition => ({
      ...task,
      body: isChildBody(task.body) ? task.body : inContext(task.id, task.body),
    }),
  );
  return new FlowDefinition(name, settings, known, graph);
}

function inContext(taskId: string, body: Body): Body {
  const context: BodyContext = { blame: (error, stray) => new StrayError(taskId, stray, error) };
  if (body.kind === 'perform') {
    const { perform } = body;
    return { ...body, perform: (scope) => bodyContext.run(context, perform, scope) };
  }
  const logic = body.logic as { start?: (...args: unknown[]) => unknown };
  if (logic.start === undefined) return body;
  // Later work of an actor inherits the context of its start.
  const start = (...args: unknown[]): unknown => bodyContext.run(context, () => logic.start?.(...args));
  return { ...body, logic: Object.create(logic, { start: { value: start } }) };
}
