import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import WebSocket from 'ws';
import { createSocketServer } from '../../src/inspector/web-sockets.ts';
import { spec } from '../spec.ts';

const test = spec('the WebSockets of the inspector');

test('a peer that is gone without a word is pinged, and disconnected when it does not answer', async () => {
  const clock = createVirtualClock();
  const sockets = createSocketServer(clock);
  const server = createServer();
  const closed: string[] = [];
  const told: string[] = [];
  let wake = (): void => {};
  server.on('upgrade', (request, socket, head) => {
    const name = request.url ?? '';
    sockets.accept(request, socket, head, { maxBytes: 100 }, () => ({
      text: (text) => {
        told.push(text);
        wake();
      },
      closed: () => {
        closed.push(name);
        wake();
      },
    }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const alive = new WebSocket(`ws://127.0.0.1:${port}/alive`);
  await once(alive, 'open');
  // It shakes hands, and never reads a frame.
  const gone = connect(port, '127.0.0.1');
  gone.write(
    'GET /gone HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(gone, 'data');

  const isPinged = once(alive, 'ping');
  const isTold = new Promise<void>((resolve) => {
    wake = resolve;
  });
  await clock.advance(15_000);
  await isPinged;
  // The answer to the ping comes before this.
  alive.send('here');
  await isTold;
  assert.equal([told, closed], [['here'], []]);

  const isClosed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  await clock.advance(15_000);
  await isClosed;
  assert.equal(closed, ['/gone']);
  assert.is(alive.readyState, WebSocket.OPEN);
  sockets.close();
  gone.destroy();
  server.close();
});
