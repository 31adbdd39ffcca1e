import { readFileSync } from 'node:fs';

/** Of the package that this file belongs to: the manifest is two folders up in the sources and in the build. */
export function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

/** The oldest Node that takes types out of modules without being asked to. */
const oldestNode = [22, 18] as const;

/** Why this version of Node will not do; `undefined` where it will. */
export function refuseNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return undefined;
  return `needs Node ${oldestNode.join('.')} or newer, and runs on ${version}: install a newer one from https://nodejs.org.`;
}
