import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';

/** A server that a peer needs, of the bench's own. */
export interface PeerServer {
  readonly port: number;
  /** Ends it and removes its files; done when it is gone. */
  stop(): Promise<void>;
}

/** How long a server may take to end by itself. */
const graceMs = 10_000;

/** Ends a server by the signal that it heeds, else by force. Its folder goes with it, also if it ends by itself. */
export function stopOf(child: ChildProcess, signal: NodeJS.Signals, folder: string): () => Promise<void> {
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const ended = once(child, 'exit').then(remove);
  // A program that is not there never began.
  ended.catch(remove);
  return async () => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  };
}
