import { Problem } from '../../http/problem.ts';

/** What a request to the inspector asks for. */
export type InspectorRoute =
  | { readonly to: 'page' }
  | { readonly to: 'file'; readonly name: string }
  | { readonly to: 'hello' | 'runs' | 'grid' | 'live' }
  | RunRoute;

export interface RunRoute {
  readonly to: 'structure' | 'entries' | 'value' | 'export' | 'commands';
  readonly source: string;
  readonly id: string;
}

const ofRuns = new Set(['entries', 'value', 'export', 'commands']);
const maxUrlLength = 8_192;
/** Ids of child runs hold those of their parents. */
const maxIdLength = 4_096;

/**
 * Finds what a request asks for, from its address and method alone.
 *
 * @param path where the inspector is mounted, without a slash at its end: empty for a server of its own
 * @throws Problem 400, 403, 404 or 414
 */
export function routeOf({ method, url }: Request, path: string): InspectorRoute {
  if (url.length > maxUrlLength)
    throw new Problem(414, `The address may have at most ${maxUrlLength} characters.`);
  const { pathname } = new URL(url);
  if (!pathname.startsWith(`${path}/`)) throw notFound();
  const [first = '', ...rest] = pathname.slice(path.length + 1).split('/');
  const route = first === 'api' ? apiRoute(rest) : fileRoute([first, ...rest]);
  const expected = route.to === 'commands' ? ['POST'] : ['GET', 'HEAD'];
  if (!expected.includes(method)) {
    const headers = { allow: expected.join(', ') };
    throw new Problem(403, `This address takes ${expected.join(' or ')} alone.`, { headers });
  }
  return route;
}

function apiRoute(parts: readonly string[]): InspectorRoute {
  const [to = '', source, id, part, ...more] = parts;
  if (source === undefined && (to === 'hello' || to === 'runs' || to === 'grid' || to === 'live'))
    return { to };
  if (to !== 'runs' || source === undefined || id === undefined || more.length > 0) throw notFound();
  if (part !== undefined && !ofRuns.has(part)) throw notFound();
  return { to: (part ?? 'structure') as RunRoute['to'], source: decode(source), id: decode(id) };
}

function fileRoute(parts: readonly string[]): InspectorRoute {
  if (parts.length === 1 && parts[0] === '') return { to: 'page' };
  const name = parts[0] === 'assets' ? parts.slice(1).join('/') : parts.join('/');
  // No name leads out of the folder.
  if (/^\w[\w-]*(\.[\w-]+)+$/.test(name)) return { to: 'file', name };
  throw notFound();
}

function decode(part: string): string {
  let id: string;
  try {
    id = decodeURIComponent(part);
  } catch {
    throw new Problem(400, 'The id of the run is not percent-encoded UTF-8.');
  }
  if (id === '' || id.length > maxIdLength)
    throw new Problem(400, `An id has from 1 to ${maxIdLength} characters.`);
  return id;
}

function notFound(): Problem {
  return new Problem(404, 'The inspector has no such address.');
}
