import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { createRunsHandler } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';
import { sendRaw } from './raw-client.ts';
import { servers } from './servers.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

/** Reads until the text has come; what was read. */
async function readUntil(socket: Socket, wanted: string): Promise<string> {
  let text = '';
  while (!text.includes(wanted)) text += String((await once(socket, 'data'))[0]);
  return text;
}

for (const [name, start] of Object.entries(servers)) {
  const test = spec(`watching a run, on ${name}`);

  test('gives events as they come, and ends the response with the run', async () => {
    const { clock, engine } = virtualEngine();
    const server = await start(createRunsHandler({ engine, authorize: () => true, clock, logger: silent }));
    const flow = createFlow('wait').task('a', { perform: () => clock.sleep(1_000) });
    const run = await engine.start(flow, undefined, { id: 'r1' });
    await clock.advance(0);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(get('/runs/r1/events'));
    const head = await readUntil(socket, 'event: task.started');
    assert.match(head, /^content-type: text\/event-stream\r$/im);
    const rest = readUntil(socket, '\r\n0\r\n\r\n');
    await clock.run(run.settled());
    assert.match(await rest, 'event: run.done');
    socket.destroy();
    await server.close();
  });

  test('is refused under a name that was made to lead to the loopback', async () => {
    const { engine } = virtualEngine();
    const server = await start(createRunsHandler({ engine, authorize: () => true, logger: silent }));
    const statusOf = async (host: string) => {
      const bytes = Buffer.from(`GET /runs HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      return (await sendRaw(server.port, bytes)).status;
    };
    assert.equal([await statusOf('rebound.example'), await statusOf(`localhost:${server.port}`)], [403, 200]);
    await server.close();
  });

  test('lets go of clients that hang up', async () => {
    const { clock, engine } = virtualEngine();
    const maxStreams = 2;
    const server = await start(
      createRunsHandler({ engine, authorize: () => true, clock, logger: silent, maxStreams }),
    );
    const flow = createFlow('wait').task('a', { perform: () => clock.sleep(1_000) });
    await engine.start(flow, undefined, { id: 'r1' });
    await clock.advance(0);
    const idle = clock.pending;
    for (let round = 0; round < 20; round++) {
      const sockets: Socket[] = [];
      while (sockets.length < maxStreams) {
        const socket = connect(server.port, '127.0.0.1');
        socket.write(get('/runs/r1/events'));
        // Nothing tells a client when the server has heard of the last one's end: it asks again.
        const first = String((await once(socket, 'data'))[0]);
        if (first.startsWith('HTTP/1.1 200')) sockets.push(socket);
        else socket.destroy();
      }
      for (const socket of sockets) socket.destroy();
    }
    await server.close();
    while (clock.pending > idle) await clock.advance(0);
    assert.is(clock.pending, idle);
  });
}
