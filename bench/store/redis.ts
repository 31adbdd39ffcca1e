import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type PeerServer, stopOf } from './peer-server.ts';

/** A Redis server of the bench's own, which syncs every append. `undefined` if Redis is not installed. */
export async function startRedis(): Promise<PeerServer | undefined> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'topple-bench-redis-'));
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child = spawn('redis-server', [...options, '--appendonly', 'yes', '--appendfsync', 'always'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = stopOf(child, 'SIGTERM', folder);
  const isReady = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(false));
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve(true);
    });
  });
  return isReady ? { port, stop } : undefined;
}
