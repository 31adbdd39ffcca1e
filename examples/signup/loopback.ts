import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of this example: its address, and a way to end it. */
export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves HTTP on a free port that only this machine can reach. Closing it ends all connections. */
export async function serve(listener: RequestListener): Promise<Service> {
  const server = createServer(listener);
  const { url, close } = await listen(server, 0);
  return {
    url,
    close: () => {
      const closed = close();
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Lets a server listen on a loopback port; 0 picks a free one. Requests under way are answered when it closes. */
export async function listen(server: Server, port: number): Promise<Service> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
