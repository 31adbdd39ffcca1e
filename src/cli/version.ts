import { readFileSync } from 'node:fs';

/** Of the package that this file belongs to: the manifest is two folders up in the sources and in the build. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
