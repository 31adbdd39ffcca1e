import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { toNodeHandler } from '../../http/fetch-bridge.ts';
import { Problem, problemResponse } from '../../http/problem.ts';
import type { Logger } from '../../index.ts';
import type { Collector } from '../link/collector.ts';
import { pageFiles, toppleVersion } from '../page-files.ts';
import { PortTakenError } from '../port-taken-error.ts';
import type { Sources } from '../sources/sources.ts';
import { createSocketServer } from '../web-sockets.ts';
import { accessByToken } from './access.ts';
import { answerInspector } from './handler.ts';
import { acceptPage } from './live-upgrade.ts';
import type { InspectorParts } from './parts.ts';
import { requestOf } from './upgrade.ts';

export interface ServeOptions {
  readonly sources: Sources;
  /** 0 for any that is free. */
  readonly port: number;
  readonly logger: Logger;
  /** Takes programs that connect. Without it none may. */
  readonly collector?: Collector | undefined;
}

/** A server of the inspector, on loopback. */
export interface ServedInspector {
  /** The address of the page, with its token. */
  readonly url: string;
  readonly port: number;
  /** Ends all connections, and frees the port. Safe to repeat. */
  close(): Promise<void>;
}

/** The address that programs connect to. */
const connectPath = '/connect';
const host = '127.0.0.1';
const secret = (): string => randomBytes(24).toString('base64url');

/**
 * Serves the inspector on this machine alone, and to whoever has its token.
 *
 * @throws PortTakenError
 */
export async function serveInspector(options: ServeOptions): Promise<ServedInspector> {
  const { sources, logger, collector } = options;
  const sockets = createSocketServer();
  const token = secret();
  const port = (): number => (server.address() as AddressInfo).port;
  const parts: InspectorParts = {
    sources,
    logger,
    access: accessByToken({ token, session: secret(), port }),
    files: pageFiles,
    version: await toppleVersion(),
    path: '',
    live: () => ({ way: 'websocket' }),
  };
  const listener = toNodeHandler((request, node) => {
    const isKnock = collector !== undefined && new URL(request.url).pathname === connectPath;
    return isKnock ? answerKnock() : answerInspector(parts, request, node);
  });
  const server = createServer((request, response) => void listener(request, response));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === connectPath && collector !== undefined)
      return collector.accept(sockets, request, socket, head, port());
    void acceptPage(parts, sockets, { request, socket, head, asked: () => requestOf(request) });
  });
  await listen(server, options.port);
  let closing: Promise<void> | undefined;
  return {
    url: `http://${host}:${port()}/?token=${token}`,
    port: port(),
    close() {
      closing ??= new Promise<void>((resolve) => {
        sockets.close();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closing;
    },
  };
}

/** Tells programs that look for an inspector that there is one. Nothing else is told without a token. */
function answerKnock(): Response {
  const headers = { upgrade: 'topple-inspect, websocket' };
  return problemResponse(new Problem(426, 'Programs connect here by a WebSocket.', { headers }));
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
      reject(isTaken ? new PortTakenError(port, { cause: error }) : error);
    });
    server.listen({ port, host }, resolve);
  });
}
