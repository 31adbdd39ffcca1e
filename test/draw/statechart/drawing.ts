import type { Machine } from '../../../src/draw/machine.ts';
import { layOutChart } from '../../../src/draw/statechart/layout.ts';
import { paintChart } from '../../../src/draw/statechart/paint.ts';
import { type Measured, measurePicture } from './measured-picture.ts';

/** A painted chart as measured, and the sizes that it was made from. */
export interface Drawing extends Pick<Measured, 'paths'> {
  readonly machine: Machine;
  /** By state. */
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  /** By state: the height of its text. */
  readonly headHeights: readonly number[];
  readonly edges: readonly {
    readonly source: number;
    readonly target: number;
    readonly label: { readonly width: number; readonly height: number } | undefined;
  }[];
}

/** Lays out and paints a machine. */
export function drawingOf(machine: Machine): Drawing {
  const layout = layOutChart(machine);
  return {
    machine,
    sizes: layout.states.map(({ width, height }) => ({ width, height })),
    headHeights: layout.states.map(({ text }) => text.height),
    edges: layout.edges.map(({ edge, label }) => ({ source: edge.source, target: edge.target, label })),
    get paths() {
      return measurePicture(paintChart(layout)).paths;
    },
  };
}
