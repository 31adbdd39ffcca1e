import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Background } from './background.ts';
import type { Delivery, ResponseHooks } from './delivery.ts';
import { watchResponse } from './node-progress.ts';
import type { RouteOptions } from './options.ts';
import { guardSent, intercept } from './sent.ts';

/** The request that `createServer` of `node:http` or `node:http2` passes to a handler; frameworks on Node wrap it. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Methods that send the first bytes of a response. */
const senders = ['writeHead', 'write', 'end', 'flushHeaders'];
/** Methods that make no sense after a response was sent, Express's included. */
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
  // A response learns by this that something will be piped into it.
  'emit',
];
/** Methods by which users begin to read. Not `read`: Node calls it itself, in any context. */
const requestMethods = ['pipe', 'setEncoding', 'on', 'addListener', Symbol.asyncIterator];

/** Names of an adapter's objects in handlers, and its additional hooks. */
export interface NodeNames {
  readonly request: string;
  readonly response: string;
  readonly beforeHead?: ResponseHooks['beforeHead'];
  readonly guard?: ResponseHooks['guard'];
  /** The request as handlers know it. Default: Node's own. */
  readonly known?: object;
}

/**
 * Opens the tasks of a Node response: they run when it has been handed to the socket (`finish`), or when its connection
 * closes before that (`close`).
 */
export function openOnNode(
  background: Background,
  request: NodeRequest,
  response: NodeResponse,
  options: RouteOptions<never> | undefined,
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
    request: () => names.known ?? request,
    header: (name) => request.headers[name]?.toString(),
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
 * Marks an HTTP/2 response as closed. By itself it does not say so, and claims to be finished after a reset. Code that
 * then waits for its end would wait for ever: Node's `finished()` and `pipeline()`, or Fastify after a handler that
 * returns its reply.
 */
function tellClosed(response: NodeResponse): void {
  if (!('stream' in response)) return;
  Object.defineProperties(response, {
    closed: { value: true, configurable: true },
    writableFinished: { value: false, configurable: true },
  });
}

/**
 * Tells whether an HTTP/2 response was sent in full. `finish` comes whenever the stream closes, also when the client
 * disconnects, and for `HEAD` the stream is finished before the handler has begun.
 */
function isStreamSent({ stream, writableEnded }: Http2ServerResponse): boolean {
  return writableEnded && stream?.closed !== false && !stream?.aborted && !stream?.rstCode;
}
