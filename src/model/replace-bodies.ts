import { type FlowDefinition, isWaitBody, type TaskBody, type TaskDefinition } from './definition.ts';
import type { Body, Perform, PerformScope } from './perform.ts';

/** Makes the body that takes the place of another; a function must be replaced by a function. */
export type ReplaceBody = (body: Body, task: Pick<TaskDefinition, 'id' | 'graceMs'>) => Body;

/** What makes the input of a child run, or the list of a map. */
export type MakeInput = (scope: PerformScope) => unknown;

/**
 * Returns a flow in which each body that is no run has been replaced, in its child runs too, at any depth. The body of a
 * map's items is replaced once; it is called with the scope of each item.
 *
 * @param replaceInput takes the place of what makes inputs of child runs and lists of maps. Default: these stay
 */
export function replaceBodies(
  definition: FlowDefinition,
  replace: ReplaceBody,
  replaceInput: (make: MakeInput) => MakeInput = (make) => make,
): FlowDefinition {
  const known = new Map<FlowDefinition, FlowDefinition>();
  return inFlow(definition);

  function inFlow(flow: FlowDefinition): FlowDefinition {
    const made =
      known.get(flow) ?? flow.withBodies(new Map(flow.tasks.map((task) => [task.id, bodyOf(task)])));
    known.set(flow, made);
    return made;
  }

  function bodyOf({ id, graceMs, body }: TaskDefinition): TaskBody {
    if (body.kind === 'flow')
      return { ...body, flow: inFlow(body.flow), input: body.input && replaceInput(body.input) };
    if (isWaitBody(body)) return body;
    if (body.kind !== 'map') return replace(body, { id, graceMs });
    const { item } = body;
    const over = replaceInput(body.over);
    if (item.body.kind === 'flow') {
      const { flow, input } = item.body;
      const inner = { ...item.body, flow: inFlow(flow), input: input && replaceInput(input as MakeInput) };
      return { ...body, over, item: { ...item, body: inner } };
    }
    // Called with the scope of an item, whatever is around it.
    const perform = item.body.perform as Perform;
    const made = replace({ kind: 'perform', perform }, { id, graceMs: item.graceMs });
    if (made.kind !== 'perform') throw new TypeError(`the items of map \`${id}\` need a function`);
    return { ...body, over, item: { ...item, body: { kind: 'perform', perform: made.perform } } };
  }
}
