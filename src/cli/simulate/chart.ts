import { ganttOf } from '../../draw/gantt.ts';
import type { Simulation } from './simulate.ts';

/** A simulated run as a Gantt chart, in SVG. */
export function chartOf({ flow, options, view, spans, makespanMs, bounds }: Simulation): string {
  const { workers, order = 'fifo' } = options;
  const { graph, name } = flow.definition;
  const by = workers === undefined ? '' : `, ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${order}`;
  return ganttOf({
    title: `${name}${by}`,
    ids: graph.ids,
    view,
    spans,
    makespanMs,
    marked: new Set(bounds.lowerMs > 0 ? bounds.path : []),
  });
}
