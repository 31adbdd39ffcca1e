import { badOption, checkKeys } from './check.ts';
import { type ChildTaskOptions, replaceParts } from './define-child.ts';
import { defineBody } from './define-task.ts';
import { type FlowDefinition, isChildBody, type TaskBody, type TaskDefinition } from './definition.ts';
import { unknownTask } from './graph-check.ts';
import { readUndo, type UndoDefinition } from './undo.ts';

/**
 * Returns a flow with other bodies, by task id: `{ perform }`, `{ actor, input }`; for a run of a flow also
 * `{ flow, input }`, or `{ tasks }` with bodies for that flow's tasks; for a map `{ over, perform, input }`, or `{ tasks }`
 * if its items are runs of a flow.
 *
 * @throws FlowError for an unknown task or an invalid body
 */
export function provideBodies(definition: FlowDefinition, bodies: unknown): FlowDefinition {
  const { name, graph, tasks } = definition;
  if (typeof bodies !== 'object' || bodies === null || bodies instanceof Map)
    throw badOption({ option: 'bodies', flow: name }, 'an object of bodies by task id', bodies);
  const given = new Map<string, TaskBody>();
  const undos = new Map<string, UndoDefinition | undefined>();
  for (const [id, body] of Object.entries(bodies)) {
    const index = graph.indexOf(id);
    if (index < 0) throw unknownTask(name, id, graph.ids);
    if (body === undefined) continue;
    const task = tasks[index] as TaskDefinition;
    given.set(id, bodyFor(name, task, body));
    if (!isChildBody(task.body))
      undos.set(id, readUndo({ option: 'compensate', taskId: id, flow: name }, body?.compensate));
  }
  return definition.withBodies(given, undos);
}

function bodyFor(flow: string, { id, body }: TaskDefinition, given: ProvidedParts): TaskBody {
  const parts = given ?? {};
  if (!isChildBody(body)) return defineBody(flow, id, parts);
  if (parts.tasks !== undefined) return insideOf(flow, id, body, parts);
  if (body.kind === 'flow' && (parts.perform !== undefined || parts.actor !== undefined))
    return defineBody(flow, id, parts);
  checkKeys({ option: 'bodies', taskId: id, flow }, given, body.kind === 'flow' ? flowParts : mapParts);
  if (body.kind === 'map' && parts.over === undefined && parts.perform === undefined)
    throw badOption(
      { option: 'bodies', taskId: id, flow },
      'an object with `perform`, `over` or `tasks`',
      given,
    );
  return replaceParts(flow, id, body, parts);
}

type ProvidedParts = ChildTaskOptions & { readonly tasks?: unknown };

const flowParts: ReadonlySet<string> = new Set(['flow', 'input', 'tasks', 'perform', 'actor']);
const mapParts: ReadonlySet<string> = new Set(['over', 'perform', 'input', 'tasks', 'compensate']);

/** The same run, with other bodies inside its flow. */
function insideOf(
  flow: string,
  id: string,
  body: Extract<TaskBody, { kind: 'flow' | 'map' }>,
  parts: ProvidedParts,
): TaskBody {
  const place = { option: 'bodies', taskId: id, flow };
  checkKeys(place, parts, onlyTasks);
  if (body.kind === 'flow') return { ...body, flow: provideBodies(body.flow, parts.tasks) };
  const { item } = body;
  if (item.body.kind !== 'flow')
    throw badOption(place, '`{ perform }` or `{ over }`, since its items are no runs of a flow', parts);
  const inner = { ...item.body, flow: provideBodies(item.body.flow, parts.tasks) };
  return { ...body, item: { ...item, body: inner } };
}

const onlyTasks: ReadonlySet<string> = new Set(['tasks']);
