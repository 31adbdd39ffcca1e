import type { FlowDefinition, TaskBody, TaskDefinition } from './definition.ts';
import type { Body, Perform } from './perform.ts';

/** Makes the body that takes the place of another; a function must be replaced by a function. */
export type ReplaceBody = (body: Body, task: Pick<TaskDefinition, 'id' | 'graceMs'>) => Body;

/**
 * Returns a flow in which each body that is no run has been replaced, in its child runs too, at any depth. The body of a
 * map's items is replaced once; it is called with the scope of each item. Inputs of child runs and lists of maps stay.
 */
export function replaceBodies(definition: FlowDefinition, replace: ReplaceBody): FlowDefinition {
  const known = new Map<FlowDefinition, FlowDefinition>();
  return inFlow(definition);

  function inFlow(flow: FlowDefinition): FlowDefinition {
    const made =
      known.get(flow) ?? flow.withBodies(new Map(flow.tasks.map((task) => [task.id, bodyOf(task)])));
    known.set(flow, made);
    return made;
  }

  function bodyOf({ id, graceMs, body }: TaskDefinition): TaskBody {
    if (body.kind === 'flow') return { ...body, flow: inFlow(body.flow) };
    if (body.kind !== 'map') return replace(body, { id, graceMs });
    const { item } = body;
    if (item.body.kind === 'flow')
      return { ...body, item: { ...item, body: { ...item.body, flow: inFlow(item.body.flow) } } };
    // Called with the scope of an item, whatever is around it.
    const perform = item.body.perform as Perform;
    const made = replace({ kind: 'perform', perform }, { id, graceMs: item.graceMs });
    if (made.kind !== 'perform') throw new TypeError(`the items of map \`${id}\` need a function`);
    return { ...body, item: { ...item, body: { kind: 'perform', perform: made.perform } } };
  }
}
