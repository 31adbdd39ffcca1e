import { assignLayers } from './layers.ts';
import type { Picture } from './picture.ts';

/** Writes a flow as a graph file, which `simulate` and `graph` can read; `meta` has what only a picture has. */
export function jsonOf({ name, tasks, dependsOn, pools }: Picture): string {
  const layers = assignLayers(dependsOn);
  const lines = tasks.map(({ id, durationMs, triggerRule, optional, priority, pool, status }, index) => {
    const task = {
      dependsOn: dependsOn[index]?.map((other) => tasks[other]?.id),
      durationMs,
      triggerRule: triggerRule === 'all_success' ? undefined : triggerRule,
      optional: optional || undefined,
      priority: priority === 0 ? undefined : priority,
      pool: pool !== undefined && Object.hasOwn(pools, pool) ? pool : undefined,
      meta: { column: layers[index], status },
    };
    return `    ${JSON.stringify(id)}: ${JSON.stringify(task)}`;
  });
  const body = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  const slots = Object.keys(pools).length === 0 ? '' : `  "pools": ${JSON.stringify(pools)},\n`;
  return `{\n  "name": ${JSON.stringify(name)},\n${slots}  "tasks": ${body}\n}\n`;
}
