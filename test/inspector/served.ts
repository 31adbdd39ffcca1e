import { type IncomingMessage, request as nodeRequest } from 'node:http';
import { createEngine, type Engine, type EngineOptions } from 'topple';
import { createInspector, type Inspector, type InspectorOptions } from 'topple/inspector';
import WebSocket from 'ws';
import type { ToPage, ToServer } from '../../src/inspector/protocol.ts';
import { silent } from '../support/virtual.ts';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** What a request sends; headers as they are, also those that fetch would not send. */
export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request as it is, without following or decoding anything. */
export function send(url: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const path = url.slice(new URL(url).origin.length);
    const request = nodeRequest({ host: hostname, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** An engine and its inspector, with a page that has been let in. */
export class Served implements AsyncDisposable {
  readonly engine: Engine;
  readonly inspector: Inspector;
  readonly origin: string;
  readonly cookie: string;

  private constructor(engine: Engine, inspector: Inspector, cookie: string) {
    this.engine = engine;
    this.inspector = inspector;
    this.origin = new URL(inspector.url).origin;
    this.cookie = cookie;
  }

  static async start(
    options: Partial<InspectorOptions> = {},
    engineOptions: EngineOptions = {},
  ): Promise<Served> {
    const engine = options.engine ?? createEngine({ logger: silent, ...engineOptions });
    const inspector = await createInspector({ engine, logger: silent, ...options });
    return new Served(engine, inspector, await cookieOf(inspector.url));
  }

  /** Asks as the page does. */
  ask(path: string, { headers, ...asking }: Asking = {}): Promise<Answer> {
    const own = { cookie: this.cookie, 'sec-fetch-site': 'same-origin' };
    const post = asking.method === 'POST' ? { origin: this.origin, 'content-type': 'application/json' } : {};
    return send(this.origin + path, { ...asking, headers: { ...own, ...post, ...headers } });
  }

  async json<T>(path: string): Promise<T> {
    const { status, text } = await this.ask(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text);
  }

  command(source: string, id: string, body: unknown): Promise<Answer> {
    const path = `/api/runs/${source}/${encodeURIComponent(id)}/commands`;
    return this.ask(path, { method: 'POST', body: JSON.stringify(body) });
  }

  live(headers: Readonly<Record<string, string>> = {}): Promise<Live> {
    const all = { cookie: this.cookie, origin: this.origin, ...headers };
    return Live.open(`${this.origin.replace('http', 'ws')}/api/live`, all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.stop();
    await this.inspector.close();
  }
}

/** Opens the page by its address, as a browser does first. */
export async function cookieOf(url: string): Promise<string> {
  const { headers } = await send(url, {
    headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' },
  });
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

/** The page's end of a live connection. */
export class Live {
  readonly socket: WebSocket;
  readonly messages: ToPage[] = [];
  /** Close code, once it is closed; 0 until then. */
  closeCode = 0;
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)));
      this.#wake();
    });
    socket.on('close', (code) => {
      this.closeCode = code;
      this.#wake();
    });
    socket.on('error', () => {});
  }

  /** Opens a connection; rejects with the status of a refusal. */
  static open(url: string, headers: Readonly<Record<string, string>>): Promise<Live> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { headers });
      const live = new Live(socket);
      socket.once('open', () => resolve(live));
      socket.once('unexpected-response', (_, { statusCode }) => {
        socket.terminate();
        reject(new Error(String(statusCode)));
      });
      socket.once('error', reject);
    });
  }

  tell(message: ToServer): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Waits until the messages so far say something. */
  async until<T>(found: (messages: readonly ToPage[]) => T | undefined | false): Promise<T> {
    for (;;) {
      const result = found(this.messages);
      if (result !== undefined && result !== false) return result;
      if (this.closeCode !== 0) throw new Error(`closed with ${this.closeCode}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async closed(): Promise<number> {
    while (this.closeCode === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.closeCode;
  }
}
