import type {
  ContextConfigDefault,
  FastifyBaseLogger,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
} from 'fastify';
import { toNodeHandler } from './fetch-bridge.ts';
import { callHandler } from './handler.ts';
import type { Background, BackgroundTasks, RouteOptions, RunsHandler } from './index.ts';
import { openOnNode } from './node-response.ts';
import { Problem, problemResponse } from './problem.ts';
import { type Guarded, guardSent, intercept } from './sent.ts';

export type { NodeRequest, NodeResponse } from './node-response.ts';

const guarded: Guarded = {
  name: 'reply',
  use: 'response',
  methods: ['send', 'redirect', 'header', 'headers', 'code', 'status', 'type', 'trailer'],
};

/** Makes a Fastify route handler whose tasks run after its response. Its errors go to Fastify. */
export function withTasks<
  Server extends RawServerBase = RawServerDefault,
  RawRequest extends RawRequestDefaultExpression<Server> = RawRequestDefaultExpression<Server>,
  RawReply extends RawReplyDefaultExpression<Server> = RawReplyDefaultExpression<Server>,
  Route extends RouteGenericInterface = RouteGenericInterface,
  Config = ContextConfigDefault,
  Schema extends FastifySchema = FastifySchema,
  Provider extends FastifyTypeProvider = FastifyTypeProviderDefault,
  Logger extends FastifyBaseLogger = FastifyBaseLogger,
>(
  background: Background,
  handler: (
    this: FastifyInstance<Server, RawRequest, RawReply, Logger, Provider>,
    request: FastifyRequest<Route, Server, RawRequest, Schema, Provider, Config, Logger>,
    reply: FastifyReply<Route, Server, RawRequest, RawReply, Config, Schema, Provider>,
    tasks: BackgroundTasks,
  ) => unknown,
  options?: RouteOptions<
    NoInfer<FastifyRequest<Route, Server, RawRequest, Schema, Provider, Config, Logger>>
  >,
): (
  this: FastifyInstance<Server, RawRequest, RawReply, Logger, Provider>,
  request: FastifyRequest<Route, Server, RawRequest, Schema, Provider, Config, Logger>,
  reply: FastifyReply<Route, Server, RawRequest, RawReply, Config, Schema, Provider>,
) => unknown {
  return function (request, reply) {
    const delivery = openOnNode(background, request.raw, reply.raw, options, {
      request: 'request.raw',
      response: 'reply.raw',
      known: request,
      beforeHead: (check) => intercept(reply, ['send'], check),
      guard: (owner) => guardSent(reply, owner, guarded),
    });
    return callHandler(
      delivery,
      () => handler.call(this, request, reply, delivery.tasks),
      () => delivery.check(),
    );
  };
}

/**
 * Mounts a handler of `createRunsHandler`: `app.register(runsPlugin(runs))`, without a prefix. Bodies bypass the
 * parsers of the app.
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
    // Errors that Fastify itself finds, such as an invalid `content-type`.
    app.setErrorHandler((error: { readonly statusCode?: number }, _request, reply) => {
      const { statusCode: status = 500 } = error;
      const isTheirs = status >= 400 && status < 500;
      const problem = isTheirs
        ? new Problem(status, 'The request is malformed.')
        : new Problem(500, 'The server failed to handle the request.');
      return reply.send(problemResponse(problem));
    });
    for (const path of [runs.path, `${runs.path}/*`]) app.all(path, handler);
  };
}
