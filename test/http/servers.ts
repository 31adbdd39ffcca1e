import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createAdaptorServer } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { Background, BackgroundTasks, RouteOptions } from 'topple/http';
import { withTasks as onExpress } from 'topple/http/express';
import { withTasks as onFastify } from 'topple/http/fastify';
import { withTasks as onFetch } from 'topple/http/fetch';
import { withTasks as onHono } from 'topple/http/hono';
import { withTasks as onNode } from 'topple/http/node';

/** One request as the contract sees it, whatever the framework. What `send` and `stream` give, a handler returns. */
export interface Exchange {
  readonly tasks: BackgroundTasks;
  send(status: number, body?: string): unknown;
  stream(chunks: AsyncIterable<string>): unknown;
  read(): Promise<string>;
  /** As a user who forgot that the response has gone would. */
  sendAgain(): unknown;
}

export interface Route {
  readonly handle: (exchange: Exchange) => unknown;
  readonly options?: RouteOptions;
  /** Whether something outside of the handler answers with `outer` in its stead. */
  readonly isAnsweredOutside?: boolean;
}

/** A framework with its adapter, as a real server. */
export interface Framework {
  readonly name: string;
  /** What its users write to answer, and to read the body. */
  readonly calls: { readonly send: string; readonly read: string };
  /** A server, not listening yet, that gives every request to the route. */
  make(background: Background, route: Route): Server | Promise<Server>;
}

function nodeExchange(request: IncomingMessage, response: ServerResponse, tasks: BackgroundTasks): Exchange {
  return {
    tasks,
    send: (status, body) => void response.writeHead(status).end(body),
    stream: (chunks) =>
      void Readable.from(chunks)
        .on('error', () => response.destroy())
        .pipe(response),
    read: () => text(request),
    sendAgain: () => response.end('again'),
  };
}

const node: Framework = {
  name: 'node',
  calls: { send: 'response.end()', read: 'for await (… of request)' },
  make(background, { handle, options, isAnsweredOutside }) {
    const handler = onNode(
      background,
      (request, response, tasks) => handle(nodeExchange(request, response, tasks)),
      options,
    );
    return createServer((request, response) => {
      if (isAnsweredOutside) response.end('outer');
      void handler(request, response);
    });
  },
};

const onExpressServer: Framework = {
  name: 'express',
  calls: { send: 'res.json()', read: 'for await (… of req)' },
  make(background, { handle, options, isAnsweredOutside }) {
    const app = express().set('env', 'test');
    app.use((_, res, next) => {
      if (isAnsweredOutside) res.end('outer');
      next();
    });
    const handler = onExpress(
      background,
      (req, res, tasks) =>
        handle({
          ...nodeExchange(req, res, tasks),
          send: (status, body) => void res.status(status).send(body),
          sendAgain: () => res.json({}),
        }),
      options,
    );
    app.all('/{*path}', handler);
    return createServer(app);
  },
};

const onFastifyServer: Framework = {
  name: 'fastify',
  calls: { send: 'reply.send()', read: 'for await (… of request.raw)' },
  async make(background, { handle, options, isAnsweredOutside }) {
    const app = fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    if (isAnsweredOutside) app.addHook('onSend', async () => 'outer');
    app.all(
      '/*',
      onFastify(
        background,
        (request, reply, tasks) =>
          handle({
            tasks,
            send: (status, body) => reply.code(status).send(body),
            stream: (chunks) => reply.send(Readable.from(chunks)),
            read: () => text(request.raw),
            sendAgain: () => reply.send('again'),
          }),
        options,
      ),
    );
    await app.ready();
    return app.server;
  },
};

/** A response without a body where there can be none. */
function fetchResponse(status: number, body: string | ReadableStream | undefined): Response {
  return new Response(status === 204 ? null : (body ?? ''), { status });
}

const onHonoServer: Framework = {
  name: 'hono',
  calls: { send: 'c.json()', read: 'c.req.text()' },
  make(background, { handle, options, isAnsweredOutside }) {
    const app = new Hono();
    app.onError((error, c) => {
      if ('getResponse' in error) return (error as { getResponse(): Response }).getResponse();
      return c.text('Internal Server Error', 500);
    });
    app.use(async (c, next) => {
      await next();
      if (isAnsweredOutside) c.res = new Response('outer');
    });
    app.all('/*', onHono(background, options), async (c) => {
      const answer = await handle({
        tasks: c.var.tasks,
        send: fetchResponse,
        stream: (chunks) => fetchResponse(200, encode(chunks)),
        read: () => c.req.text(),
        sendAgain: () => c.json({}),
      });
      return answer as Response;
    });
    return createAdaptorServer({ fetch: app.fetch }) as Server;
  },
};

const onFetchServer: Framework = {
  name: 'fetch',
  calls: { send: '', read: 'request.text()' },
  make(background, { handle, options, isAnsweredOutside }) {
    const handler = onFetch(
      background,
      async (request, tasks) => {
        const answer = await handle({
          tasks,
          send: fetchResponse,
          stream: (chunks) => fetchResponse(200, encode(chunks)),
          read: () => request.text(),
          sendAgain: () => {},
        });
        return answer as Response;
      },
      options,
    );
    const fetch = async (request: Request): Promise<Response> => {
      try {
        const response = await handler(request);
        if (!isAnsweredOutside) return response;
        await response.body?.cancel();
        return new Response('outer');
      } catch (error) {
        if (error instanceof Error && 'getResponse' in error)
          return (error as unknown as { getResponse(): Response }).getResponse();
        return new Response('Internal Server Error', { status: 500 });
      }
    };
    return createAdaptorServer({ fetch }) as Server;
  },
};

function encode(chunks: AsyncIterable<string>): ReadableStream {
  return Readable.toWeb(Readable.from(chunks).map((chunk: string) => Buffer.from(chunk))) as ReadableStream;
}

export const frameworks = [node, onExpressServer, onFastifyServer, onHonoServer, onFetchServer];

/** A server that listens on the loopback, for the length of a block. */
export async function listen(server: Server): Promise<{ port: number } & AsyncDisposable> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}
