import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Io } from '../io.ts';
import { readFileGiven } from '../read-file.ts';

/** A line of a file cannot be read. */
export class LineError extends Error {
  override readonly name = 'LineError';
  /** From 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * The lines of a file named on the command line, `-` for standard input, without their line breaks. An end without a
 * line break ends the last line.
 *
 * @throws LineError for a line that is too long, or is not UTF-8; the system's error if the file cannot be read
 */
export async function* fileLines(given: string, maxBytes: number, io: Io): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of chunksOf(given, io)) {
    const chunk = typeof part === 'string' ? Buffer.from(part) : part;
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, to));
      yield take();
      line++;
      from = to + 1;
    }
    add(chunk.subarray(from));
  }
  if (length > 0) yield take();

  function add(bytes: Uint8Array): void {
    length += bytes.length;
    if (length > maxBytes) throw new LineError(line, `is longer than ${maxBytes} bytes, the most of a line`);
    if (bytes.length > 0) parts.push(bytes);
  }

  function take(): string {
    const bytes = Buffer.concat(parts);
    parts = [];
    length = 0;
    try {
      return decoder.decode(bytes);
    } catch {
      throw new LineError(line, 'is not UTF-8 text');
    }
  }
}

async function* chunksOf(given: string, io: Io): AsyncGenerator<Uint8Array | string> {
  if (given === '-') return yield* io.stdin;
  const path = resolve(io.cwd, given);
  // A pipe is read as a whole: signals are handled while it waits.
  if ((await stat(path)).isFile()) yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  else yield await readFileGiven(given, io);
}
