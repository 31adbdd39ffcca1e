import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ResponseProgress } from './stalls.ts';

/** Follows a response of Node's from now on, on the socket of its request. */
export function watchResponse(
  socket: Socket,
  response: ServerResponse | Http2ServerResponse,
): ResponseProgress {
  return 'stream' in response ? watchStream(response) : watchSocket(socket, response);
}

/** A connection has one response at a time, or others that wait for this one: what it sends is progress. */
function watchSocket(socket: Socket, response: ServerResponse): ResponseProgress {
  return () => {
    const { headersSent, writableEnded, writableLength } = response;
    return headersSent && (writableEnded || writableLength > 0 || response.closed)
      ? sentBy(socket)
      : undefined;
  };
}

interface WithHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

/**
 * Bytes that have left. Of a large chunk only its handle says how much of it has, to which Node's own
 * `socket.setTimeout` looks as well.
 */
function sentBy(socket: Socket): number {
  const { bytesWritten, writableLength } = socket;
  return bytesWritten - writableLength - ((socket as WithHandle)._handle?.writeQueueSize ?? 0);
}

/** So many times in a row a connection's bytes are taken for those of a stream: four times the limit. */
const BELIEVED = 16;

/**
 * A connection has many streams. Of its own a stream tells when a chunk has gone, and not how much of one: while a large
 * chunk is on its way, the bytes of the connection may be the stream's. That is believed up to the chunk's length, and
 * for a while: the client may read others and never this one.
 */
function watchStream(response: Http2ServerResponse): ResponseProgress {
  const { stream } = response;
  let steps = 0;
  let believed = 0;
  let left = stream?.bufferSize ?? 0;
  /** What the connection had sent when the last chunk had gone, and when it was last looked at. */
  let sentBefore = sentWith(stream);
  let sentLast = sentBefore;
  const step = (): void => {
    steps++;
    believed = 0;
    sentBefore = sentWith(stream);
  };
  stream?.on('drain', step);
  return () => {
    const { bufferSize = 0, closed = true } = response.stream ?? {};
    if (!response.headersSent || !(response.writableEnded || bufferSize > 0 || closed)) return undefined;
    const sent = sentWith(stream);
    const mayBeOwn = sent !== sentLast && sent - sentBefore <= bufferSize;
    if (bufferSize < left) step();
    else if (mayBeOwn && ++believed <= BELIEVED) steps++;
    left = bufferSize;
    sentLast = sent;
    return steps;
  };
}

function sentWith(stream: ServerHttp2Stream | undefined): number {
  const session = stream?.session;
  return session === undefined || session.destroyed ? 0 : session.socket.bytesWritten;
}
