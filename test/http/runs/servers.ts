import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { runsPlugin } from '../../../src/http/fastify.ts';
import { toNodeHandler } from '../../../src/http/node.ts';
import type { RunsHandler } from '../../../src/http/runs/handler.ts';

/** A server on a free port of the loopback. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** Each framework with the handler mounted as its users would, behind what its users often have in front. */
export const servers: Readonly<Record<string, (runs: RunsHandler) => Promise<Listening>>> = {
  node: (runs) => listen(createServer(toNodeHandler(runs))),
  express: (runs) => {
    const app = express();
    app.use(runs.path, toNodeHandler(runs));
    app.use(express.json());
    return listen(createServer(app));
  },
  fastify: async (runs) => {
    const app = fastify();
    app.register(runsPlugin(runs));
    await app.listen({ host: '127.0.0.1', port: 0 });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },
  hono: (runs) => {
    const app = new Hono();
    app.all(`${runs.path}/*`, (c) => runs(c.req.raw, c.env));
    return listen(createAdaptorServer({ fetch: app.fetch }) as Server);
  },
};

async function listen(server: Server): Promise<Listening> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}
