import { Problem } from '../../http/problem.ts';
import { type AccessRules, authorizeRoute } from '../../http/runs/access.ts';
import { checkHost } from '../../http/runs/host.ts';
import type { RunsAction } from '../../http/runs/route.ts';
import type { IsVisible } from '../sources/sources.ts';

/** A request that asks for access; the body is not read. */
export interface AccessRequest {
  readonly request: Request;
  /** Node's own request, where the server passes it. */
  readonly node: unknown;
  /** `page`: the page and its files, which hold nothing of any run. */
  readonly action: 'page' | RunsAction;
  readonly runId?: string | undefined;
  /** Of `deliver`. */
  readonly taskId?: string | undefined;
}

/** What a request may see. */
export interface Admitted {
  readonly isVisible: IsVisible;
  /** Headers of the response. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Decides who may use the inspector. */
export interface Access {
  /** Refuses a command before its body is read, as far as that can be told. Throws Problem. */
  screen(request: Request, node: unknown): Promise<void>;
  /** Throws Problem for whoever may not. */
  admit(request: AccessRequest): Promise<Admitted>;
}

const all: Admitted = { isVisible: () => true };

/** Rules of a server of one's own that the inspector is mounted in. */
export interface OwnRules extends AccessRules {
  readonly allowedHosts: readonly string[] | 'any' | undefined;
}

/** Access by the server's `authorize`, as that of the runs API. A page's files are for everybody. */
export function accessByAuthorize(rules: OwnRules): Access {
  return {
    async screen(request, node) {
      checkHost(request, rules.allowedHosts, node);
    },
    async admit({ request, node, action, runId, taskId }) {
      checkHost(request, rules.allowedHosts, node);
      if (action === 'page') return all;
      const query = new URLSearchParams();
      const isList = action === 'list' || runId === undefined;
      const task = taskId === undefined ? {} : { task: [taskId] };
      const route = isList
        ? ({ action: 'list', query } as const)
        : ({ action, runId, query, ...task } as const);
      return { isVisible: await authorizeRoute(rules, request, route) };
    },
  };
}

/** The secrets of an inspector that serves itself. */
export interface TokenRules {
  /** Stands in the address that is printed. */
  readonly token: string;
  /** The cookie's value: another secret, so that the address cannot be read from the cookie. */
  readonly session: string;
  /** The port that the server listens on, once it does. */
  readonly port: () => number;
}

/**
 * Access by a token in the address of the page, and then by a cookie, for a server on loopback.
 *
 * The cookie alone proves little: browsers send it to each port of the host, and with requests that pages of other ports
 * have made. So whatever a browser says of where a request comes from is checked too, and the name that it was sent to:
 * a page can have its own name lead here.
 */
export function accessByToken({ token, session, port }: TokenRules): Access {
  const cookieOf = () => `topple-inspect-${port()}`;
  return {
    async screen(request, node) {
      await this.admit({ request, node, action: 'view' });
    },
    async admit({ request, action }) {
      checkLoopbackHost(request, port());
      checkOwnPage(request, action, port());
      const given = new URL(request.url).searchParams.get('token');
      if (action === 'page' && given !== null && (await areSame(given, token))) {
        const cookie = `${cookieOf()}=${session}; HttpOnly; SameSite=Strict; Path=/`;
        return { ...all, headers: { 'set-cookie': cookie } };
      }
      const cookie = readCookie(request.headers.get('cookie') ?? '', cookieOf());
      if (cookie === undefined || !(await areSame(cookie, session)))
        throw new Problem(403, 'Open the address that the inspector printed: it has the token.');
      return all;
    },
  };
}

/** Whether a text is a host name of this machine alone, with the port. */
export function isLoopbackHost(host: string, port: number): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${port}`);
}

function checkLoopbackHost({ headers, url }: Request, port: number): void {
  const host = headers.get('host') ?? new URL(url).host;
  // A browser leaves port 80 out.
  if (isLoopbackHost(host.includes(':') && !host.endsWith(']') ? host : `${host}:80`, port)) return;
  throw new Problem(403, 'The inspector answers under the names 127.0.0.1 and localhost alone.');
}

/** Refuses requests that a page of another origin has made. Only the page itself may be opened from elsewhere. */
function checkOwnPage(
  { method, headers, url }: Request,
  action: AccessRequest['action'],
  port: number,
): void {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  const isOpening = action === 'page' && method === 'GET' && headers.get('sec-fetch-mode') === 'navigate';
  const isOwn = origin === null ? method !== 'POST' : isOwnOrigin(origin, new URL(url).host, port);
  const isFromHere = site === null || site === 'same-origin' || site === 'none' || isOpening;
  if (isOwn && isFromHere) return;
  throw new Problem(403, 'Pages of other origins may not use the inspector.');
}

function isOwnOrigin(origin: string, host: string, port: number): boolean {
  const parsed = URL.parse(origin);
  return (
    parsed?.protocol === 'http:' &&
    parsed.host === host &&
    isLoopbackHost(`${parsed.hostname}:${parsed.port || '80'}`, port)
  );
}

function readCookie(cookies: string, name: string): string | undefined {
  for (const cookie of cookies.split(';')) {
    const [key, value] = cookie.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

/** Compares secrets by their digests, which do not tell how much of one was right. */
async function areSame(given: string, secret: string): Promise<boolean> {
  const [a, b] = await Promise.all([given, secret].map(digest));
  let difference = 0;
  for (let at = 0; at < 32; at++)
    difference |= ((a as Uint8Array)[at] as number) ^ ((b as Uint8Array)[at] as number);
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
