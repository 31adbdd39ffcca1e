import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type PeerServer, stopOf } from './peer-server.ts';

/**
 * A PostgreSQL server of the bench's own, which syncs every commit, with the user `bench` and no password. `undefined`
 * if PostgreSQL is not installed.
 */
export async function startPostgres(): Promise<PeerServer | undefined> {
  const bin = binaries();
  if (bin === undefined) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'topple-bench-postgres-'));
  const as = unprivileged();
  if (as !== undefined) chownSync(folder, as.uid, as.gid);
  const data = join(folder, 'data');
  try {
    execFileSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
      {
        ...as,
        cwd: folder,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: folder, fsync: 'on' };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...options], {
    ...as,
    cwd: folder,
    stdio: 'ignore',
  });
  // A fast shutdown: open connections are cut.
  const stop = stopOf(child, 'SIGINT', folder);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('PostgreSQL has ended')));
  await Promise.race([untilOpen(port), ended]);
  ended.catch(() => {});
  return { port, stop };
}

/** The folder of its programs: Debian's is not in the path. */
function binaries(): string | undefined {
  const inPath = (process.env.PATH ?? '').split(':');
  const debian = globSync('/usr/lib/postgresql/*/bin').sort();
  return [...debian.reverse(), ...inPath].find((folder) => existsSync(join(folder, 'initdb')));
}

/** A user that is not root, as whom PostgreSQL refuses to run; `undefined` if this is none already. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
