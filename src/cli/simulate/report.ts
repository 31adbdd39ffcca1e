import type { Output } from '../io.ts';
import type { Simulation } from './simulate.ts';

/** `{ status, makespanMs, tasks }` as JSON, in definition order whatever the ids are. */
export function printJson({ view, makespanMs, loaded }: Simulation, stdout: Output): void {
  const tasks = loaded.flow.graph.ids.map((id) => {
    const {
      status,
      attempts,
      startedAt = null,
      endedAt = null,
    } = view.tasks[id] as (typeof view.tasks)[string];
    return `    ${JSON.stringify(id)}: ${JSON.stringify({ status, attempts, startedAt, endedAt })}`;
  });
  const head = `  "status": ${JSON.stringify(view.status)},\n  "makespanMs": ${makespanMs},\n`;
  stdout.write(`{\n${head}  "tasks": {${tasks.length === 0 ? '' : `\n${tasks.join(',\n')}\n  `}}\n}\n`);
}
