import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Env, Handler, Input } from 'hono';
import type { Background } from './background.ts';
import { answer, guardRequest } from './fetch-response.ts';
import { callHandler } from './handler.ts';
import { openOnNode } from './node-response.ts';
import type { RouteOptions } from './options.ts';
import { guardSent } from './sent.ts';
import type { BackgroundTasks } from './tasks.ts';

const contextMethods = [
  'json',
  'text',
  'html',
  'body',
  'newResponse',
  'redirect',
  'header',
  'status',
  'notFound',
  'render',
];

/**
 * A handler for a route of Hono whose tasks run after its response: on Node when that has been handed to the socket,
 * elsewhere when its body has been read; `waitUntil` is told where there is one. What it throws, Hono gets.
 */
export function withTasks<E extends Env, P extends string, I extends Input, R extends Response>(
  background: Background,
  handler: (c: Context<E, P, I>, tasks: BackgroundTasks) => R | Promise<R>,
  options?: RouteOptions,
): Handler<E, P, I, Promise<R>> {
  return async (c) => {
    const guard = (): void => {
      guardSent(c, 'c', 'response', contextMethods);
      // What the handler has read, Hono keeps: that may be read again.
      if (Object.keys(c.req.bodyCache).length === 0) guardRequest(c.req, 'c.req');
      guardRequest(c.req.raw, 'c.req.raw');
    };
    const node = nodeOf(c.env);
    if (node === undefined) {
      const delivery = background.open(options, { guard });
      waitUntil(c, delivery.settled());
      return answer(delivery, c.req.raw, async () => handler(c, delivery.tasks));
    }
    const names = { request: 'c.env.incoming', response: 'c.env.outgoing', guard };
    const delivery = openOnNode(background, node.incoming, node.outgoing, options, names);
    return callHandler(
      delivery,
      async () => handler(c, delivery.tasks),
      () => delivery.check(),
    );
  };
}

/** `@hono/node-server` gives what Node gave it. */
function nodeOf(
  env: unknown,
): { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse } | undefined {
  const { incoming, outgoing } = (env ?? {}) as { incoming?: IncomingMessage; outgoing?: ServerResponse };
  return incoming === undefined || outgoing === undefined ? undefined : { incoming, outgoing };
}

function waitUntil(c: Context, promise: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(promise);
  } catch {
    // The getter throws where the platform has no context: the process lives on by itself.
  }
}
