import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '../index.ts';
import type { InspectorHandler, InspectorHandlerOptions, UpgradingServer } from './mounted.ts';
import { pageFiles, toppleVersion } from './page-files.ts';
import { accessByAuthorize } from './server/access.ts';
import { answerInspector } from './server/handler.ts';
import { acceptPage } from './server/live-upgrade.ts';
import type { InspectorParts } from './server/parts.ts';
import { requestOf } from './server/upgrade.ts';
import { EngineSource } from './sources/engine-source.ts';
import { Sources } from './sources/sources.ts';
import { createSocketServer, type SocketServer } from './web-sockets.ts';

export type OpenHandlerOptions = InspectorHandlerOptions & {
  readonly path: string;
  readonly name: string;
  readonly logger: Logger;
};

/** Opens the inspector of an engine in a server of one's own. */
export async function openHandler(options: OpenHandlerOptions): Promise<InspectorHandler> {
  const { engine, path, name, redact, logger, authorize, allowedOrigins, allowedHosts } = options;
  const source = new EngineSource(engine, { id: 'here', name, redact });
  const sources = new Sources();
  sources.add(source);
  const detach: (() => void)[] = [];
  let sockets: SocketServer | undefined;
  const parts: InspectorParts = {
    sources,
    logger,
    access: accessByAuthorize({ authorize, allowedOrigins, allowedHosts, logger }),
    files: pageFiles,
    version: await toppleVersion(),
    path,
    live: () => (sockets === undefined ? { way: 'poll', everyMs: 1_000 } : { way: 'websocket' }),
  };

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { url = '/' } = request;
    if (sockets === undefined || !url.startsWith(`${path}/`)) return;
    socket.on('error', () => socket.destroy());
    void acceptPage(parts, sockets, {
      request,
      socket,
      head,
      asked: () => requestOf(request),
      node: { incoming: request },
    });
  };

  const handler = (request: Request, node?: unknown): Promise<Response> =>
    answerInspector(parts, request, node);
  return Object.assign(handler, {
    path,
    attach(server: UpgradingServer): void {
      sockets ??= createSocketServer();
      server.on('upgrade', upgrade);
      detach.push(() => server.off('upgrade', upgrade));
    },
    close(): void {
      for (const leave of detach.splice(0)) leave();
      sockets?.close();
      sockets = undefined;
      source.close();
    },
  });
}
