import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { NodeRequest, NodeResponse } from './node-response.ts';
import { Problem, problemResponse } from './problem.ts';

/** Node's own request and response: what Hono's adapter for Node gives to apps, too. */
export interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** A server as the fetch standard has it: of Hono, of edge runtimes, of `createRunsHandler`. */
export type FetchHandler = (request: Request, node: NodeBindings) => Promise<Response> | Response;

type Body = NonNullable<RequestInit['body']>;

/** What a framework may have added to Node's own request. */
interface Incoming extends IncomingMessage {
  /** The whole address, where `url` has been cut to what is below a mount. Express and Connect set it. */
  readonly originalUrl?: string | undefined;
  /** What a body parser made of the body. */
  readonly body?: unknown;
}

/**
 * Makes a listener for Node's `http` of a fetch-style handler; Express takes it as middleware that answers everything.
 *
 * The request's signal is aborted when the client goes before it has its answer, and a stream is read no faster than
 * the client takes it. A request that is none for the fetch standard (a `TRACE`, a `host` that is no host) is answered 400
 * or 405. Never throws and never rejects.
 */
export function toNodeHandler(
  handle: FetchHandler,
): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  return async (request, response) => {
    // Those of HTTP/2 have all that is used of them here.
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
    return problemResponse(new Problem(500, 'Something went wrong here.'));
  }
}

function readRequest(incoming: Incoming, signal: AbortSignal): Request {
  try {
    return toRequest(incoming, signal);
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(400, 'The request is none that can be read.');
  }
}

function toRequest(incoming: Incoming, signal: AbortSignal): Request {
  const { method = 'GET' } = incoming;
  if (/^(connect|trace|track)$/i.test(method))
    throw new Problem(405, 'There is no such method here.', { headers: { allow: 'GET, HEAD, POST' } });
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
 * The address is put together, not resolved: `//elsewhere/` in a request's first line is a path, and would be a host.
 * A path that is not as the URL standard writes it (`/a/../b`, `/a\\b`) is refused, so that all who look at it see the same.
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
    throw new Problem(400, 'The address of the request is none.');
  }
  return url.href;
}

/** The stream, or where a parser has read it already what that made of it, written again. */
function readBody(incoming: Incoming, headers: Headers): Body {
  const { body } = incoming;
  if (body === undefined || !incoming.readableDidRead) return streamOf(incoming);
  headers.delete('content-length');
  headers.delete('content-encoding');
  if (typeof body === 'string' || body instanceof Uint8Array) return body as Body;
  return JSON.stringify(body);
}

/**
 * Where the handler wants no more of it, what is still to come is thrown away, as Node does with a body that nobody
 * reads: else it would stand in the connection, ahead of the next request.
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
