import { ganttOf } from '../draw/gantt.ts';
import type { Simulation } from './simulate.ts';

/** A simulated run as a Gantt chart, in SVG. */
export function chartOf({ flow, options, view, spans, makespanMs }: Simulation): string {
  const { workers, order = 'fifo' } = options;
  const { graph, name, tasks } = flow.definition;
  const knowsDurations = tasks.some(({ durationMs = 0 }) => durationMs > 0);
  const path = knowsDurations ? graph.criticalPath() : [];
  const by = workers === undefined ? '' : `, ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${order}`;
  return ganttOf({
    title: `${name}${by}`,
    ids: graph.ids,
    view,
    bars: spans,
    makespanMs,
    marked: new Set(path.map((id) => graph.indexOf(id))),
  });
}
