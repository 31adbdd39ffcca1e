import type { Clock, Entry, Run } from '../../index.ts';
import { toJson } from '../../model/json.ts';
import { isSettledRun } from '../../model/status.ts';
import { Problem } from '../problem.ts';
import { showEntry } from './show.ts';

export interface EventStreamOptions {
  /** Only events with a greater `seq`. */
  readonly after: number;
  /** How often something is sent at least. */
  readonly keepAliveMs: number;
  readonly clock: Clock;
  /** Asked at each keep-alive: `false` ends the stream. Must not reject. */
  readonly mayGoOn: () => Promise<boolean>;
  /** Each ends the stream when aborted: the client has gone, or the server is about to. */
  readonly signals: readonly AbortSignal[];
  /** The stream has ended, whoever ended it. Called once. */
  readonly ended: () => void;
}

/** Events that are there already are sent together, up to about this size. */
const chunkLength = 16_384;
/** What a browser waits before it comes back after a broken connection. */
const retryMs = 2_000;

/**
 * Where a client that comes back got to.
 *
 * @throws Problem 400 for what is no `seq` of the run
 */
export function readLastEventId({ headers }: Request, run: Run): number {
  const text = headers.get('last-event-id');
  if (text === null) return 0;
  const seq = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (seq <= run.seq) return seq;
  throw new Problem(400, '`last-event-id` must be the id of an event of this run.');
}

/** Whether there is nothing more to send: a browser that got 204 does not come back. */
export function isReadToTheEnd(run: Run, after: number): boolean {
  return after === run.seq && isSettledRun(run.view().status);
}

/**
 * The events of a run as server-sent events, until it has settled. Nothing is kept for a client but the chunk that it
 * is about to take: it reads the journal at its own pace, and one that takes nothing from one keep-alive to the next
 * but one is let go.
 */
export function eventStream(run: Run, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { clock, signals } = options;
  // Longer ones come due at once in Node and browsers.
  const keepAliveMs = Math.min(options.keepAliveMs, 2 ** 31 - 1);
  const encoder = new TextEncoder();
  const reading = new AbortController();
  const events = run.events({ after: options.after, signal: reading.signal });
  let seq = options.after;
  let missed = 0;
  let timer: unknown;
  let isOver = false;

  return new ReadableStream<Uint8Array>({
    start(controller) {
      const close = (): void => {
        if (end()) controller.close();
      };
      // `signal` takes the listeners out again when the stream has ended some other way.
      for (const signal of signals) signal.addEventListener('abort', close, { signal: reading.signal });
      controller.enqueue(encoder.encode(`retry: ${retryMs}\n\n`));
      timer = clock.setTimeout(() => void keepAlive(controller), keepAliveMs);
      if (signals.some(({ aborted }) => aborted)) close();
    },
    // Called when the client has taken what there was.
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

  /** What there is, and where there is nothing the next event; empty at the end. */
  async function nextChunk(): Promise<string> {
    let text = '';
    do {
      const { value } = await events.next();
      if (value === undefined) break;
      seq = value.seq;
      text += writeEvent(value);
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
      return controller.error(new Error('The client took nothing for too long'));
    }
    timer = clock.setTimeout(() => void keepAlive(controller), keepAliveMs);
  }

  /** Whether it is this call that ends it. */
  function end(): boolean {
    if (isOver) return false;
    isOver = true;
    clock.clearTimeout(timer);
    reading.abort();
    options.ended();
    return true;
  }
}

function writeEvent(entry: Entry): string {
  return `id: ${entry.seq}\nevent: ${entry.type}\ndata: ${toJson(showEntry(entry))}\n\n`;
}
