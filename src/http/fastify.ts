import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { toNodeHandler } from './fetch-bridge.ts';
import { callHandler } from './handler.ts';
import type { Background, BackgroundTasks, RouteOptions, RunsHandler } from './index.ts';
import { type NodeRequest, type NodeResponse, openOnNode } from './node-response.ts';
import { Problem, problemResponse } from './problem.ts';
import { guardSent, intercept } from './sent.ts';

export type { NodeRequest, NodeResponse } from './node-response.ts';

const replyMethods = ['send', 'redirect', 'header', 'headers', 'code', 'status', 'type', 'trailer'];

/** A handler for a route of Fastify whose tasks run after its response. What it throws, Fastify gets. */
export function withTasks<
  Request extends { readonly raw: NodeRequest } = FastifyRequest,
  Reply extends { readonly raw: NodeResponse } = FastifyReply,
  App = FastifyInstance,
>(
  background: Background,
  handler: (this: App, request: Request, reply: Reply, tasks: BackgroundTasks) => unknown,
  options?: RouteOptions,
): (this: App, request: Request, reply: Reply) => unknown {
  return function (this: App, request, reply) {
    const delivery = openOnNode(background, request.raw, reply.raw, options, {
      request: 'request.raw',
      response: 'reply.raw',
      beforeHead: (check) => intercept(reply, ['send'], check),
      guard: () => guardSent(reply, 'reply', 'response', replyMethods),
    });
    return callHandler(
      delivery,
      () => handler.call(this, request, reply, delivery.tasks),
      () => delivery.check(),
    );
  };
}

/**
 * Mounts a handler of `createRunsHandler`: `app.register(runsPlugin(runs))`, without a prefix. Bodies get to it as they
 * came, past the parsers of the app.
 */
export function runsPlugin(runs: RunsHandler): FastifyPluginAsync {
  return async (app) => {
    const serve = toNodeHandler(runs);
    const handler = (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      reply.hijack();
      return serve(request.raw, reply.raw);
    };
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    // What Fastify finds fault with by itself, such as a `content-type` that is none.
    app.setErrorHandler((error: { readonly statusCode?: number }, _request, reply) => {
      const { statusCode: status = 500 } = error;
      const isTheirs = status >= 400 && status < 500;
      const problem = isTheirs
        ? new Problem(status, 'The request is none that can be read.')
        : new Problem(500, 'Something went wrong here.');
      return reply.send(problemResponse(problem));
    });
    for (const path of [runs.path, `${runs.path}/*`]) app.all(path, handler);
  };
}
