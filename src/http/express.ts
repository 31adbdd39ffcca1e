import type { NextFunction, Request, Response } from 'express';
import { callHandler } from './handler.ts';
import type { Background, BackgroundTasks, RouteOptions } from './index.ts';
import { openOnNode } from './node-response.ts';

const names = { request: 'req', response: 'res' };

/** Makes an Express route handler whose tasks run after its response. Its errors go to Express. */
export function withTasks<
  P = Record<string, string>,
  ResBody = unknown,
  ReqBody = unknown,
  Query = Record<string, unknown>,
  Locals extends Record<string, unknown> = Record<string, unknown>,
>(
  background: Background,
  handler: (
    req: Request<P, ResBody, ReqBody, Query, Locals>,
    res: Response<ResBody, Locals>,
    tasks: BackgroundTasks,
    next: NextFunction,
  ) => unknown,
  options?: RouteOptions<NoInfer<Request<P, ResBody, ReqBody, Query, Locals>>>,
): (
  req: Request<P, ResBody, ReqBody, Query, Locals>,
  res: Response<ResBody, Locals>,
  next: NextFunction,
) => unknown {
  return (req, res, next) => {
    const delivery = openOnNode(background, req, res, options, names);
    const pass = (error?: unknown): void => {
      // Express treats falsy values and these two words as no error.
      if (error && error !== 'route' && error !== 'router') delivery.threw(error);
      next(error);
    };
    return callHandler(delivery, () => handler(req, res, delivery.tasks, pass as NextFunction));
  };
}
