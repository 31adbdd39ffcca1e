import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  type BackgroundOptions,
  type BackgroundTasks,
  createBackground,
  ResponseSentError,
} from 'topple/http';
import { withTasks } from 'topple/http/node';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';

const test = spec('HTTP/2: tasks after the response');

type Handle = (
  tasks: BackgroundTasks,
  response: { write(text: string): unknown; end(text: string): unknown },
) => unknown;

async function world(handle: Handle, options: BackgroundOptions = {}) {
  const background = createBackground({ logger: silent, ...options });
  const server = createServer(withTasks(background, (_request, response, tasks) => handle(tasks, response)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    session,
    done: () => background.drain({ graceMs: Number.POSITIVE_INFINITY }),
    async [Symbol.asyncDispose]() {
      session.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

async function ask(session: ClientHttp2Session, method: string): Promise<[unknown, string]> {
  const stream = session.request({ ':method': method, ':path': '/' });
  const [[headers], body] = await Promise.all([
    once(stream, 'response') as Promise<[IncomingHttpHeaders]>,
    text(stream),
  ]);
  return [headers[':status'], body];
}

for (const method of ['GET', 'HEAD']) {
  test(`run when it has gone, and get an error where they use it: ${method}`, async () => {
    const events: unknown[] = [];
    await using server = await world(async (tasks, response) => {
      tasks.add(() => {
        events.push('task');
        try {
          response.end('again');
        } catch (error) {
          events.push(error instanceof ResponseSentError && error.call);
        }
      });
      // Longer than it takes to see that nothing has come before this.
      await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
      events.push('answered');
      response.end('whole');
    });
    assert.equal(await ask(server.session, method), [200, method === 'GET' ? 'whole' : '']);
    await server.done();
    assert.equal(events, ['answered', 'task', 'response.end()']);
  });
}

test('are dropped where the handler of a HEAD throws', async () => {
  const ran: string[] = [];
  await using server = await world((tasks) => {
    tasks.add(() => ran.push('task'));
    throw new Error('no luck');
  });
  assert.equal(await ask(server.session, 'HEAD'), [500, '']);
  await server.done();
  assert.equal(ran, []);
});

for (const onDisconnect of ['run', 'discard'] as const) {
  test(`${onDisconnect === 'run' ? 'run' : 'are dropped'} where the client hangs up half-way and onDisconnect is ${onDisconnect}`, async () => {
    const ran: string[] = [];
    await using server = await world(
      (tasks, response) => {
        tasks.add(() => ran.push('task'));
        response.write('half');
      },
      { onDisconnect },
    );
    const stream = server.session.request({ ':path': '/' });
    stream.on('error', () => {});
    await once(stream, 'data');
    stream.close(8);
    await server.done();
    assert.equal(ran, onDisconnect === 'run' ? ['task'] : []);
  });
}
