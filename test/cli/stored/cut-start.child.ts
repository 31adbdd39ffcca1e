// Starts a run as `topple run --store` does, and is killed once the run is kept, before its module is.

import type { Io } from '../../../src/cli/io.ts';
import { withStore } from '../../../src/cli/stored/open-store.ts';
import { keepingModules } from '../../../src/cli/stored/store-with.ts';
import { createEngine, createFlowFromGraph } from '../../../src/index.ts';

const [file = ''] = process.argv.slice(2);
const io = {
  env: {},
  stderr: process.stderr,
  // Asked for when the path of the module is made.
  get cwd(): string {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('It goes on');
  },
} as unknown as Io;
const opening = { env: {}, cwd: '/' } as Io;

await withStore(file, 'create', opening, async (open) => {
  const store = keepingModules(open, { file: 'chain.json', flow: 'chain' }, io);
  const tasks = [{ id: 'a' }, { id: 'b', dependsOn: ['a'] }, { id: 'c', dependsOn: ['b'] }];
  const flow = createFlowFromGraph({ name: 'chain', tasks }, () => console.log('a body was called'));
  await createEngine({ store }).start(flow, undefined, { id: 'r1' });
});
