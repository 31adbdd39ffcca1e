import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

/** A Redis server of the bench's own, which syncs every append. `undefined` if Redis is not installed. */
export async function startRedis(): Promise<{ readonly port: number; stop(): void } | undefined> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'topple-bench-redis-'));
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child = spawn('redis-server', [...options, '--appendonly', 'yes', '--appendfsync', 'always'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const isReady = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(false));
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve(true);
    });
  });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  if (!isReady) {
    remove();
    return undefined;
  }
  return {
    port,
    stop() {
      child.once('exit', remove);
      child.kill();
    },
  };
}
