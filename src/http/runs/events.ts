import type { Clock, Entry, Run } from '../../index.ts';
import { toJson } from '../../model/json.ts';
import { isSettledRun } from '../../model/status.ts';
import { Problem } from '../problem.ts';
import { showEntry } from './show.ts';

export interface EventStreamOptions {
  /** Only events with a greater `seq`. */
  readonly after: number;
  /** Whether events of all runs below come too, each with its `path`. They have no ids: a client begins anew. */
  readonly deep: boolean;
  /** The longest time without sending anything. */
  readonly keepAliveMs: number;
  readonly clock: Clock;
  /** Called at each keep-alive: `false` ends the stream. Must not reject. */
  readonly mayGoOn: () => Promise<boolean>;
  /** Signals that end the stream: the client has disconnected, or the server is closing. */
  readonly signals: readonly AbortSignal[];
  /** Called once when the stream has ended, for whatever reason. */
  readonly ended: () => void;
}

/** Approximate limit for existing events that are sent together. */
const chunkLength = 16_384;
/** How long a browser waits before it reconnects. */
const retryMs = 2_000;

/**
 * Reads the last `seq` that a reconnecting client has received.
 *
 * @throws Problem 400 if it is not a `seq` of the run
 */
export function readLastEventId({ headers }: Request, run: Run): number {
  const text = headers.get('last-event-id');
  if (text === null) return 0;
  const seq = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (seq <= run.seq) return seq;
  throw new Problem(400, '`last-event-id` must be the id of an event of this run.');
}

/** Tells whether there is nothing more to send: a browser that gets 204 does not reconnect. */
export function isReadToTheEnd(run: Run, after: number): boolean {
  return after === run.seq && isSettledRun(run.view().status);
}

/**
 * Streams the events of a run as server-sent events, until it has settled. Only the next chunk is buffered for a
 * client: it reads the journal at its own pace. A client that reads nothing until the second keep-alive is due is
 * disconnected.
 */
export function eventStream(run: Run, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { clock, signals } = options;
  // Longer timers fire at once in Node and browsers.
  const keepAliveMs = Math.min(options.keepAliveMs, 2 ** 31 - 1);
  const encoder = new TextEncoder();
  const reading = new AbortController();
  const { signal } = reading;
  const events: AsyncGenerator<Entry> = options.deep
    ? run.events({ deep: true, signal })
    : run.events({ after: options.after, signal });
  let seq = options.after;
  let missed = 0;
  let timer: unknown;
  let isOver = false;

  return new ReadableStream<Uint8Array>({
    start(controller) {
      const close = (): void => {
        if (end()) controller.close();
      };
      // `signal` removes the listeners if the stream ends another way.
      for (const signal of signals) signal.addEventListener('abort', close, { signal: reading.signal });
      controller.enqueue(encoder.encode(`retry: ${retryMs}\n\n`));
      timer = clock.setTimeout(() => void keepAlive(controller), keepAliveMs);
      if (signals.some(({ aborted }) => aborted)) close();
    },
    // Called when the client has read everything so far.
    async pull(controller) {
      missed = 0;
      const text = await nextChunk();
      if (isOver) return;
      if (text !== '') controller.enqueue(encoder.encode(text));
      else if (end()) controller.close();
    },
    cancel() {
      end();
    },
  });

  /** Returns the existing events, or waits for the next one; returns an empty text at the end. */
  async function nextChunk(): Promise<string> {
    let text = '';
    do {
      const { value } = await events.next();
      if (value === undefined) break;
      // Whether another one is there already is not known of a tree.
      if (options.deep) return writeEvent(value, false);
      seq = value.seq;
      text += writeEvent(value, true);
    } while (seq < run.seq && text.length < chunkLength);
    return text;
  }

  async function keepAlive(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const isAllowed = await options.mayGoOn();
    if (isOver) return;
    if (!isAllowed) {
      end();
      return controller.close();
    }
    if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'));
    else if (++missed > 1) {
      end();
      return controller.error(new Error('The client read nothing for too long'));
    }
    timer = clock.setTimeout(() => void keepAlive(controller), keepAliveMs);
  }

  /** Ends the stream, and tells whether this call did. */
  function end(): boolean {
    if (isOver) return false;
    isOver = true;
    clock.clearTimeout(timer);
    reading.abort();
    options.ended();
    return true;
  }
}

function writeEvent(entry: Entry, hasId: boolean): string {
  return `${hasId ? `id: ${entry.seq}\n` : ''}event: ${entry.type}\ndata: ${toJson(showEntry(entry))}\n\n`;
}
