import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection of which every byte is ours. */
export class Client implements AsyncDisposable {
  readonly socket: Socket;
  received = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.received += chunk;
    });
    socket.on('error', () => {});
  }

  static async to(port: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Client(socket);
  }

  request(method: string, path = '/', headers = ''): this {
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: test\r\n${headers}\r\n`);
    return this;
  }

  /** Resolves once what was received matches so often. */
  async until(pattern: RegExp, times = 1): Promise<string> {
    const global = new RegExp(pattern, 'g');
    while ((this.received.match(global)?.length ?? 0) < times) {
      if (this.socket.closed) throw new Error(`Closed before ${pattern}: ${this.received}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
    return this.received;
  }

  /** Reads until it has so many bytes, and no more from then on. */
  async take(bytes: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (): void => reject(new Error(`Closed after ${this.received.length} bytes`));
    const look = (): void => {
      if (this.received.length >= bytes) resolve();
    };
    this.socket.on('data', look).once('close', fail).resume();
    look();
    await promise;
    this.socket.off('data', look).off('close', fail).pause();
  }

  /** Hangs up without a word. */
  hangUp(): void {
    this.socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}
