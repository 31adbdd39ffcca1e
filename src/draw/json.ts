import { assignLayers } from './layers.ts';
import type { Picture, PictureWait } from './picture.ts';

/** Writes a flow as a graph file, which `simulate` and `graph` can read; `meta` has what only a picture has. */
export function jsonOf(picture: Picture): string {
  const { name, pools, flows } = picture;
  const slots = Object.keys(pools).length === 0 ? '' : `  "pools": ${JSON.stringify(pools)},\n`;
  const inner = Array.from(flows, ([flow, each]) => {
    const own = Object.keys(each.pools).length === 0 ? '' : ` "pools": ${JSON.stringify(each.pools)},`;
    return `    ${JSON.stringify(flow)}: {${own} "tasks": ${tasksOf(each, '      ')} }`;
  });
  const below = inner.length === 0 ? '' : `  "flows": {\n${inner.join(',\n')}\n  },\n`;
  return `{\n  "name": ${JSON.stringify(name)},\n${slots}${below}  "tasks": ${tasksOf(picture, '    ')}\n}\n`;
}

function tasksOf({ tasks, dependsOn, pools }: Picture, indent: string): string {
  const layers = assignLayers(dependsOn);
  const lines = tasks.map(
    ({ id, durationMs, triggerRule, optional, priority, pool, status, child, wait, asks, undo }, index) => {
      const isSleep = wait?.kind === 'sleep';
      const task = {
        dependsOn: dependsOn[index]?.map((other) => tasks[other]?.id),
        durationMs: child?.flow === undefined && !isSleep ? durationMs : undefined,
        sleep: isSleep ? (wait.ms ?? durationMs ?? 0) : undefined,
        waitFor: wait?.kind === 'waitFor' ? waitForOf(wait) : undefined,
        timeoutMs: wait?.kind === 'waitFor' ? wait.ms : undefined,
        when: asks,
        compensate: undo === 'started' ? { after: undo } : undo === undefined ? undefined : true,
        flow: child?.flow,
        map: child?.isMap === true ? { count: child.count ?? 1 } : undefined,
        concurrency: child?.concurrency,
        tolerate: child?.tolerate,
        triggerRule: triggerRule === 'all_success' ? undefined : triggerRule,
        optional: optional || undefined,
        priority: priority === 0 ? undefined : priority,
        pool: pool !== undefined && Object.hasOwn(pools, pool) ? pool : undefined,
        meta: { column: layers[index], status },
      };
      return `${indent}${JSON.stringify(id)}: ${JSON.stringify(task)}`;
    },
  );
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent.slice(2)}}`;
}

/** `true` for a wait that fails where its time is over, as is the default. */
function waitForOf({ onTimeout = 'fail' }: PictureWait): true | Pick<PictureWait, 'onTimeout'> {
  return onTimeout === 'fail' ? true : { onTimeout };
}
