import { existsSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { createFlow } from 'topple';

/** Resolves once the file is there: how a test says when. */
function gate(path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(path), (_, name) => name === basename(path) && open());
    const open = (): void => {
      if (!existsSync(path)) return;
      watcher.close();
      resolve();
    };
    signal.addEventListener('abort', () => {
      watcher.close();
      reject(signal.reason);
    });
    open();
  });
}

const path = process.env.GATE ?? '';

export const gated = createFlow('gated')
  .task('open', { perform: ({ signal }) => gate(path, signal) })
  .task('next', { dependsOn: ['open'], perform: () => 'ran' });
