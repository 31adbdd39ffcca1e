// The script of the statecharts: apart from the page's, which loads it when the first chart is looked at.

import type { Machine } from '../../../draw/machine.ts';
import { layOutChart } from '../../../draw/statechart/layout.ts';
import { paintTrail } from '../../../draw/statechart/trail.ts';

/** The machines of tasks and of runs, put in by the build. */
declare const MACHINES: readonly [task: Machine, orchestrator: Machine];

const [task, orchestrator] = MACHINES;
globalThis.toppleCharts = {
  task: layOutChart(task, { actions: false }),
  orchestrator: layOutChart(orchestrator, { actions: false }),
  paint: paintTrail,
};
