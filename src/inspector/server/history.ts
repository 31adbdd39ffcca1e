import { soon } from '../../http/requests-first.ts';
import { type FeedPieces, feedPieces, feedsOf } from '../sources/feed-bytes.ts';
import type { ShownRun } from '../sources/source.ts';
import { inspectorHeaders } from './pages.ts';

/** Where a reader stands. */
export interface ReadTo {
  /** `seq` of the last entry that it has. */
  readonly entry: number;
  /** Number of the last line of log that it has. */
  readonly log: number;
}

/**
 * Answers with all that there is of a run now, as lines of JSON. A reader gets the next lines when it has read those
 * before, so that none is held for a slow one. The event loop runs between batches.
 */
export function historyOf(run: ShownRun, after: ReadTo, request: Request): Response {
  const lines = historyLines(run, after);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await lines.next();
        if (done) controller.close();
        else controller.enqueue(Buffer.concat([...value, newline]));
      },
      async cancel() {
        await lines.return(undefined);
      },
    },
    { highWaterMark: 1 },
  );
  const headers = { ...inspectorHeaders, 'content-type': 'application/x-ndjson' };
  if (!acceptsGzip(request)) return new Response(body, { headers });
  const zipped = body.pipeThrough(new CompressionStream('gzip') as never) as ReadableStream<
    Uint8Array<ArrayBuffer>
  >;
  return new Response(zipped, {
    headers: { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' },
  });
}

const newline = new TextEncoder().encode('\n');
const noLines = { lines: [], dropped: 0 };

/** Yields lines, up to the entry that is the last now. The event loop runs between batches. */
async function* historyLines(run: ShownRun, { entry, log }: ReadTo): AsyncGenerator<FeedPieces, undefined> {
  const end = run.seq;
  for (let seq = entry; seq < end; ) {
    const batch = run.read(seq);
    if (batch.to <= seq) break;
    seq = batch.to;
    yield* feedsOf(batch, noLines);
    await new Promise<void>(soon);
  }
  yield* feedsOf({ to: end }, run.logs(log));
  const children = await run.children();
  if (Object.keys(children).length > 0) yield feedPieces({ children });
  const isSettled = run.isSettled && run.seq === end;
  yield feedPieces({ end: { seq: end, isSettled } });
  return undefined;
}

function acceptsGzip({ headers }: Request): boolean {
  return /(^|[\s,])gzip\s*(;\s*q=(1|0\.\d*[1-9]\d*)\s*)?(,|$)/i.test(headers.get('accept-encoding') ?? '');
}
