import { closeSync, constants, openSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Io } from './io.ts';

/**
 * Reads a whole file named on the command line; `-` is standard input. Signals are handled while it waits for a pipe or
 * a terminal; a thread blocked in the system would keep the process from ending.
 */
export async function readFileGiven(given: string, io: Io): Promise<Uint8Array> {
  if (given === '-') return buffer(io.stdin as never);
  const path = resolve(io.cwd, given);
  const found = await stat(path);
  if (!found.isFIFO() && !found.isCharacterDevice()) return readFile(path);
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const { isatty, ReadStream } = await import('node:tty');
  if (isatty(descriptor)) return buffer(new ReadStream(descriptor));
  if (found.isFIFO()) {
    const { Socket } = await import('node:net');
    return buffer(new Socket({ fd: descriptor, readable: true, writable: false }));
  }
  closeSync(descriptor);
  return readFile(path);
}
