import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { withTasks } from 'topple/http/hono';
import { listen, type Service } from '../loopback.ts';
import { refusal, type Site } from '../site.ts';

export function startHono(site: Site, port: number): Promise<Service> {
  const app = new Hono();
  const limit = bodyLimit({ maxSize: site.bodyLimit, onError: (c) => c.json(refusal(413), 413) });

  const caller = (c: Context): string => c.env.incoming.socket.remoteAddress;

  app.post('/signup', limit, withTasks(site.background, { idempotency: { caller } }), async (c) => {
    const text = await c.req.text();
    if (!isJson(text)) return c.json(refusal(400), 400);
    const { status, headers, body } = await site.signUp(c.var.tasks, JSON.parse(text));
    return c.json(body, status, headers);
  });
  app.get('/health', () => site.health());
  app.all(`${site.runs.path}/*`, (c) => site.runs(c.req.raw, c.env));
  app.notFound((c) => c.json(refusal(404), 404));
  app.onError((error, c) => {
    console.error(error);
    return c.json(refusal(500), 500);
  });

  return listen(createAdaptorServer({ fetch: app.fetch }) as Server, port);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
