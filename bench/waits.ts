// npm run bench:waits: what a run costs that waits, and one that has a condition.

import { createEngine, createFlow, createMemoryStore } from 'topple';

const runs = 10_000;
const waiting = createFlow('waiting')
  .task('first', { perform: () => 1 })
  .waitFor('value', { dependsOn: ['first'], timeoutMs: 86_400_000 })
  .task('last', { dependsOn: ['value'], perform: () => 2 });
const sleeping = createFlow('sleeping')
  .task('first', { perform: () => 1 })
  .sleep('nap', { dependsOn: ['first'], ms: 86_400_000 })
  .task('last', { dependsOn: ['nap'], perform: () => 2 });

const collect = (globalThis as { readonly gc?: () => void }).gc;
if (collect === undefined) throw new Error('Run this with --expose-gc, as `npm run bench:waits` does');

/** Bytes in use, once all garbage is gone. */
async function bytesUsed(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect?.();
  }
  return process.memoryUsage().heapUsed;
}

console.log('| run | bytes each | timers | starts/s | deliveries/s |');
console.log('| --- | ---: | ---: | ---: | ---: |');
for (const flow of [waiting, sleeping]) {
  let timers = 0;
  const engine = createEngine({
    store: createMemoryStore(),
    clock: {
      setTimeout: (callback, ms) => {
        timers++;
        return setTimeout(() => {
          timers--;
          callback();
        }, ms);
      },
      clearTimeout: (id) => {
        timers--;
        clearTimeout(id as ReturnType<typeof setTimeout>);
      },
    },
  });
  // What is loaded and compiled with the first is not counted.
  await (await engine.start(flow)).cancel();
  const before = await bytesUsed();
  const beganAt = performance.now();
  const ids: string[] = [];
  for (let run = 0; run < runs; run++) ids.push((await engine.start(flow)).id);
  const startsMs = performance.now() - beganAt;
  const each = ((await bytesUsed()) - before) / runs;
  const timersSet = timers;
  const deliveredAt = performance.now();
  if (flow === waiting) await Promise.all(ids.map((id) => engine.deliver(id, 'value', 1)));
  const deliveriesMs = performance.now() - deliveredAt;
  const perSecond = (ms: number): number => Math.round((runs / ms) * 1_000);
  console.log(
    `| ${flow.name} | ${Math.round(each)} | ${timersSet} | ${perSecond(startsMs)} | ${flow === waiting ? perSecond(deliveriesMs) : ''} |`,
  );
  await engine.stop();
}
