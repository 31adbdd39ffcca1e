import type { Batch, LogBatch } from './source.ts';

/** The JSON of `Feed`s, as pieces of UTF-8 that follow one another. */
export type FeedPieces = readonly Uint8Array<ArrayBuffer>[];

const encoder = new TextEncoder();
const entriesHead = encoder.encode('{"entries":');
const tail = encoder.encode('}');

/** The `Feed`s of a batch and of lines of log, each as its pieces; empty where there is nothing new. */
export function feedsOf({ gap, entries }: Batch, { lines, dropped }: Omit<LogBatch, 'to'>): FeedPieces[] {
  const feeds: FeedPieces[] = [];
  if (gap !== undefined) feeds.push(feedPieces({ gap }));
  if (entries !== undefined) feeds.push([entriesHead, ...entries, tail]);
  if (lines.length > 0 || dropped > 0) feeds.push(feedPieces({ logs: lines, dropped }));
  return feeds;
}

/** The pieces of anything that JSON has. */
export function feedPieces(feed: object): FeedPieces {
  return [encoder.encode(JSON.stringify(feed))];
}

/** A JSON object with the fields of another one and a list of feeds, `feed`, as UTF-8. */
export function feedMessage(fields: object, feeds: readonly FeedPieces[]): Buffer<ArrayBuffer> {
  const pieces = [encoder.encode(`${JSON.stringify(fields).slice(0, -1)},"feed":[`)];
  for (const [index, feed] of feeds.entries()) {
    if (index > 0) pieces.push(comma);
    pieces.push(...feed);
  }
  pieces.push(end);
  return Buffer.concat(pieces);
}

const comma = encoder.encode(',');
const end = encoder.encode(']}');
