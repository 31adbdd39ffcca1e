import { randomBytes } from 'node:crypto';
import { Problem } from '../../http/problem.ts';
import type { Logger } from '../../index.ts';
import type { Dropped, Structure } from '../protocol.ts';
import { feedMessage, feedsOf } from '../sources/feed-bytes.ts';
import type { ShownRun, Source } from '../sources/source.ts';
import {
  type FromProgram,
  linkVersion,
  mostListedTasks,
  mostLists,
  type ToProgram,
  tasksPerMessage,
} from './link-protocol.ts';

export interface UplinkOptions {
  readonly source: Source;
  /** The address of the inspector. */
  readonly url: string;
  readonly name: string;
  readonly pid: number;
  readonly logger: Logger;
}

/** What has been sent of a run. */
interface Sent {
  seq: number;
  line: number;
  hasStructure: boolean;
}

/** How long news is collected before it is sent together. */
const collectMs = 50;
/** Nothing is sent while more bytes wait to be. Entries wait in their journals. */
const mostWaiting = 1_048_576;
/** Runs of which it is known what was sent; the first ones are forgotten, and are sent no more. */
const mostRuns = 10_000;
/** Settled runs that an inspector is sent when it is first connected. */
const mostEarlier = 100;
const firstWaitMs = 250;
const longestWaitMs = 10_000;

