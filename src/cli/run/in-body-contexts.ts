import type { FlowDefinition } from '../../model/definition.ts';
import type { Body } from '../../model/perform.ts';
import { type MakeInput, replaceBodies } from '../../model/replace-bodies.ts';
import { taskPath } from '../../model/task-path.ts';
import { type BodyContext, bodyContext } from './body-context.ts';
import { StrayError } from './stray-error.ts';

/**
 * Returns a flow whose bodies run with their tasks as context, in everything that they call and leave behind; those of
 * its child runs too, and what makes the inputs of these and the lists of maps.
 */
export function inBodyContexts(definition: FlowDefinition): FlowDefinition {
  return replaceBodies(definition, (body, { id }) => inContext(id, body), performInContext);
}

function inContext(taskId: string, body: Body): Body {
  if (body.kind === 'perform') {
    return { ...body, perform: performInContext(body.perform) };
  }
  const logic = body.logic as { start?: (...args: unknown[]) => unknown };
  if (logic.start === undefined) return body;
  // Later work of an actor inherits the context of its start.
  const context = contextOf(() => taskId);
  const start = (...args: unknown[]): unknown => bodyContext.run(context, () => logic.start?.(...args));
  return { ...body, logic: Object.create(logic, { start: { value: start } }) };
}

function performInContext(perform: MakeInput): MakeInput {
  return (scope) => {
    const { runId, taskId } = scope;
    return bodyContext.run(
      contextOf(() => taskPath(runId, taskId)),
      perform,
      scope,
    );
  };
}

function contextOf(nameOf: () => string): BodyContext {
  return { blame: (error, stray) => new StrayError(nameOf(), stray, error) };
}
