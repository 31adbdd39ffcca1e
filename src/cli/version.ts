import { readFileSync } from 'node:fs';

/** The version of this package; the manifest is two folders up in the sources and in the build. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

/** The oldest Node that strips types from modules by default. */
const oldestNode = [22, 18] as const;

/** Explains why a version of Node is not supported; `undefined` if it is. */
export function refuseNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return undefined;
  return `needs Node ${oldestNode.join('.')} or newer, but runs on ${version}: install a newer one from https://nodejs.org.`;
}
