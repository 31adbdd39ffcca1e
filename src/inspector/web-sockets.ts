import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket as Socket, WebSocketServer } from 'ws';
import type { Clock } from '../index.ts';

/** One end of a WebSocket that speaks text. */
export interface TextSocket {
  /** @param text a string, or its UTF-8 */
  send(text: string | Uint8Array): void;
  /** Bytes that wait to be sent. */
  readonly waiting: number;
  close(code: number, reason: string): void;
  /** Ends the connection at once. */
  terminate(): void;
}

/** What is told of a socket. */
export interface TextSocketListener {
  text(text: string): void;
  closed(): void;
}

/** Accepts WebSockets of a server. */
export interface SocketServer {
  /**
   * Completes the upgrade of a request.
   *
   * @param opened gives the listener of the socket
   */
  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    rules: SocketRules,
    opened: (socket: TextSocket) => TextSocketListener,
  ): void;
  close(): void;
}

export interface SocketRules {
  /** The longest message, in bytes; a longer one ends the connection. */
  readonly maxBytes: number;
  /** Binary messages are texts too, in UTF-8. Otherwise one ends the connection. */
  readonly takesBytes?: boolean | undefined;
}

/** How often each client has to answer; one that did not since the last time is disconnected. */
const aliveMs = 15_000;

const timeOfDay: Clock = {
  // Sockets keep a process alive, not that they are looked after.
  setTimeout: (callback, timeoutMs) => setTimeout(callback, timeoutMs).unref(),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/**
 * Makes a server of WebSockets.
 *
 * @param clock when to look whether clients are alive
 */
export function createSocketServer(clock: Clock = timeOfDay): SocketServer {
  const sockets = new Map<Socket, boolean>();
  let timer = clock.setTimeout(checkAlive, aliveMs);
  // Neither compression nor more than one text of a message at a time: both cost memory that a client could command.
  const servers = new Map<number, WebSocketServer>();

  return {
    accept(request, socket, head, { maxBytes, takesBytes = false }, opened) {
      serverFor(maxBytes).handleUpgrade(request, socket, head, (accepted) =>
        open(accepted, takesBytes, opened),
      );
    },
    close() {
      clock.clearTimeout(timer);
      for (const socket of sockets.keys()) socket.terminate();
      for (const server of servers.values()) server.close();
    },
  };

  function serverFor(maxPayload: number): WebSocketServer {
    const known = servers.get(maxPayload);
    if (known !== undefined) return known;
    const made = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
    });
    servers.set(maxPayload, made);
    return made;
  }

  function open(
    socket: Socket,
    takesBytes: boolean,
    opened: (socket: TextSocket) => TextSocketListener,
  ): void {
    sockets.set(socket, true);
    const listener = opened({
      send: (text) => socket.send(text, { binary: false }),
      get waiting() {
        return socket.bufferedAmount;
      },
      close: (code, reason) => socket.close(code, reason),
      terminate: () => socket.terminate(),
    });
    socket.on('pong', () => sockets.set(socket, true));
    socket.on('message', (data, isBinary) => {
      if (isBinary && !takesBytes) socket.close(1003, 'text only');
      else listener.text(String(data));
    });
    // What is wrong with it has ended it: `close` follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      listener.closed();
    });
  }

  function checkAlive(): void {
    timer = clock.setTimeout(checkAlive, aliveMs);
    for (const [socket, hasAnswered] of sockets) {
      if (!hasAnswered) {
        socket.terminate();
        continue;
      }
      sockets.set(socket, false);
      socket.ping();
    }
  }
}
