// For users of XState: `@xstate/graph` walks the orchestrator of a flow, `flow.machine`, like any other machine.

import { createFlow } from 'topple';
import { getShortestPaths, getSimplePaths, runPathOptions } from 'topple/testing/paths';

const flow = createFlow('tea')
  .task('water', { perform: () => 'hot water' })
  .task('tea', { dependsOn: ['water'], perform: () => 'tea' });

// The events of machines/README.md that an engine may send in each state.
const options = runPathOptions(flow);

const shortest = getShortestPaths(flow.machine, options);
console.log(`${shortest.length} states; the shortest paths to an end:`);
for (const { state, steps } of shortest) {
  if (state.status !== 'done') continue;
  const events = steps
    .slice(1)
    .map(({ event }) => ('status' in event ? `${event.task} ${event.status}` : event.type));
  console.log(`${state.value}: ${events.join(', ')}`);
}
console.log(`${getSimplePaths(flow.machine, options).length} simple paths`);

// Output:
// 25 states; the shortest paths to an end:
// done: run.start, 0 done, 1 done, run.conclude
// failed: run.start, 0 done, 1 failed, run.conclude
// failed: run.start, 0 failed, 1 upstream_failed, run.conclude
// cancelled: run.cancel, 0 cancelled, 1 cancelled, run.conclude
// cancelled: run.start, 0 done, run.cancel, 1 cancelled, run.conclude
// cancelled: run.start, 0 failed, run.cancel, 1 cancelled, run.conclude
// 160 simple paths
