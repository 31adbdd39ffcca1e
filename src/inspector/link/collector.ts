import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '../../http/problem.ts';
import { isLoopbackHost } from '../server/access.ts';
import { refuseUpgrade, requestOf } from '../server/upgrade.ts';
import type { Sources } from '../sources/sources.ts';
import type { SocketServer, TextSocket, TextSocketListener } from '../web-sockets.ts';
import { linkVersion, maxLinkBytes } from './link-protocol.ts';
import { type ProgramHello, ProgramSource } from './program-source.ts';
import { readFromProgram } from './read-link.ts';

export interface CollectorOptions {
  readonly sources: Sources;
  /** Characters of all programs together that are kept, about. Default 256 MB. */
  readonly maxSize?: number | undefined;
}

/** Programs at most, those that are gone included. */
const mostPrograms = 100;
const policyViolation = 1008;

/**
 * Takes programs that connect, each of them a source of its own. They need no token, since all they can do is to add runs
 * of their own, and to be told what a person does with these. So it must be a program of this machine, or a page of it.
 */
export class Collector {
  readonly #sources: Sources;
  readonly #maxSize: number;
  /** By the secret that each has made up. */
  readonly #programs = new Map<string, ProgramSource>();
  readonly #sockets = new Map<ProgramSource, TextSocket>();
  #count = 0;
  /** Characters received since the size was measured. */
  #received = 0;

  constructor({ sources, maxSize = 256 * 1_024 * 1_024 }: CollectorOptions) {
    this.#sources = sources;
    this.#maxSize = maxSize;
  }

  accept(sockets: SocketServer, request: IncomingMessage, socket: Duplex, head: Buffer, port: number): void {
    try {
      checkOrigin(requestOf(request), port);
    } catch (error) {
      const { status, message } =
        error instanceof Problem ? error : new Problem(400, 'The request is malformed.');
      return refuseUpgrade(socket, status, message);
    }
    sockets.accept(request, socket, head, { maxBytes: maxLinkBytes, takesBytes: true }, (opened) =>
      this.#open(opened),
    );
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.terminate();
  }

  #open(socket: TextSocket): TextSocketListener {
    let program: ProgramSource | undefined;
    return {
      text: (text) => {
        try {
          const message = readFromProgram(text);
          if (message === undefined) throw new Error('It is no message');
          if (program !== undefined) program.take(message);
          else if (message.type === 'hello' && message.version === linkVersion)
            program = this.#greet(message, socket);
          else throw new Error('A program says hello first, in this version');
          this.#keepSmall(text.length);
        } catch {
          socket.close(policyViolation, 'not a message of a program');
        }
      },
      closed: () => {
        if (program === undefined || this.#sockets.get(program) !== socket) return;
        this.#sockets.delete(program);
        program.disconnect();
      },
    };
  }

  #greet(hello: ProgramHello, socket: TextSocket): ProgramSource {
    const known = this.#programs.get(hello.instance);
    const program = known ?? new ProgramSource(`p${++this.#count}`, hello);
    // The connection that it had before may not have been noticed to be broken.
    this.#sockets.get(program)?.terminate();
    this.#sockets.set(program, socket);
    if (known === undefined) {
      this.#programs.set(hello.instance, program);
      this.#sources.add(program);
      this.#dropPrograms();
    }
    program.connect((message) => socket.send(JSON.stringify(message)));
    return program;
  }

  /** Forgets programs that are gone, the oldest first, where there are too many. */
  #dropPrograms(): void {
    for (const [instance, program] of this.#programs) {
      if (this.#programs.size <= mostPrograms) return;
      if (program.isHere) continue;
      this.#programs.delete(instance);
      this.#sources.remove(program);
    }
  }

  /** Drops what is oldest once there is too much. */
  #keepSmall(received: number): void {
    this.#received += received;
    if (this.#received < this.#maxSize / 64) return;
    this.#received = 0;
    let size = this.#size();
    while (size > this.#maxSize) {
      const largest = [...this.#programs.values()].reduce((a, b) => (b.size > a.size ? b : a));
      if (!largest.shrink()) return;
      size = this.#size();
    }
  }

  #size(): number {
    let size = 0;
    for (const program of this.#programs.values()) size += program.size;
    return size;
  }
}

/** Lets in programs, which have no origin, and pages of this machine, under a name of this machine. */
function checkOrigin(request: Request, port: number): void {
  const { host } = new URL(request.url);
  if (!isLoopbackHost(host, port))
    throw new Problem(403, 'The inspector answers under the names 127.0.0.1 and localhost alone.');
  const origin = request.headers.get('origin');
  if (origin === null) return;
  const name = URL.parse(origin)?.hostname ?? '';
  if (!/^(localhost|127\.0\.0\.1|\[::1\])$/.test(name))
    throw new Problem(403, 'Pages of other machines may not send runs.');
}
