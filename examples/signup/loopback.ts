import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of this example: where it is, and how to end it. */
export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves HTTP on a free port that only this machine can reach. */
export async function serve(listener: RequestListener): Promise<Service> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
