import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ResponseProgress } from './stalls.ts';

/** Follows the progress of a Node response from now on, on the socket of its request. */
export function watchResponse(
  socket: Socket,
  response: ServerResponse | Http2ServerResponse,
): ResponseProgress {
  return 'stream' in response ? watchStream(response) : watchSocket(socket, response);
}

/**
 * Watches a connection. It has one response at a time, or others that wait for this one, so any byte sent is progress.
 */
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
 * Counts the bytes that have left. Only the handle of the socket knows how much of a large chunk has gone; Node's own
 * `socket.setTimeout` uses it as well.
 */
function sentBy(socket: Socket): number {
  const { bytesWritten, writableLength } = socket;
  return bytesWritten - writableLength - ((socket as WithHandle)._handle?.writeQueueSize ?? 0);
}

/** How many times in a row the bytes of a connection count for a stream: four times the limit. */
const BELIEVED = 16;

/**
 * Watches a stream, one of many on a connection. A stream reports when a whole chunk has gone, but not how much of it.
 * While a large chunk is on its way, bytes of the connection may belong to the stream. They count up to the chunk's
 * length, and for a limited time: the client may read other streams and never this one.
 */
function watchStream(response: Http2ServerResponse): ResponseProgress {
  const { stream } = response;
  let steps = 0;
  let believed = 0;
  let left = stream?.bufferSize ?? 0;
  /** Bytes that the connection had sent when the last chunk had gone, and at the last look. */
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
