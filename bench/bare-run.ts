// node bench/bare-run.ts GRAPH.json CONCURRENCY: runs a graph on the engine, without showing anything.

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createFlowFromGraph } from 'topple';

const [, , file = '', concurrency] = process.argv;
const graph = JSON.parse(readFileSync(file, 'utf8'));
const flow = createFlowFromGraph(graph, async ({ taskId }) => {
  const { duration } = graph.tasks[taskId];
  if (duration > 0) await wait(duration);
});
const run = await flow.start(undefined, { concurrency: Number(concurrency) });
const { status } = await run.settled();
process.exit(status === 'done' ? 0 : 1);
