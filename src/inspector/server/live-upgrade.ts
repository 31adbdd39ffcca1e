import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '../../http/problem.ts';
import type { Clock } from '../../index.ts';
import type { IsVisible } from '../sources/sources.ts';
import type { SocketServer } from '../web-sockets.ts';
import { LiveSession } from './live-session.ts';
import type { InspectorParts } from './parts.ts';
import { routeOf } from './route.ts';
import { refuseUpgrade } from './upgrade.ts';

/** An upgrade that a page has asked for. */
export interface PageUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** The request in fetch's form. Throws Problem. */
  readonly asked: () => Request;
  /** What an adapter of Node passes with requests. */
  readonly node?: unknown;
}

/** The longest message of a page. */
const maxBytes = 65_536;
/** How often it is asked again whether the page may watch. */
const recheckMs = 15_000;

const timeOfDay: Clock = {
  setTimeout: (callback, timeoutMs) => setTimeout(callback, timeoutMs),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/**
 * Opens the live connection of a page. It must say which origin it is of: a browser always does, and a page of another
 * origin is refused.
 */
export async function acceptPage(
  parts: InspectorParts,
  sockets: SocketServer,
  upgrade: PageUpgrade,
): Promise<void> {
  const { request, socket, head } = upgrade;
  let isVisible: IsVisible;
  try {
    isVisible = await admit(parts, upgrade);
  } catch (error) {
    if (!(error instanceof Problem)) parts.logger.error('The inspector could not open a connection', error);
    const { status, message } = error instanceof Problem ? error : new Problem(500, 'The inspector failed.');
    return refuseUpgrade(socket, status, message);
  }
  sockets.accept(request, socket, head, { maxBytes }, (opened) => {
    const session = new LiveSession(opened, parts, isVisible, timeOfDay);
    const timer = setInterval(() => {
      admit(parts, upgrade).then(
        (next) => session.allow(next),
        () => opened.close(1008, 'not allowed any more'),
      );
    }, recheckMs);
    timer.unref();
    return {
      text: (text) => session.receive(text),
      closed: () => {
        clearInterval(timer);
        session.end();
      },
    };
  });
}

async function admit(parts: InspectorParts, { asked, node }: PageUpgrade): Promise<IsVisible> {
  const request = asked();
  if (routeOf(request, parts.path).to !== 'live')
    throw new Problem(404, 'There is no WebSocket at this address.');
  const origin = request.headers.get('origin');
  if (origin === null || URL.parse(origin)?.host !== new URL(request.url).host)
    throw new Problem(403, 'Pages of other origins may not use the inspector.');
  return (await parts.access.admit({ request, node, action: 'list' })).isVisible;
}
