import { Worker } from 'node:worker_threads';
import type { LinkReport, LinkSettings, LinkStop } from './stately-worker.ts';

/** Numbers of messages sent and dropped. */
export interface StatelyTally {
  /** Messages given to the socket, including those lost with a broken connection. */
  readonly sent: number;
  /** Messages not sent: dropped from a full buffer, or still waiting when the time to stop was over. */
  readonly dropped: number;
}

/** Time that the thread has after its grace to exit by itself. */
const endMs = 500;
/** The longest delay of a timer. */
const maxTimeoutMs = 2 ** 31 - 1;

/** A WebSocket in its own thread, which keeps the process alive only while it is being stopped. */
export class StatelyLink {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #given = 0;
  #sent = 0;

  constructor(settings: LinkSettings) {
    // The build compiles each source to a `.js` file beside the others.
    const file = new URL('./stately-worker.ts', import.meta.url);
    if (import.meta.url.endsWith('.js')) file.pathname = file.pathname.replace(/\.ts$/, '.js');
    this.#worker = new Worker(file, { name: 'topple inspector', workerData: settings, execArgv: [] });
    this.#worker.on('message', ({ sent }: LinkReport) => {
      this.#sent = sent;
    });
    this.#worker.on('error', (error) => {
      process.emitWarning(
        `Nothing more is sent to the Stately inspector, because its thread failed: ${error}`,
      );
    });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    // Last, because adding a listener to a worker refs it again.
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
