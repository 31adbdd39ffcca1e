import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { NodeRequest, NodeResponse } from './node-response.ts';
import { Problem, problemResponse } from './problem.ts';

/** Node's own request and response, as Hono's adapter for Node passes them to apps. */
export interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** A fetch-style server: of Hono, of edge runtimes, of `createRunsHandler`. */
export type FetchHandler = (request: Request, node: NodeBindings) => Promise<Response> | Response;

type Body = NonNullable<RequestInit['body']>;

/** Node's own request, with properties that frameworks add. */
interface Incoming extends IncomingMessage {
  /** The whole address, if `url` has been cut to the part below a mount. Express and Connect set it. */
  readonly originalUrl?: string | undefined;
  /** The body, as a parser left it. */
  readonly body?: unknown;
}

/**
 * Makes a listener for Node's `http` from a fetch-style handler. Express accepts it as middleware that answers
 * everything.
 *
 * The request's signal is aborted when the client disconnects before it has its response, and a stream is read no
 * faster than the client reads. A request that the fetch standard does not allow (a `TRACE`, an invalid `host`) is
 * answered with 400 or 405. Never throws and never rejects.
 */
export function toNodeHandler(
  handle: FetchHandler,
): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  return async (request, response) => {
    // HTTP/2 objects have all the members that are used here.
    const [incoming, outgoing] = [request as IncomingMessage, response as ServerResponse];
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort());
    const answered = await answer(handle, { incoming, outgoing }, gone.signal);
    await send(answered, outgoing).catch(() => outgoing.destroy());
  };
}

async function answer(handle: FetchHandler, node: NodeBindings, signal: AbortSignal): Promise<Response> {
  try {
    return await handle(readRequest(node.incoming, signal), node);
  } catch (error) {
    if (error instanceof Problem) return problemResponse(error);
    return problemResponse(new Problem(500, 'The server failed to handle the request.'));
  }
}

function readRequest(incoming: Incoming, signal: AbortSignal): Request {
  try {
    return toRequest(incoming, signal);
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(400, 'The request is malformed.');
  }
}

function toRequest(incoming: Incoming, signal: AbortSignal): Request {
  const { method = 'GET' } = incoming;
  if (/^(connect|trace|track)$/i.test(method))
    throw new Problem(405, 'This method is not supported.', { headers: { allow: 'GET, HEAD, POST' } });
  const headers = readHeaders(incoming);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? readBody(incoming, headers) : null;
  return new Request(readUrl(incoming), { method, headers, body, signal, duplex: 'half' });
}

function readHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!name.startsWith(':')) headers.append(name, rawHeaders[at + 1] ?? '');
  }
  return headers;
}

/**
 * Builds the address by concatenation: `//elsewhere/` in a request's first line is a path, and resolving would make it
 * a host. Refuses a path that the URL standard would rewrite (`/a/../b`, `/a\\b`), so that every reader sees the same
 * path.
 */
function readUrl(incoming: Incoming): string {
  const { socket, headers } = incoming;
  const target = incoming.originalUrl ?? incoming.url ?? '/';
  const host = headers.host ?? headers[':authority'] ?? 'localhost';
  const isHost = typeof host === 'string' && /^([\w.~-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(host);
  const path = target.startsWith('/') ? target : /^https?:\/\/[^/?#]+(\/.*)$/i.exec(target)?.[1];
  const url =
    isHost && path ? URL.parse(`${'encrypted' in socket ? 'https' : 'http'}://${host}${path}`) : null;
  if (url === null || url.pathname !== path?.replace(/[?#].*/s, '')) {
    throw new Problem(400, 'The address of the request is invalid.');
  }
  return url.href;
}

/** Returns the stream, or the result of a parser that has already read it, as text again. */
function readBody(incoming: Incoming, headers: Headers): Body {
  const { body } = incoming;
  if (body === undefined || !incoming.readableDidRead) return streamOf(incoming);
  headers.delete('content-length');
  headers.delete('content-encoding');
  if (typeof body === 'string' || body instanceof Uint8Array) return body as Body;
  return JSON.stringify(body);
}

/**
 * Makes a web stream of the body. If the handler cancels it, the rest is discarded, as Node does with an unread body:
 * otherwise it would block the connection ahead of the next request.
 */
function streamOf(incoming: Incoming): ReadableStream<Uint8Array> {
  const chunks = incoming.iterator({ destroyOnReturn: false });
  const start = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
      incoming.resume();
    },
  };
  return new ReadableStream(start, { highWaterMark: 0 });
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  if (outgoing.headersSent || outgoing.destroyed) return void (await response.body?.cancel());
  const cookies = response.headers.getSetCookie();
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value);
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies);
  outgoing.writeHead(response.status);
  if (response.body === null) return void outgoing.end();
  await pipeline(Readable.fromWeb(response.body as never), outgoing);
}
