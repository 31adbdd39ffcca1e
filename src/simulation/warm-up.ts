import { createEngine, createFlow } from '../index.ts';

let isWarm = false;

/** Loads what engines load when they first need it: later that would take real time. */
export async function warmUp(): Promise<void> {
  if (isWarm) return;
  isWarm = true;
  const engine = createEngine();
  const inner = createFlow('inner').task('done', { perform: () => {} });
  const flow = createFlow('warm-up')
    .flow('child', { flow: inner })
    .map('map', { over: () => [1], perform: () => {} });
  const run = await engine.start(flow);
  await run.settled();
  await engine.recover([flow]);
  await engine.run(run.id);
  await engine.stop();
}
