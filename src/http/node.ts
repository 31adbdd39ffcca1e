import type { Background } from './background.ts';
import { callHandler } from './handler.ts';
import { type NodeRequest, type NodeResponse, openOnNode } from './node-response.ts';
import type { RouteOptions } from './options.ts';
import type { BackgroundTasks } from './tasks.ts';

export { type DrainOnOptions, drainOn } from './drain-on.ts';
export { type FetchHandler, toNodeHandler } from './fetch-bridge.ts';

const names = { request: 'request', response: 'response' };

/**
 * A handler for `http.createServer` whose tasks run after its response. Where it throws, or its promise rejects, the
 * client gets the error's `statusCode`, else 500, which the logger hears of.
 */
export function withTasks<Request extends NodeRequest, Response extends NodeResponse>(
  background: Background,
  handler: (request: Request, response: Response, tasks: BackgroundTasks) => unknown,
  options?: RouteOptions,
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const delivery = openOnNode(background, request, response, options, names);
    try {
      await callHandler(delivery, () => handler(request, response, delivery.tasks));
    } catch (error) {
      const { status, text, headers } = describe(error);
      if (status >= 500 && status !== 503)
        background.logger.error(`${request.method} ${request.url} failed`, error);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(text);
    }
  };
}

interface ErrorLike {
  readonly statusCode?: unknown;
  readonly message?: unknown;
  readonly headers?: Record<string, string>;
  readonly expose?: unknown;
}

/** What the client is told of an error: no more than the error itself means it to know. */
function describe(error: unknown): { status: number; text: string; headers?: Record<string, string> } {
  const { statusCode, message, headers, expose } = (error ?? {}) as ErrorLike;
  const isStatus = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600;
  const status = isStatus ? statusCode : 500;
  const isOpen = isStatus && (status < 500 || expose === true);
  return { status, text: isOpen ? String(message) : 'Internal Server Error', ...(headers && { headers }) };
}
