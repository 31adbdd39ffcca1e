import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import type { TaskScript } from '../load/script.ts';

/** How long tasks of a module take that say nothing of it, and how many items its maps have. */
export interface Defaults {
  readonly durationMs: number;
  readonly items: number;
}

/** The scripts of a module's flow, whose bodies are not called. */
export function scriptsOf({ tasks }: FlowDefinition, defaults: Defaults): Map<string, TaskScript> {
  return new Map(tasks.map((task) => [task.id, scriptOf(task, defaults)]));
}

function scriptOf({ body, durationMs }: TaskDefinition, defaults: Defaults): TaskScript {
  const plain = (ms = defaults.durationMs): TaskScript => ({ durationMs: ms, fails: 0, skips: false });
  if (body.kind === 'flow') return { ...plain(0), child: scriptsOf(body.flow, defaults) };
  if (body.kind !== 'map') return plain(durationMs);
  const { item } = body;
  const each = plain(item.durationMs);
  const items = new Array<TaskScript>(defaults.items).fill(each);
  const child = item.body.kind === 'flow' ? scriptsOf(item.body.flow, defaults) : undefined;
  return { ...each, items, child };
}
