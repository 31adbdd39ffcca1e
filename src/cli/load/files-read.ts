import { dirname, join } from 'node:path';
import { tellLoaded } from './tell-loaded.ts';

/** Files above a module that say how it is loaded, or checked. */
const settings = ['package.json', 'tsconfig.json'];

/**
 * Adds each module that is loaded from now on, packages aside, and the settings in the folders above it, until the
 * returned function is called. Such a file need not be there.
 */
export function addFilesRead(files: Set<string>): () => void {
  return tellLoaded((path) => {
    files.add(path);
    let folder = dirname(path);
    while (!files.has(join(folder, 'package.json'))) {
      for (const name of settings) files.add(join(folder, name));
      folder = dirname(folder);
    }
  });
}
