import { Worker } from 'node:worker_threads';
import type { LinkReport, LinkSettings, LinkStop } from './stately-worker.ts';

/** What became of the messages. */
export interface StatelyTally {
  /** Given to the socket. What a broken connection swallowed is counted here. */
  readonly sent: number;
  /** Not sent: too old for the buffer, or left when the time to stop was over. */
  readonly dropped: number;
}

/** How long after the end of its grace the thread has to end by itself. */
const endMs = 500;
/** What timers take at most. */
const maxTimeoutMs = 2 ** 31 - 1;

/** A WebSocket in a thread of its own, which keeps no process alive but while it is being stopped. */
export class StatelyLink {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #given = 0;
  #sent = 0;

  constructor(settings: LinkSettings) {
    // The build turns every source into a `.js` beside the others.
    const file = new URL('./stately-worker.ts', import.meta.url);
    if (import.meta.url.endsWith('.js')) file.pathname = file.pathname.replace(/\.ts$/, '.js');
    this.#worker = new Worker(file, { name: 'topple inspector', workerData: settings, execArgv: [] });
    this.#worker.on('message', ({ sent }: LinkReport) => {
      this.#sent = sent;
    });
    this.#worker.on('error', (error) => {
      process.emitWarning(`Nothing more goes to the Stately inspector, for its thread failed: ${error}`);
    });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    // Last, for a listener that is put on a worker refs it again.
    this.#worker.unref();
  }

  send(message: string): void {
    this.#given++;
    this.#worker.postMessage(message);
  }

  async stop(givenMs: number): Promise<StatelyTally> {
    const graceMs = Math.min(givenMs, maxTimeoutMs - endMs);
    this.#worker.ref();
    this.#worker.postMessage({ graceMs } satisfies LinkStop);
    const limit = setTimeout(() => this.#worker.terminate(), graceMs + endMs);
    await this.#ended;
    clearTimeout(limit);
    return { sent: this.#sent, dropped: this.#given - this.#sent };
  }
}
