import { guardRequest, ResponseBody } from './fetch-response.ts';
import { callHandler } from './handler.ts';
import type { Background, BackgroundTasks, RouteOptions } from './index.ts';

/** The context that Workers and similar platforms pass beside the request. */
export interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * Makes a fetch handler whose tasks run once the body of its response has been read, for Workers, Deno, Bun and similar
 * platforms. If the platform passes a context with `waitUntil`, that keeps it alive until the tasks have ended.
 */
export function withTasks<
  Env = unknown,
  Context extends ExecutionContext | undefined = ExecutionContext | undefined,
>(
  background: Background,
  handler: (
    request: Request,
    tasks: BackgroundTasks,
    env: Env,
    context: Context,
  ) => Response | Promise<Response>,
  options?: RouteOptions<Request>,
): (request: Request, env?: Env, context?: Context) => Promise<Response> {
  return async (request, env, context) => {
    const body = new ResponseBody();
    const delivery = background.open(options, {
      guard: (owner) => guardRequest(request, owner, 'request'),
      watch: () => body.progress,
      request: () => request,
      header: (name) => request.headers.get(name),
    });
    context?.waitUntil?.(delivery.settled());
    try {
      const response = await callHandler(
        delivery,
        async () => handler(request, delivery.tasks, env as Env, context as Context),
        () => delivery.check(),
      );
      return body.follow(delivery, request, response);
    } catch (error) {
      // The server's response to the error is not visible here.
      setTimeout(() => delivery.finished(), 0);
      throw error;
    }
  };
}
