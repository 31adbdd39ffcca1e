import { dirname, join } from 'node:path';
import { tellLoaded } from './tell-loaded.ts';

/** Files above a module that affect how it is loaded or checked. */
const settings = ['package.json', 'tsconfig.json'];

/**
 * Adds each module loaded from now on, except those of packages, and the settings files in the folders above it, until
 * the returned function is called. The settings files need not exist.
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
