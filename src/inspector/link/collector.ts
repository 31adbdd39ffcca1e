import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SocketServer } from '../web-sockets.ts';

/** Takes programs that connect. */
export interface Collector {
  accept(sockets: SocketServer, request: IncomingMessage, socket: Duplex, head: Buffer, port: number): void;
  close(): void;
}
