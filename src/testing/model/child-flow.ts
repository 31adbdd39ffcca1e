import {
  type ChildBody,
  type FlowDefinition,
  isChildBody,
  type MapBody,
  type TaskDefinition,
  type Tolerance,
} from '../../model/definition.ts';
import { defineItems } from '../../model/map-definition.ts';

/** A run that a task's child can be: of its flow, or of so many items of its map. */
export interface ChildFlow {
  readonly definition: FlowDefinition;
  /** The length of the map's list; `undefined` for the run of a flow. */
  readonly items: number | undefined;
}

/** A map tolerates at most so many failures where it is explored: more would only repeat the same. */
const mostTolerated = 4;

/** The longest list of a map whose tolerance is a share. */
const mostItems = 10;

/** Whether a task's body is a run; such a task holds no slot. */
export function hasChild({ body }: TaskDefinition): boolean {
  return isChildBody(body);
}

/**
 * The runs that stand for all that a task's child can be. A map's are those of 0, 1 and 3 items, and of as many as
 * exceed its tolerance; empty for a task without a child.
 *
 * @param items default: the lengths of lists by which a map is explored
 */
export function childFlowsOf(
  { name, tasks }: FlowDefinition,
  task: number,
  items?: number,
): readonly ChildFlow[] {
  const definition = tasks[task] as TaskDefinition;
  const { body } = definition;
  if (!isChildBody(body)) return [];
  if (body.kind === 'flow') return [{ definition: body.flow, items: undefined }];
  const counts = items === undefined ? countsOf(body) : [items];
  return counts.map((count) => ({ definition: itemsOf(name, definition, count), items: count }));
}

/** The run of a map's items as it is explored: with a tolerance that a few failures exceed. */
function itemsOf(flow: string, task: TaskDefinition, items: number): FlowDefinition {
  const body = { ...(task.body as MapBody), tolerate: exploredTolerance(task.body as MapBody) };
  return defineItems(flow, { ...task, body }, items, (scope) => scope as never);
}

/** The tolerance with which a map is explored: its own, or one that the lists explored can exceed. */
export function exploredTolerance({ tolerate }: MapBody): Tolerance | undefined {
  if (typeof tolerate === 'number') return Math.min(tolerate, mostTolerated);
  if (tolerate === undefined || tolerate.share === 0) return tolerate;
  return { share: Math.max(tolerate.share, 1 / mostItems) };
}

/** Whether a map is explored with another tolerance than it has. */
export function isToleranceCut(body: ChildBody): boolean {
  if (body.kind === 'flow') return false;
  return JSON.stringify(exploredTolerance(body)) !== JSON.stringify(body.tolerate);
}

/** The lengths of lists by which a map is explored. */
function countsOf(body: MapBody): readonly number[] {
  const { tolerate } = body;
  const counts = new Set([0, 1, 3]);
  // With one item more, the failures that exceed it end the map early.
  if (typeof tolerate === 'number')
    for (const more of [1, 2]) counts.add(Math.min(tolerate, mostTolerated) + more);
  // The shortest list of which one failure is tolerated, and two are not.
  else if (tolerate !== undefined && tolerate.share > 0)
    counts.add(Math.max(2, Math.min(Math.ceil(1 / tolerate.share), mostItems)));
  return [...counts].sort((a, b) => a - b);
}
