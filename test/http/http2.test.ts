import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type BackgroundOptions, createBackground, ResponseSentError } from 'topple/http';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { type Exchange2, type Framework2, frameworks2 } from './http2-servers.ts';
import { until } from './until.ts';

type Handle = (exchange: Exchange2) => unknown;

for (const framework of frameworks2) {
  const test = spec(`${framework.name}: tasks after a response of HTTP/2`);

  for (const method of ['GET', 'HEAD']) {
    test(`run when it has gone, and get an error where they use it: ${method}`, async () => {
      const events: unknown[] = [];
      await using server = await world(framework, async ({ tasks, send, sendAgain }) => {
        tasks.add(() => {
          events.push('task');
          try {
            sendAgain();
          } catch (error) {
            events.push(error instanceof ResponseSentError && error.call);
          }
        });
        // Longer than it takes to see that nothing has come before this.
        await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
        events.push('answered');
        return send('whole');
      });
      assert.equal(await ask(server.session, method), [200, method === 'GET' ? 'whole' : '']);
      await server.done();
      assert.equal(events, ['answered', 'task', framework.send]);
    });
  }

  test('are dropped where the handler of a HEAD throws', async () => {
    const ran: string[] = [];
    await using server = await world(framework, ({ tasks }) => {
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
        framework,
        ({ tasks, stream }) => {
          tasks.add(() => ran.push('task'));
          return stream(endless());
        },
        { onDisconnect },
      );
      const stream = request(server.session);
      await once(stream, 'data');
      stream.close(CANCEL);
      await server.done();
      assert.equal(ran, onDisconnect === 'run' ? ['task'] : []);
    });
  }

  for (const answer of ['one chunk', 'a stream'] as const) {
    test(`run where the client takes no more of ${answer}, though it reads others on its connection`, async () => {
      const ran: string[] = [];
      const clock = createVirtualClock();
      let isFirst = true;
      await using server = await world(
        framework,
        ({ tasks, send, stream }) => {
          if (!isFirst) return send('other');
          isFirst = false;
          tasks.add(() => ran.push('task'));
          return answer === 'one chunk' ? send('x'.repeat(8_000_000)) : stream(chunks(800));
        },
        { clock, stallTimeoutMs: 1_000 },
      );
      const stream = request(server.session);
      let taken = 0;
      stream.on('data', ({ length }: Buffer) => {
        taken += length;
      });
      await once(stream, 'data');
      // As long as it takes some, they wait: longer than the limit.
      for (let i = 1; i <= 8; i++) {
        stream.resume();
        while (taken < i * 500_000) await once(stream, 'data');
        stream.pause();
        await clock.advance(250);
      }
      assert.equal(ran, []);
      const readAnother = async (): Promise<void> => {
        assert.equal(await ask(server.session, 'GET'), [200, 'other']);
        await clock.advance(250);
      };
      // The bytes of the others may be its own: that is believed for four times the limit.
      await until(() => server.background.pending === 0, readAnother, 24);
      assert.equal(ran, ['task']);
      stream.resume();
      while (taken < 8_000_000) await once(stream, 'data');
      await clock.run(server.done());
    });
  }

  for (const moment of ['before it is answered', 'half-way'] as const) {
    test(`give their places back where the client resets the stream ${moment}`, async () => {
      const ran: number[] = [];
      let number = 0;
      let called = Promise.withResolvers<void>();
      await using server = await world(
        framework,
        async ({ tasks, response, send, sendAndWait, stream }) => {
          const mine = ++number;
          tasks.add(() => ran.push(mine));
          called.resolve();
          if (mine > 3) return send('answered');
          if (moment === 'half-way') return stream(endless());
          await once(response, 'close');
          return sendAndWait('late');
        },
        { maxPending: 3 },
      );
      for (let i = 0; i < 3; i++) {
        called = Promise.withResolvers();
        const stream = request(server.session);
        await (moment === 'half-way' ? once(stream, 'data') : called.promise);
        stream.close(CANCEL);
      }
      await until(() => server.background.pending === 0);
      assert.equal(await ask(server.session, 'GET'), [200, 'answered']);
      await server.done();
      // Of a handler that throws since its client has gone the tasks are dropped.
      const isThrown = moment === 'before it is answered' && framework.name === 'node';
      assert.equal(ran, isThrown ? [4] : [1, 2, 3, 4]);
    });
  }
}

/** Of HTTP/2. */
const CANCEL = 8;

async function* chunks(count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) yield 'x'.repeat(10_000);
}

async function* endless(): AsyncGenerator<string> {
  for (;;) yield 'x'.repeat(10_000);
}

async function world(framework: Framework2, handle: Handle, options: BackgroundOptions = {}) {
  const background = createBackground({ logger: silent, ...options });
  const server = await framework.make(background, handle);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    background,
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

function request(session: ClientHttp2Session, method = 'GET'): ClientHttp2Stream {
  return session.request({ ':method': method, ':path': '/' }).on('error', () => {});
}

async function ask(session: ClientHttp2Session, method: string): Promise<[unknown, string]> {
  const stream = request(session, method);
  const [[headers], body] = await Promise.all([
    once(stream, 'response') as Promise<[IncomingHttpHeaders]>,
    text(stream),
  ]);
  return [headers[':status'], body];
}
