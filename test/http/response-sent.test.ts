import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { PassThrough, pipeline as pipelineWithCallback, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type BackgroundTasks, createBackground, type ResponseSentError } from 'topple/http';
import { withTasks } from 'topple/http/node';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { listen } from './servers.ts';

const test = spec('a task that uses what has been sent');

type Use = (response: ServerResponse, request: IncomingMessage) => unknown;

/** What a task's use of its response, and of an unread body, comes to. */
async function outcomeOf(use: Use, version: 1 | 2): Promise<unknown> {
  const background = createBackground({ logger: silent });
  let outcome: unknown;
  const handler = (request: IncomingMessage, response: ServerResponse, tasks: BackgroundTasks) => {
    tasks.add(async () => {
      try {
        outcome = await use(response, request);
      } catch (error) {
        const { name, code, call } = error as ResponseSentError & { code?: string };
        outcome = call === undefined ? `${name} ${code}` : `${name}: ${call}`;
      }
    });
    response.end('sent');
  };
  if (version === 1) {
    await using server = await listen(createServer(withTasks(background, handler)));
    const body = 'unread'.repeat(50_000);
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body });
    assert.is(await response.text(), 'sent');
    await background.drain({ graceMs: Number.POSITIVE_INFINITY });
    return outcome;
  }
  const server = createHttp2Server(withTasks(background, handler as never));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  assert.is(await text(session.request({ ':path': '/' })), 'sent');
  await background.drain({ graceMs: Number.POSITIVE_INFINITY });
  session.destroy();
  server.close();
  return outcome;
}

const source = (): Readable => Readable.from(['more']);

const pipes: [what: string, use: Use, call: string | { readonly 1: string; readonly 2: string }][] = [
  ['source.pipe', (response) => source().pipe(response), 'source.pipe(response)'],
  [
    'pipeline',
    (response) => pipeline(source(), response),
    { 1: 'pipeline(source, response)', 2: 'source.pipe(response)' },
  ],
  [
    'pipeline with a callback',
    (response) =>
      new Promise<void>((resolve, reject) =>
        pipelineWithCallback(source(), response, (error) => (error ? reject(error) : resolve())),
      ),
    { 1: 'pipeline(source, response)', 2: 'source.pipe(response)' },
  ],
  [
    'pipeline through a transform',
    (response) => pipeline(source(), new PassThrough(), response),
    { 1: 'pipeline(source, response)', 2: 'source.pipe(response)' },
  ],
  [
    'pipeline of a generator',
    (response) =>
      pipeline(async function* () {
        yield 'more';
      }, response),
    'response.write()',
  ],
  [
    'pipeline of a web stream',
    (response) => pipeline(new Blob(['more']).stream() as never, response),
    'response.write()',
  ],
];

for (const [what, use, call] of pipes) {
  for (const version of [1, 2] as const) {
    test(`gets a ResponseSentError of ${what}, over HTTP/${version}`, async () => {
      const expected = typeof call === 'string' ? call : call[version];
      assert.is(await outcomeOf(use, version), `ResponseSentError: ${expected}`);
    });
  }
}

test('lets go of the source that it was to be piped from', async () => {
  const kept = source();
  await outcomeOf((response) => kept.pipe(response), 1);
  assert.equal(await kept.toArray(), ['more']);
});

test('may ask how it stands', async () => {
  const use: Use = ({ closed, headersSent, statusCode }) => [closed, headersSent, statusCode];
  assert.equal(await outcomeOf(use, 1), [true, true, 200]);
});

for (const [what, use, call] of [
  ['for await', (_, request) => text(request), 'for await (… of request)'],
  ['toArray', (_, request) => request.toArray(), 'for await (… of request)'],
  ['pipe', (_, request) => request.pipe(new PassThrough()), 'request.pipe()'],
  ['a listener', (_, request) => request.on('data', () => {}), "request.on('data')"],
] satisfies [string, Use, string][]) {
  test(`gets a ResponseSentError of the body by ${what}`, async () => {
    assert.is(await outcomeOf(use, 1), `ResponseSentError: ${call}`);
  });
}

test('has Node read the rest of a body, which is thrown away', async () => {
  const use: Use = (_, request) => {
    request.resume();
    return once(request, 'close').then(() => 'read');
  };
  const background = createBackground({ logger: silent });
  const outcome = Promise.withResolvers<unknown>();
  const handler = (request: IncomingMessage, response: ServerResponse, tasks: BackgroundTasks) => {
    // What has been read from is not thrown away by Node.
    request.once('data', () => {
      request.pause();
      tasks.add(async () => outcome.resolve(await use(response, request)));
      response.end('sent');
    });
  };
  await using server = await listen(createServer(withTasks(background, handler)));
  const body = 'half read'.repeat(50_000);
  await (await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body })).text();
  assert.is(await outcome.promise, 'read');
  await background.drain();
});
