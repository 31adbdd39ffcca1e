import { writeSync } from 'node:fs';
import { createFlow } from 'topple';

/** One body waits, and another holds the thread for ever: in a loop, or as `HOLD` says in a call of the system. */
export const spin = createFlow('spin', { graceMs: 100 })
  .task('first', { perform: () => ({ done: true }) })
  .task('waits', { dependsOn: ['first'], perform: () => new Promise(() => setTimeout(() => {}, 60_000)) })
  .task('spins', {
    dependsOn: ['first'],
    perform: () => {
      if (process.env.RAW) process.stdin.setRawMode(true);
      writeSync(2, 'spinning\n');
      if (process.env.HOLD === 'system') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      for (;;);
    },
  });
