import { createServer, type Http2Server, type Http2ServerResponse } from 'node:http2';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createAdaptorServer } from '@hono/node-server';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { Background, BackgroundTasks } from 'topple/http';
import { withTasks as onFastify } from 'topple/http/fastify';
import { withTasks as onHono } from 'topple/http/hono';
import { withTasks as onNode } from 'topple/http/node';

/** One request over HTTP/2, whatever the framework. What `send` and `stream` give, a handler returns. */
export interface Exchange2 {
  readonly tasks: BackgroundTasks;
  readonly response: Http2ServerResponse;
  send(body: string): unknown;
  /** Sends, and waits until it has gone, where a handler of the framework can do so. */
  sendAndWait(body: string): unknown;
  stream(chunks: AsyncIterable<string>): unknown;
  sendAgain(): unknown;
}

export interface Framework2 {
  readonly name: string;
  readonly send: string;
  make(background: Background, handle: (exchange: Exchange2) => unknown): Http2Server | Promise<Http2Server>;
}

const node: Framework2 = {
  name: 'node',
  send: 'response.end()',
  make: (background, handle) =>
    createServer(
      onNode(background, (_request, response: Http2ServerResponse, tasks) =>
        handle({
          tasks,
          response,
          send: (body) => void response.end(body),
          sendAndWait: (body) => pipeline(chunksOf(body), response),
          stream: (chunks) =>
            void Readable.from(chunks)
              .on('error', () => {})
              .pipe(response),
          sendAgain: () => response.end('again'),
        }),
      ),
    ),
};

async function* chunksOf(body: string): AsyncGenerator<string> {
  yield body;
}

const onFastifyServer: Framework2 = {
  name: 'fastify',
  send: 'reply.send()',
  async make(background, handle) {
    const app = fastify({ http2: true });
    app.all(
      '/*',
      onFastify(background, async (_request, reply, tasks) => {
        await handle({
          tasks,
          response: reply.raw,
          send: (body) => void reply.send(body),
          // The handler returns the reply.
          sendAndWait: (body) => void reply.send(body),
          stream: (chunks) => void reply.send(Readable.from(chunks)),
          sendAgain: () => reply.send('again'),
        });
        return reply;
      }),
    );
    await app.ready();
    return app.server;
  },
};

const onHonoServer: Framework2 = {
  name: 'hono',
  send: 'c.json()',
  make(background, handle) {
    const app = new Hono<{ Bindings: { outgoing: Http2ServerResponse } }>();
    app.onError((_error, c) => c.text('Internal Server Error', 500));
    app.all('/*', onHono(background), async (c) => {
      const answer = await handle({
        tasks: c.var.tasks,
        response: c.env.outgoing,
        send: (body) => new Response(body),
        sendAndWait: (body) => new Response(body),
        stream: (chunks) =>
          new Response(
            Readable.toWeb(Readable.from(chunks).map((chunk) => Buffer.from(chunk))) as ReadableStream,
          ),
        sendAgain: () => c.json({}),
      });
      return answer as Response;
    });
    return createAdaptorServer({
      fetch: app.fetch,
      createServer: createServer as never,
    }) as unknown as Http2Server;
  },
};

/** Express does not take HTTP/2. */
export const frameworks2 = [node, onFastifyServer, onHonoServer];
