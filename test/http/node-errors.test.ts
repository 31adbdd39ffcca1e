import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type BackgroundTasks, createBackground } from 'topple/http';
import { withTasks } from 'topple/http/node';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { Client } from './client.ts';
import { listen } from './servers.ts';

const test = spec('node: what a handler throws');

type Handler = (request: IncomingMessage, response: ServerResponse, tasks: BackgroundTasks) => unknown;

async function serve(handler: Handler) {
  const background = createBackground({ logger: silent });
  const server = await listen(createServer(withTasks(background, handler)));
  return Object.assign(server, { background, client: await Client.to(server.port) });
}

const ending = /Internal Server Error$/;

test('is answered whole, whatever headers had been set for another body', async () => {
  await using server = await serve((_request, response) => {
    response
      .setHeader('content-length', '5')
      .setHeader('content-encoding', 'gzip')
      .setHeader('x-kept', 'yes');
    throw new Error('no');
  });
  const received = await server.client.request('GET').until(ending);
  assert.match(received, /content-length: 21\r\n/i);
  assert.match(received, /x-kept: yes/);
  assert.not.match(received, /content-encoding/i);
  await server.client[Symbol.asyncDispose]();
});

test('gives its headers, but none that frame a body, and none that cannot be sent', async () => {
  await using server = await serve(() => {
    const headers = { 'x-good': 'yes', 'x-bad': 'a\r\nb', 'content-length': '500', 'bad name': 'x' };
    throw Object.assign(new Error('not here'), { statusCode: 404, headers });
  });
  const received = await server.client.request('GET').until(/not here$/);
  assert.match(received, /^HTTP\/1.1 404 .*x-good: yes.*content-length: 8\r\n/is);
  assert.not.match(received, /x-bad|bad name/);
  await server.client[Symbol.asyncDispose]();
});

test('is a 500 where it cannot be read', async () => {
  const unreadable = [
    null,
    Symbol('thrown'),
    Object.create(null),
    { statusCode: 400, message: Object.create(null) },
    {
      get statusCode() {
        throw new Error('a trap');
      },
    },
  ];
  let next = 0;
  await using server = await serve(() => {
    throw unreadable[next++];
  });
  for (let count = 1; count <= unreadable.length; count++) {
    await server.client.request('GET').until(/500 Internal Server Error\r\n/, count);
  }
  await server.client[Symbol.asyncDispose]();
});

test('after its response has been ended, takes nothing from that, nor from the next on the connection', async () => {
  await using server = await serve((_request, response) => {
    response.end('whole');
    throw new Error('late');
  });
  await server.client.request('GET').request('GET').until(/whole/, 2);
  await server.client[Symbol.asyncDispose]();
});
