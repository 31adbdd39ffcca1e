import fastify, { type FastifyError } from 'fastify';
import { runsPlugin, withTasks } from 'topple/http/fastify';
import type { Service } from '../loopback.ts';
import { refusal, type Site } from '../site.ts';

export async function startFastify(site: Site, port: number): Promise<Service> {
  const app = fastify({ bodyLimit: site.bodyLimit });

  app.register(runsPlugin(site.runs));
  app.get('/health', () => site.health());
  app.post(
    '/signup',
    withTasks(
      site.background,
      async (request, reply, tasks) => {
        const { status, headers, body } = await site.signUp(tasks, request.body);
        return reply.code(status).headers(headers).send(body);
      },
      { idempotency: { caller: (request) => request.ip } },
    ),
  );
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(refusal(404)));
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { statusCode: status = 500 } = error;
    if (status >= 500) console.error(error);
    return reply.code(status).send(refusal(status));
  });

  const url = await app.listen({ host: '127.0.0.1', port });
  return { url, close: () => app.close() };
}
