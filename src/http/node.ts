import type { IncomingMessage, ServerResponse } from 'node:http';
import { callHandler } from './handler.ts';
import type { Background, BackgroundTasks, RouteOptions } from './index.ts';
import { type NodeRequest, type NodeResponse, openOnNode } from './node-response.ts';

export { type DrainOnOptions, drainOn } from './drain-on.ts';
export { type FetchHandler, type NodeBindings, toNodeHandler } from './fetch-bridge.ts';
export type { NodeRequest, NodeResponse } from './node-response.ts';

const names = { request: 'request', response: 'response' };

/**
 * Makes a handler for `createServer` of `node:http` or `node:http2` whose tasks run after its response. If it throws or
 * rejects, the client gets the error's `statusCode`, else 500, and the logger hears of a 500.
 */
export function withTasks<
  Request extends NodeRequest = IncomingMessage,
  Response extends NodeResponse = ServerResponse,
>(
  background: Background,
  handler: (request: Request, response: Response, tasks: BackgroundTasks) => unknown,
  options?: RouteOptions<NoInfer<Request>>,
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const delivery = openOnNode(background, request, response, options, names);
    try {
      await callHandler(delivery, () => handler(request, response, delivery.tasks));
    } catch (error) {
      const answer = describe(error);
      if (answer.status >= 500 && answer.status !== 503)
        background.logger.error(`${request.method} ${request.url} failed`, error);
      // An ended response is complete, and others may follow it on the connection.
      if (response.headersSent) return response.writableEnded ? undefined : breakOff(response);
      send(response, answer);
    }
  };
}

/** The HTTP/2 error code. */
const INTERNAL_ERROR = 2;

function breakOff(response: NodeResponse): void {
  if ('stream' in response) response.stream.close(INTERNAL_ERROR);
  else response.destroy();
}

interface ErrorLike {
  readonly statusCode?: unknown;
  readonly message?: unknown;
  readonly headers?: unknown;
  readonly expose?: unknown;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: readonly (readonly [name: string, value: unknown])[];
}

const unspecific: Answer = { status: 500, text: 'Internal Server Error', headers: [] };

/** Describes an error for the client, as far as the error itself allows. */
function describe(error: unknown): Answer {
  try {
    const { statusCode, message, headers, expose } = (error ?? {}) as ErrorLike;
    if (!Number.isInteger(statusCode)) return unspecific;
    const status = statusCode as number;
    if (status < 400 || status > 599 || (status >= 500 && expose !== true)) return unspecific;
    return { status, text: String(message), headers: Object.entries(headers ?? {}) };
  } catch {
    // A getter threw, or the message cannot become a string.
    return unspecific;
  }
}

/**
 * Headers that describe a body. The sent body sets them: the handler meant another body, and an error may be another
 * server's response.
 */
const framing =
  /^(content-(encoding|language|length|range|type)|transfer-encoding|connection|trailer|upgrade)$/i;

/** Sends an error response instead of the one that the handler had begun to prepare. */
function send(response: NodeResponse, { status, text, headers }: Answer): void {
  for (const name of response.getHeaderNames()) if (framing.test(name)) response.removeHeader(name);
  for (const [name, value] of headers) {
    if (framing.test(name)) continue;
    try {
      response.setHeader(name, value as string);
    } catch {
      // Not a valid header name or value.
    }
  }
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.statusCode = status;
  response.end(text);
}
