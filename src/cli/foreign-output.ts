import { StringDecoder } from 'node:string_decoder';
import type { Io, Output } from './io.ts';

type Stream = NodeJS.WriteStream;

/** An output that writes to the stream as it is: it is not affected by a later `divert`. */
export function ownOutput(stream: Stream): Output {
  const write = stream.write.bind(stream);
  return {
    write: (text) => write(text),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
  };
}

/** Diverts all writes to the stream to the listener, until the returned function is called. */
export function divert(stream: Stream, listener: (text: string) => void): () => void {
  const { write } = stream;
  const decoder = new StringDecoder();
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    listener(typeof chunk === 'string' ? chunk : decoder.write(chunk));
    const written = rest.find((part) => typeof part === 'function');
    if (written !== undefined) process.nextTick(written as () => void);
    return true;
  };
  return () => {
    stream.write = write;
  };
}

/** Runs the work while output of others, such as a flow's module, goes to standard error, since it is no data. */
export async function keepingStdout<T>(io: Io, work: () => Promise<T>): Promise<T> {
  const stop = io.onForeignOutput((text) => io.stderr.write(text));
  try {
    return await work();
  } finally {
    stop();
  }
}
