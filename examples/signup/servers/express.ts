import { createServer } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import { withTasks } from 'topple/http/express';
import { toNodeHandler } from 'topple/http/node';
import { listen, type Service } from '../loopback.ts';
import { refusal, type Site } from '../site.ts';

export function startExpress(site: Site, port: number): Promise<Service> {
  const app = express().disable('x-powered-by');

  // Must stand ahead of body parsers: it reads bodies itself.
  app.use(site.runs.path, toNodeHandler(site.runs));
  app.get('/health', toNodeHandler(site.health));
  app.post(
    '/signup',
    express.json({ limit: site.bodyLimit }),
    withTasks(
      site.background,
      async (req, res, tasks) => {
        const { status, headers, body } = await site.signUp(tasks, req.body);
        res.status(status).set(headers).json(body);
      },
      { idempotency: { caller: (req) => req.ip } },
    ),
  );
  app.use((_req, res) => void res.status(404).json(refusal(404)));
  const onError: ErrorRequestHandler = (error, _req, res, _next) => {
    const status: number = error.status ?? 500;
    if (status >= 500) console.error(error);
    res.status(status).json(refusal(status));
  };
  app.use(onError);

  return listen(createServer(app), port);
}