/**
 * The connection of a program to an inspector elsewhere. It sends each run's structure and entries, begins again where it
 * stood when the connection broke, and carries out what it is asked.
 *
 * Of a run that waits to be sent only its id is held here: the journals are the buffer.
 */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #instance = randomBytes(18).toString('base64url');
  readonly #sent = new Map<string, Sent>();
  /** The lists of tasks that were sent by this connection, with their numbers. */
  readonly #lists = new Map<Structure['tasks'], number>();
  readonly #dirty = new Set<string>();
  #dropped = 0;
  #toldDropped: Dropped | undefined;
  #socket: WebSocket | undefined;
  #isWelcome = false;
  #isSending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #waitMs = firstWaitMs;
  #isClosed = false;
  #hasWarned = false;
  readonly #stopListening: () => void;
  /** Called whenever there is nothing more to send. */
  #onIdle: (() => void)[] = [];

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#stopListening = options.source.listen({
      changed: (id) => this.#touch(id),
      renewed: (id) => {
        const sent = this.#sent.get(id);
        if (sent !== undefined) sent.hasStructure = false;
        this.#touch(id);
      },
      removed: () => {},
      informed: () => {},
    });
    this.#connect();
    void this.#findEarlier();
  }

  /** Sends what is there, for a moment at most, and ends the connection. */
  async close(graceMs = 1_000): Promise<void> {
    if (this.#isClosed) return;
    this.#stopListening();
    await this.#allSent(graceMs);
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      timer.unref();
      socket.addEventListener('close', () => resolve(), { once: true });
      socket.close();
    });
  }

  #connect(): void {
    const url = new URL('/connect', this.#options.url);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      const { name, pid } = this.#options;
      this.#tell({ type: 'hello', version: linkVersion, instance: this.#instance, name, pid });
    });
    socket.addEventListener('message', ({ data }) => void this.#receive(String(data)));
    // What went wrong is followed by `close`.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', () => this.#disconnected(url));
  }

  #disconnected(url: URL): void {
    this.#isWelcome = false;
    this.#idle();
    if (this.#isClosed) return;
    if (!this.#hasWarned)
      this.#options.logger.warn(`No inspector answers at ${url.origin}: it is tried again and again`);
    this.#hasWarned = true;
    this.#retry = setTimeout(() => this.#connect(), this.#waitMs);
    // A program whose inspector is gone may end.
    this.#retry.unref();
    this.#waitMs = Math.min(2 * this.#waitMs, longestWaitMs);
  }

  async #receive(text: string): Promise<void> {
    const message: ToProgram = JSON.parse(text);
    if (message.type === 'welcome') return this.#welcomed(message.have);
    try {
      const value = await this.#answer(message);
      this.#tell({ type: 'answer', n: message.n, value: value ?? null });
    } catch (error) {
      const { status, message: detail } =
        error instanceof Problem ? error : new Problem(500, 'The program failed to answer.');
      this.#tell({ type: 'refusal', n: message.n, status, detail });
    }
  }

  async #answer(message: Exclude<ToProgram, { type: 'welcome' }>): Promise<unknown> {
    const run = await this.#options.source.open(message.id);
    if (run === undefined) throw new Problem(404, 'The program has no such run any more.');
    if (message.type === 'command') return run.command(message.request);
    return message.type === 'page' ? run.page(message.query) : run.whole(message.query);
  }

  #welcomed(have: Readonly<Record<string, readonly [seq: number, line: number]>>): void {
    this.#isWelcome = true;
    this.#hasWarned = false;
    this.#waitMs = firstWaitMs;
    this.#toldDropped = undefined;
    this.#lists.clear();
    for (const [id, sent] of this.#sent) {
      const [seq, line] = Object.hasOwn(have, id) ? (have[id] ?? [0, 0]) : [0, 0];
      Object.assign(sent, { seq, line, hasStructure: false });
      this.#dirty.add(id);
    }
    this.#schedule();
  }

  /** Has runs sent that began before the inspector did. */
  async #findEarlier(): Promise<void> {
    const runs = await this.#options.source.list({ limit: mostEarlier });
    for (const { run } of [...runs].reverse()) await this.#touchTree(run.id);
  }

  /** Has a run sent, and the child runs that its tasks have now. */
  async #touchTree(id: string): Promise<void> {
    this.#touch(id);
    const run = await Promise.resolve(this.#options.source.open(id)).catch(() => undefined);
    for (const child of Object.values((await run?.children()) ?? {})) await this.#touchTree(child.id);
  }

  #touch(id: string): void {
    if (!this.#sent.has(id)) {
      this.#sent.set(id, { seq: 0, line: 0, hasStructure: false });
      if (this.#sent.size > mostRuns) this.#forgetFirst();
    }
    this.#dirty.add(id);
    this.#schedule();
  }

  #forgetFirst(): void {
    const [id] = this.#sent.keys();
    if (id === undefined) return;
    this.#sent.delete(id);
    if (this.#dirty.delete(id)) this.#dropped++;
  }

  #schedule(): void {
    if (this.#timer !== undefined || !this.#isWelcome || this.#isSending) return;
    this.#timer = setTimeout(() => void this.#send(), collectMs);
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    this.#isSending = true;
    for (const id of [...this.#dirty]) {
      if (!this.#isWelcome || this.#isFull) break;
      this.#dirty.delete(id);
      const isDone = await this.#sendRun(id).catch((error: unknown) => this.#failed(error));
      if (!isDone) this.#dirty.add(id);
    }
    this.#tellDropped();
    this.#isSending = false;
    if (this.#dirty.size > 0) this.#schedule();
    else this.#idle();
  }

  /** Sends what is new of a run. Returns whether that was all. */
  async #sendRun(id: string): Promise<boolean> {
    const sent = this.#sent.get(id);
    const run = sent && (await this.#options.source.open(id));
    if (sent === undefined) return true;
    // It has left the engine before all of it was sent.
    if (run === undefined) return this.#drop(id);
    if (!sent.hasStructure) {
      const structure = run.structure();
      if (structure.tasks.length > mostListedTasks) return this.#drop(id);
      this.#sendStructure(structure);
      sent.hasStructure = true;
    }
    return this.#sendFeed(run, sent);
  }

  #drop(id: string): true {
    this.#sent.delete(id);
    this.#dropped++;
    return true;
  }

  /** Sends the tasks of a run only if no run before it had the same. */
  #sendStructure({ tasks, ...structure }: Structure): void {
    if (!this.#lists.has(tasks)) {
      const total = [...this.#lists.keys()].reduce((sum, { length }) => sum + length, tasks.length);
      if (total > mostListedTasks || this.#lists.size === mostLists) this.#lists.clear();
      const list = this.#lists.size;
      this.#lists.set(tasks, list);
      for (let at = 0; at === 0 || at < tasks.length; at += tasksPerMessage)
        this.#tell({ type: 'tasks', list, isFirst: at === 0, tasks: tasks.slice(at, at + tasksPerMessage) });
    }
    const list = this.#lists.get(tasks) as number;
    this.#tell({ type: 'run', structure: { ...structure, source: '' }, list });
  }

  #sendFeed(run: ShownRun, sent: Sent): boolean {
    for (;;) {
      if (this.#isFull) return false;
      const batch = run.read(sent.seq);
      const lines = run.logs(sent.line);
      const feeds = feedsOf(batch, lines);
      if (feeds.length > 0) this.#socket?.send(feedMessage({ type: 'feed', id: run.id }, feeds));
      Object.assign(sent, { seq: batch.to, line: lines.to });
      if (batch.entries === undefined) return true;
    }
  }

  #failed(error: unknown): boolean {
    // A run that cannot be read here.
    if (!(error instanceof Problem)) this.#options.logger.error('The inspector could not send a run', error);
    return true;
  }

  #tellDropped(): void {
    if (this.#dropped === (this.#toldDropped?.runs ?? 0) || !this.#isWelcome) return;
    this.#toldDropped = { runs: this.#dropped, entries: 0, logs: 0 };
    this.#tell({ type: 'dropped', dropped: this.#toldDropped });
  }

  get #isFull(): boolean {
    return (this.#socket?.bufferedAmount ?? 0) > mostWaiting;
  }

  #tell(message: FromProgram): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Resolves once nothing is left to send, or after a while. */
  #allSent(graceMs: number): Promise<void> {
    const isDown = this.#socket === undefined || this.#socket.readyState > WebSocket.OPEN;
    if (isDown || (this.#isWelcome && this.#dirty.size === 0 && !this.#isSending)) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      timer.unref();
      this.#onIdle.push(resolve);
    });
  }

  #idle(): void {
    for (const callback of this.#onIdle.splice(0)) callback();
  }
}
