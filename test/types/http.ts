// Compiled, never run: what handlers and tasks know of each other.

import { createServer } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import express from 'express';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { Hono } from 'hono';
import { validator } from 'hono/validator';
import { createBackground, createRunsHandler, createTask } from 'topple/http';
import { withTasks as onExpress } from 'topple/http/express';
import { withTasks as onFastify, runsPlugin } from 'topple/http/fastify';
import { withTasks as onHono, type TasksEnv } from 'topple/http/hono';
import { withTasks as onNode, toNodeHandler } from 'topple/http/node';
import { z } from 'zod';

const background = createBackground();
const { tasks } = background.open();

const added = tasks.add(async (n: number, text: string) => ({ n, text }), 1, 'x');
tasks.add((n: number, m?: string) => [n, m], 1);
// @ts-expect-error an argument of another type
tasks.add((n: number) => n, 'x');
// @ts-expect-error an argument that is missing
tasks.add((n: number) => n);
// @ts-expect-error an argument too many
tasks.add((n: number) => n, 1, 2);

const mail = createTask('mail', {
  args: z.tuple([z.email(), z.coerce.number()]),
  perform: (to, n) => [to, n + 1],
});
tasks.add(mail, 'ada@example.org', 'anything that can be a number');
// @ts-expect-error what the schema takes
tasks.add(mail, 1, 2);

const five = tasks.task('five', { perform: () => 5 });
tasks.task('sure', {
  dependsOn: [five, added, 'named'],
  perform: ({ deps }): [number, unknown] => [deps.five, deps.named],
});
tasks.task('unsure', {
  dependsOn: [five],
  triggerRule: 'all_settled',
  perform: ({ deps, outcomes }): [number | undefined, string] => [deps.five, outcomes.five.status],
});
tasks.task('too sure', {
  dependsOn: [five],
  triggerRule: 'all_settled',
  // @ts-expect-error it may be missing
  perform: ({ deps }): number => deps.five,
});
// @ts-expect-error no dependency of that name
tasks.task('astray', { dependsOn: [five], perform: ({ deps }) => deps.four });

createServer(onNode(background, (request, response) => response.end(request.url)));

const app = express();
app.post(
  '/:id',
  express.json(),
  onExpress(background, (req, res, { runId }) => res.status(202).json({ runId, id: req.params.id })),
);

fastify().post<{ Params: { id: string }; Body: { n: number } }>(
  '/:id',
  onFastify(background, async ({ params, body }, reply, tasks) => {
    tasks.add((id: string, n: number) => [id, n], params.id, body.n);
    reply.code(202);
  }),
);

new Hono<{ Variables: { user: string } }>().post(
  '/:id',
  validator('json', () => ({ n: 1 })),
  onHono(background),
  (c) => {
    const known: [string, string, number] = [c.var.user, c.req.param('id'), c.req.valid('json').n];
    c.var.tasks.add((...all: typeof known) => all, ...known);
    return c.json({ runId: c.var.tasks.runId }, 202);
  },
);
new Hono<TasksEnv>().use(onHono(background)).get('/', (c) => c.text(c.var.tasks.runId));

// HTTP/2, and `this` of Fastify.
const runs = createRunsHandler({ engine: background.engine });
createHttp2Server(onNode(background, (request, response) => response.stream.id ?? request.stream.id));
createHttp2Server(toNodeHandler(runs));
createServer(toNodeHandler(runs));
const app2 = fastify({ http2: true });
app2.register(runsPlugin(runs));
app2.get(
  '/',
  onFastify(
    background,
    (request: FastifyRequest<object, Http2Server>, reply: FastifyReply<object, Http2Server>) => [
      request.raw.stream,
      reply.raw.stream,
    ],
  ),
);
app2.get(
  '/inferred',
  onFastify(background, async (request, reply, tasks) => {
    tasks.add((id: number | undefined) => id, reply.raw.stream.id);
    reply.code(202);
    return request.raw.stream.id;
  }),
);
app2.get<{ Params: { id: string } }>(
  '/:id',
  onFastify(background, ({ params, raw }) => [params.id, raw.stream.id]),
);
fastify().get(
  '/',
  onFastify(background, function (request) {
    return [this.version, request.raw.httpVersion];
  }),
);
