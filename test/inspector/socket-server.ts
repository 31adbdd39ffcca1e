import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const textOpcode = 1;
const closeOpcode = 8;

/** A WebSocket server on the loopback that takes unfragmented texts and answers nothing but a close. */
export class SocketServer implements AsyncDisposable {
  /** What it does with who wants to connect. */
  mode: 'accept' | 'refuse' | 'ignore' = 'accept';
  /** Accepted so far. */
  connections = 0;
  /** Received, in order of arrival. */
  readonly texts: string[] = [];
  readonly #sockets = new Set<Duplex>();
  readonly #server = createServer().on('upgrade', ({ headers }, socket) =>
    this.#meet(String(headers['sec-websocket-key']), socket),
  );
  readonly #waiting = new Map<() => void, () => boolean>();

  static async open(): Promise<SocketServer> {
    const server = new SocketServer();
    await once(server.#server.listen(0, '127.0.0.1'), 'listening');
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once the condition holds: it is asked when something has happened here. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(resolve, condition);
      this.#happened();
    });
  }

  /** Cuts off every connection without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await once(this.#server.close(), 'close');
  }

  #meet(key: string, socket: Duplex): void {
    this.#sockets.add(socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket)));
    if (this.mode === 'refuse') socket.destroy();
    if (this.mode !== 'accept') return;
    const accept = createHash('sha1').update(`${key}${magic}`).digest('base64');
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade';
    socket.write(`${head}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    this.connections++;
    this.#happened();
    let unread = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      for (let frame = readFrame(unread); frame !== undefined; frame = readFrame(unread)) {
        unread = unread.subarray(frame.length);
        if (frame.opcode === textOpcode) this.texts.push(frame.body.toString());
        if (frame.opcode === closeOpcode) socket.end(Buffer.from([0x80 | closeOpcode, 0]));
      }
      this.#happened();
    });
  }

  #happened(): void {
    for (const [resolve, condition] of this.#waiting) if (condition()) resolve();
  }
}

/** The first frame of what a client sent, once all of it is there. */
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
