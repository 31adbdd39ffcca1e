import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Background } from './background.ts';
import type { Delivery, ResponseHooks } from './delivery.ts';
import { watchResponse } from './node-progress.ts';
import type { RouteOptions } from './options.ts';
import { guardSent, intercept } from './sent.ts';

/** What `createServer` of `node:http` or `node:http2` gives a handler, and what frameworks on Node have underneath. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** What sends the first of a response. */
const senders = ['writeHead', 'write', 'end', 'flushHeaders'];
/** What cannot be done with a response that has been sent, with Express's names. */
const responseMethods = [
  ...[
    'json',
    'jsonp',
    'send',
    'sendStatus',
    'sendFile',
    'download',
    'redirect',
    'render',
    'cookie',
    'clearCookie',
  ],
  ...[...senders, 'setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'addTrailers'],
  // By this a response hears that something is to be piped into it.
  'emit',
];
/** What a reader calls. By `read` Node itself reads on, in anybody's context. */
const requestMethods = ['pipe', 'setEncoding', 'on', 'addListener', Symbol.asyncIterator];

/** How an adapter's objects are called in handlers, and what it does beside. */
export interface NodeNames {
  readonly request: string;
  readonly response: string;
  readonly beforeHead?: ResponseHooks['beforeHead'];
  readonly guard?: ResponseHooks['guard'];
}

/**
 * Opens the tasks of a response of Node's: they run when it has been handed to the socket (`finish`), or when its
 * connection is gone before that (`close`).
 */
export function openOnNode(
  background: Background,
  request: NodeRequest,
  response: NodeResponse,
  options: RouteOptions | undefined,
  names: NodeNames,
): Delivery {
  const delivery = background.open(options, {
    isSent: () => response.headersSent,
    beforeHead: (check) => {
      names.beforeHead?.(check);
      intercept(response, senders, check);
    },
    guard: (owner) => {
      names.guard?.(owner);
      guardSent(response, owner, { name: names.response, use: 'response', methods: responseMethods });
      guardSent(request, owner, { name: names.request, use: 'request', methods: requestMethods });
    },
    watch: () => watchResponse(request.socket, response),
  });
  const isSentWhole = (): boolean =>
    'stream' in response ? isStreamSent(response) : response.writableFinished;
  const isClosed =
    'stream' in response ? response.stream === undefined || response.stream.closed : response.closed;
  if (isSentWhole()) delivery.finished();
  else if (isClosed) {
    tellClosed(response);
    delivery.disconnected();
  } else {
    response.once('finish', () => (isSentWhole() ? delivery.finished() : delivery.disconnected()));
    response.once('close', () => {
      if (!isSentWhole()) tellClosed(response);
      delivery.disconnected();
    });
  }
  return delivery;
}

/**
 * A response of HTTP/2 does not say that it has been closed, and says that it is finished when it has been reset. Who
 * waits for its end from then on, with `finished()` and `pipeline()` of Node's or as Fastify does for a handler that
 * returns its reply, would wait for ever.
 */
function tellClosed(response: NodeResponse): void {
  if (!('stream' in response)) return;
  Object.defineProperties(response, {
    closed: { value: true, configurable: true },
    writableFinished: { value: false, configurable: true },
  });
}

/**
 * Of HTTP/2: `finish` comes whenever the stream has been closed, by a client that hung up too, and to `HEAD` the stream
 * is finished before the handler has begun.
 */
function isStreamSent({ stream, writableEnded }: Http2ServerResponse): boolean {
  return writableEnded && stream?.closed !== false && !stream?.aborted && !stream?.rstCode;
}
