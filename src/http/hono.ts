import type { Context, MiddlewareHandler } from 'hono';
import type { TaskOwner } from './context.ts';
import type { NodeBindings } from './fetch-bridge.ts';
import { guardRequest, ResponseBody } from './fetch-response.ts';
import type { Background, BackgroundTasks, Delivery, RouteOptions } from './index.ts';
import { openOnNode } from './node-response.ts';
import { type Guarded, guardSent } from './sent.ts';

/** Variables that the middleware sets for later handlers: `c.var.tasks`. */
export interface TasksEnv {
  Variables: { tasks: BackgroundTasks };
}

/**
 * Makes a middleware for Hono routes: tasks that handlers add to `c.var.tasks` run after the response. On Node that is
 * when it has been handed to the socket, elsewhere when its body has been read; `waitUntil` receives them if it exists.
 */
export function withTasks(
  background: Background,
  options?: RouteOptions<Context>,
): MiddlewareHandler<TasksEnv> {
  return async (c, next) => {
    const node = nodeOf(c.env);
    const body = new ResponseBody();
    const delivery = open(background, c, node ?? body, options);
    c.set('tasks', delivery.tasks);
    try {
      await next();
      if (c.error === undefined) delivery.check();
    } catch (error) {
      delivery.threw(error);
      // The response to the error is not visible here.
      if (node === undefined) setTimeout(() => delivery.finished(), 0);
      throw error;
    }
    // An error that `onError` has answered is not thrown.
    if (c.error === undefined) delivery.handled();
    else delivery.threw(c.error);
    if (node === undefined) c.res = body.follow(delivery, c.req.raw, c.res);
  };
}

function open(
  background: Background,
  c: Context,
  sink: NodeBindings | ResponseBody,
  options: RouteOptions<never> | undefined,
): Delivery {
  const guard = (owner: TaskOwner): void => {
    guardSent(c, owner, guarded);
    // Hono keeps bodies that the handler has read: tasks may read them again.
    if (Object.keys(c.req.bodyCache).length === 0) guardRequest(c.req, owner, 'c.req');
    guardRequest(c.req.raw, owner, 'c.req.raw');
  };
  if (!(sink instanceof ResponseBody)) {
    const names = { request: 'c.env.incoming', response: 'c.env.outgoing', guard, known: c };
    return openOnNode(background, sink.incoming, sink.outgoing, options, names);
  }
  const delivery = background.open(options, {
    guard,
    watch: () => sink.progress,
    request: () => c,
    header: (name) => c.req.header(name),
  });
  waitUntil(c, delivery.settled());
  return delivery;
}

const guarded: Guarded = {
  name: 'c',
  use: 'response',
  methods: [
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
  ],
  instead: () => new Response(),
};

/** Returns Node's own objects, which `@hono/node-server` passes on. */
function nodeOf(env: unknown): NodeBindings | undefined {
  const { incoming, outgoing } = (env ?? {}) as Partial<NodeBindings>;
  return incoming === undefined || outgoing === undefined ? undefined : { incoming, outgoing };
}

function waitUntil(c: Context, promise: Promise<unknown>): void {
  try {
    c.executionCtx.waitUntil(promise);
  } catch {
    // The getter throws on platforms without a context: there the process stays alive by itself.
  }
}
