import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const examples = join(import.meta.dirname, '../../examples');

/** Runs a file of `examples/` as its npm script does, without colours. */
export async function runFile(file: string, ...args: string[]) {
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawn(process.execPath, [...process.execArgv, join(examples, file), ...args], {
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { code, stdout, stderr };
}
