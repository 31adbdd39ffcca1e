import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '../../http/problem.ts';

/** Answers an upgrade that is refused, and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: number, detail: string): void {
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/**
 * The request of an upgrade, as fetch-style code reads it.
 *
 * @throws Problem 400 for an address or header that is none
 */
export function requestOf({ rawHeaders, headers, url = '/' }: IncomingMessage): Request {
  try {
    const all = new Headers();
    for (let at = 0; at < rawHeaders.length; at += 2)
      all.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
    const host = /^([\w.~-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(headers.host ?? '')
      ? headers.host
      : undefined;
    if (host === undefined || !url.startsWith('/')) throw new Problem(400, 'The request is malformed.');
    return new Request(`http://${host}${url}`, { headers: all });
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(400, 'The request is malformed.');
  }
}
