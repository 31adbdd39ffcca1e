// A runs before B and C, which run in parallel; D runs after B.

import { createEngine, createFlow } from 'topple';
import { createVirtualClock } from 'topple/testing';

const clock = createVirtualClock();

const flow = createFlow('article')
  .task('A', { perform: () => clock.sleep(100) })
  .task('B', { dependsOn: ['A'], perform: () => clock.sleep(200) })
  .task('C', { dependsOn: ['A'], perform: () => clock.sleep(300) })
  .task('D', { dependsOn: ['B'], perform: () => clock.sleep(50) });

const { graph } = flow;
const layers = graph.layers().map((ids) => ids.join(' '));
console.log(`order: ${graph.order().join(' ')}   layers: ${layers.join(' | ')}`);

const engine = createEngine({ clock });
const run = await engine.start(flow);
const view = await clock.run(run.settled());

for (const [id, { startedAt = 0, endedAt = 0 }] of Object.entries(view.tasks)) {
  const bar = ' '.repeat(startedAt / 25) + '█'.repeat((endedAt - startedAt) / 25);
  console.log(`${id} ${bar} ${startedAt}–${endedAt} ms`);
}

// Output:
// order: A B C D   layers: A | B C | D
// A ████ 0–100 ms
// B     ████████ 100–300 ms
// C     ████████████ 100–400 ms
// D             ██ 300–350 ms
