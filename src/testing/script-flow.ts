import { definitionOf, flowOf } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import { badOption } from '../model/check.ts';
import { taskIdOf } from '../model/child-id.ts';
import { defineBody } from '../model/define-task.ts';
import { type FlowDefinition, isChildBody, type TaskBody, type TaskDefinition } from '../model/definition.ts';
import { unknownTask } from '../model/graph-check.ts';

/** Bodies by task; of a child run after the tasks whose child it is: `publish/upload`. A map's body is that of each item. */
export type ScriptedBodies = Readonly<Record<string, object>>;

/**
 * The same flow with other bodies, in its child runs too.
 *
 * @param bodies by path, such as `publish/upload`; a slash in the id of a task is written `%2F`
 * @throws FlowError for a path that no task has, and for a body that is none
 */
export function scriptFlow<Flow extends AnyFlow>(flow: Flow, bodies: ScriptedBodies): Flow {
  const paths = Object.entries(bodies).map(([path, body]): Scripted => [path.split('/').map(taskIdOf), body]);
  // Bodies have no types here: they stand for those of the flow.
  return flowOf(scripted(definitionOf(flow), paths)) as unknown as Flow;
}

type Scripted = readonly [path: readonly string[], body: object];

function scripted(definition: FlowDefinition, bodies: readonly Scripted[]): FlowDefinition {
  const { name, graph, tasks } = definition;
  const given = new Map<string, TaskBody>();
  for (const [[id = '']] of bodies) if (graph.indexOf(id) < 0) throw unknownTask(name, id, graph.ids);
  for (const task of tasks) {
    const own = bodies.filter(([[id]]) => id === task.id);
    if (own.length > 0) given.set(task.id, bodyOf(name, task, own));
  }
  return definition.withBodies(given);
}

function bodyOf(flow: string, { id, body }: TaskDefinition, bodies: readonly Scripted[]): TaskBody {
  const [whole] = bodies.flatMap(([path, one]) => (path.length === 1 ? [one] : []));
  const inside = bodies.flatMap(([path, one]): Scripted[] => (path.length > 1 ? [[path.slice(1), one]] : []));
  if (!isChildBody(body)) {
    checkNothingInside(flow, id, inside);
    return defineBody(flow, id, whole as object);
  }
  if (body.kind === 'flow') {
    if (whole !== undefined)
      throw badOption(
        { option: 'bodies', taskId: id, flow },
        'of the tasks of its flow, since its body is a run',
        whole,
      );
    return { ...body, flow: scripted(body.flow, inside) };
  }
  const { item } = body;
  if (item.body.kind === 'flow' && whole === undefined)
    return { ...body, item: { ...item, body: { ...item.body, flow: scripted(item.body.flow, inside) } } };
  checkNothingInside(flow, id, inside);
  const made = defineBody(flow, id, whole as object);
  if (made.kind !== 'perform')
    throw badOption({ option: 'bodies', taskId: id, flow }, 'a body with a `perform`, for each item', whole);
  return { ...body, item: { ...item, body: made } };
}

function checkNothingInside(flow: string, id: string, [first]: readonly Scripted[]): void {
  if (first !== undefined) throw unknownTask(`${flow}/${id}`, String(first[0][0]), []);
}
