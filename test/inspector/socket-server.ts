import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const textOpcode = 1;
const closeOpcode = 8;

export interface SocketServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Texts that clients have sent, in order of arrival. */
  readonly texts: readonly string[];
  /** Resolves once so many texts have arrived. */
  arrived(count: number): Promise<void>;
  /** Cuts every connection off without a word. */
  cut(): void;
}

/** A WebSocket server that takes unfragmented text and answers nothing but a close. */
export async function openSocketServer(port = 0): Promise<SocketServer> {
  const texts: string[] = [];
  const sockets = new Set<Duplex>();
  const waiting = new Map<() => void, number>();
  const tell = (): void => {
    for (const [resolve, count] of waiting) if (texts.length >= count) resolve();
  };
  const server = createServer().on('upgrade', ({ headers }, socket: Duplex) => {
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${magic}`).digest('base64');
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade';
    socket.write(`${head}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    let unread = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      for (let frame = readFrame(unread); frame !== undefined; frame = readFrame(unread)) {
        unread = unread.subarray(frame.length);
        if (frame.opcode === textOpcode) texts.push(frame.body.toString());
        if (frame.opcode === closeOpcode) socket.end(Buffer.from([0x80 | closeOpcode, 0]));
      }
      tell();
    });
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `ws://127.0.0.1:${bound}`,
    texts,
    arrived: (count) =>
      new Promise((resolve) => {
        waiting.set(resolve, count);
        tell();
      }),
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The first frame of what a client sent, once it is all there. */
function readFrame(bytes: Buffer): { opcode: number; body: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const start = short === 127 ? 14 : short === 126 ? 8 : 6;
  if (bytes.length < start) return undefined;
  const size =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + size) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const body = bytes.subarray(start, start + size).map((byte, at) => byte ^ (mask[at % 4] as number));
  return { opcode: bytes.readUInt8(0) & 0x0f, body: Buffer.from(body), length: start + size };
}
