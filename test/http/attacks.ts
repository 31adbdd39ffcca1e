// Clients that misbehave, by a seed: they hang up, reset their streams and stop reading at any moment, and their answers
// come from callbacks in the context of other requests' tasks. A small share is a test; for more:
// node scripts/run.mjs test/http/attacks.ts REQUESTS SEED

import { AsyncResource } from 'node:async_hooks';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { type BackgroundTasks, createBackground } from 'topple/http';
import { createVirtualClock } from 'topple/testing';
import { Client } from './client.ts';
import { frameworks2 } from './http2-servers.ts';
import { frameworks } from './servers.ts';
import { until } from './until.ts';

/** How an attack ended. */
export interface Damage {
  readonly requests: number;
  /** Responses that tasks were added to. */
  readonly accepted: number;
  /** Of these, whose tasks did not run, and ran twice. */
  readonly lost: number;
  readonly twice: number;
  /** Runs whose places are still taken. */
  readonly pending: number;
  /** Lines of the logger. */
  readonly lines: readonly string[];
}

export const targets = [
  ...frameworks.map(({ name }) => ({ name, version: 1 as const })),
  ...frameworks2.map(({ name }) => ({ name, version: 2 as const })),
];

type Target = (typeof targets)[number];
type Choose = <T>(list: readonly T[]) => T;

const answers = ['at once', 'large', 'as a stream', 'late', 'from a callback'] as const;
const clients = ['reads', 'hangs up at once', 'hangs up half-way', 'stops reading'] as const;

export async function attack(target: Target, requests: number, seed: number): Promise<Damage> {
  const choose = chooser(seed);
  const clock = createVirtualClock();
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  const logger = { error: note, warn: note, info: note };
  const background = createBackground({ clock, logger, stallTimeoutMs: 1_000, keepSettled: 0 });
  const ran = new Map<number, number>();
  /** Callbacks in the context of tasks, of which some are over and some are not. */
  const foreign: ((callback: () => void) => void)[] = [(callback) => callback()];

  const handle = async (exchange: Exchange): Promise<unknown> => {
    const { tasks, send, stream } = exchange;
    const number = ran.size;
    ran.set(number, 0);
    tasks.add(async () => {
      foreign.push(AsyncResource.bind((callback: () => void) => callback()));
      await turns(choose([0, 1, 20]));
      ran.set(number, (ran.get(number) ?? 0) + 1);
    });
    switch (choose(answers)) {
      case 'at once':
        return send('ok');
      case 'large':
        return send('x'.repeat(1_000_000));
      case 'as a stream':
        return stream(chunks());
      case 'late':
        await turns(choose([1, 5, 30]));
        return send('ok');
      case 'from a callback':
        return new Promise((resolve) => {
          const call = foreign.splice(0, foreign.length - 10).at(-1) ?? foreign[0];
          call?.(() => resolve(send('ok')));
        });
    }
  };
  const server = await listen(target, background, handle);
  const { port } = server.address() as AddressInfo;
  const opened: { end(): void }[] = [];
  for (let done = 0; done < requests; done += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, requests - done) });
    if (target.version === 1) {
      await Promise.all(some.map(() => misuse(port, choose, opened)));
    } else {
      const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => {});
      opened.push({ end: () => session.destroy() });
      await Promise.all(some.map(() => misuseStream(session, choose)));
    }
    await clock.advance(10);
  }
  const isLeft = (): boolean => background.pending > 0 || [...ran.values()].includes(0);
  await until(
    () => !isLeft(),
    () => clock.advance(250),
    400,
  ).catch(() => {});
  const { pending } = background;
  for (const one of opened) one.end();
  server.close();
  await clock.run(background.drain({ graceMs: 0 }));
  const times = [...ran.values()];
  return {
    requests,
    accepted: times.length,
    lost: times.filter((count) => count === 0).length,
    twice: times.filter((count) => count > 1).length,
    pending,
    lines,
  };
}

/** So many requests at a time. */
const BATCH = 25;

interface Exchange {
  readonly tasks: BackgroundTasks;
  send(body: string): unknown;
  stream(chunks: AsyncIterable<string>): unknown;
}

async function listen(
  { name, version }: Target,
  background: ReturnType<typeof createBackground>,
  handle: (exchange: Exchange) => unknown,
): Promise<Server> {
  const made =
    version === 1
      ? frameworks
          .find((framework) => framework.name === name)
          ?.make(background, {
            handle: ({ tasks, send, stream }) => handle({ tasks, stream, send: (body) => send(200, body) }),
          })
      : frameworks2.find((framework) => framework.name === name)?.make(background, handle);
  const server = (await made) as Server;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

async function misuse(port: number, choose: Choose, opened: { end(): void }[]): Promise<void> {
  const client = await Client.to(port);
  opened.push({ end: () => client.socket.destroy() });
  const body = 'unread'.repeat(choose([0, 1, 1_000]));
  client.socket.write(`POST / HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const how = choose(clients);
  if (how === 'hangs up at once') {
    await turns(choose([0, 1, 3, 10]));
    return client.hangUp();
  }
  await client.until(/\r\n\r\n/);
  if (how === 'hangs up half-way') client.hangUp();
  else if (how === 'stops reading') client.socket.pause();
}

async function misuseStream(session: ClientHttp2Session, choose: Choose): Promise<void> {
  const stream = session.request({ ':method': 'POST', ':path': '/' }).on('error', () => {});
  stream.end('unread'.repeat(choose([0, 1, 1_000])));
  const how = choose(clients);
  if (how === 'hangs up at once') {
    await turns(choose([0, 1, 3, 10]));
    return stream.close(choose([0, 2, 5, 8]));
  }
  if (how === 'reads') stream.resume();
  // Nothing comes where the whole session has been closed, for too many resets.
  await Promise.race([once(stream, 'response'), once(stream, 'close')]).catch(() => {});
  if (how === 'hangs up half-way') stream.close(8);
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}

async function* chunks(): AsyncGenerator<string> {
  for (let i = 0; i < 100; i++) yield 'x'.repeat(10_000);
}

/** The same choices for the same seed, as far as they are asked for in the same order. */
function chooser(seed: number): Choose {
  let state = seed >>> 0;
  return (list) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return list[Math.floor((state / 2 ** 32) * list.length)] as (typeof list)[number];
  };
}

if (import.meta.main) {
  const [requests = '2000', seed = '1'] = process.argv.slice(2);
  for (const target of targets) {
    const { lines, ...damage } = await attack(target, Number(requests), Number(seed));
    console.log(`${target.name}, HTTP/${target.version}:`, JSON.stringify(damage), lines.slice(0, 3));
  }
}
