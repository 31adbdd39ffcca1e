import type { ChartLayout } from '../../../draw/statechart/layout.ts';
import type { MachineTrail } from '../../../draw/statechart/trail.ts';

/** What the script of the statecharts offers. */
export interface Charts {
  readonly task: ChartLayout;
  readonly orchestrator: ChartLayout;
  /** Paints a chart as elements of an SVG. */
  readonly paint: (chart: ChartLayout, trail: MachineTrail) => readonly string[];
}

declare global {
  var toppleCharts: Charts | undefined;
}

let loading: Promise<Charts> | undefined;

/** Loads the script of the statecharts, once. An exported file has it in itself. */
export function loadCharts(): Promise<Charts> {
  loading ??= new Promise((resolve, reject) => {
    if (globalThis.toppleCharts !== undefined) return resolve(globalThis.toppleCharts);
    const script = document.createElement('script');
    script.src = './assets/charts.js';
    script.addEventListener('load', () => resolve(globalThis.toppleCharts as Charts));
    script.addEventListener('error', () => {
      loading = undefined;
      script.remove();
      reject(new Error('The inspector does not answer.'));
    });
    document.head.append(script);
  });
  return loading;
}
