import { Problem } from '../problem.ts';

/** The action that a request asks for. */
export type RunsAction = 'list' | 'view' | 'watch' | 'deliver' | RunsCommand;

/** The commands that a `POST` can give to a run. */
export type RunsCommand = 'cancel' | 'pause' | 'resume' | 'rerun';

/** The route of a request: only `list` has no `runId`, and only `deliver` has a task. */
export type Route =
  | { readonly action: 'list'; readonly query: URLSearchParams }
  | {
      readonly action: 'deliver';
      readonly runId: string;
      /** Ids of tasks: those that lead to the run of the task, then its own. */
      readonly task: readonly string[];
      readonly query: URLSearchParams;
    }
  | {
      readonly action: Exclude<RunsAction, 'list' | 'deliver'>;
      readonly runId: string;
      readonly query: URLSearchParams;
    };

/** The route of a delivery. */
export type DeliverRoute = Extract<Route, { readonly action: 'deliver' }>;

/** Half of what Node takes for an address and all headers together. */
const maxUrlLength = 8_192;
/**
 * The id of a child run has a segment for each run above it: with a UUID and tasks of 20 characters, this is enough for
 * 176 levels.
 */
const maxIdLength = 4_096;
const reading = ['GET', 'HEAD'];
const endings: ReadonlyMap<string, Exclude<RunsAction, 'list' | 'deliver'>> = new Map([
  ['events', 'watch'],
  ['cancel', 'cancel'],
  ['pause', 'pause'],
  ['resume', 'resume'],
  ['rerun', 'rerun'],
]);

/**
 * Finds the route of a request from its address and method alone, so the result is the same whether a run exists or
 * not.
 *
 * @throws Problem 400, 404, 405 or 414
 */
export function routeOf({ method, url }: Request, path: string): Route {
  if (url.length > maxUrlLength)
    throw new Problem(414, `The address may have at most ${maxUrlLength} characters.`);
  const { pathname, searchParams: query } = new URL(url);
  const isBelow = pathname === path || pathname.startsWith(`${path}/`);
  const [id, ending, ...rest] = isBelow ? pathname.slice(path.length + 1).split('/') : [];
  if (isBelow && pathname.length === path.length) {
    checkMethod(method, reading);
    return { action: 'list', query };
  }
  if (id !== undefined && id !== '' && ending === 'tasks' && rest.length > 1 && rest.at(-1) === 'deliver') {
    checkMethod(method, ['POST']);
    const task = rest.slice(0, -1).map((segment) => decodeId(segment, 'task'));
    return { action: 'deliver', runId: decodeId(id, 'run'), task, query };
  }
  const action = ending === undefined ? 'view' : endings.get(ending);
  if (id === undefined || id === '' || action === undefined || rest.length > 0) {
    const ends = ['events', 'cancel', 'pause', 'resume', 'rerun', 'tasks/{task}/deliver'];
    const known = ['', '/{id}', ...ends.map((end) => `/{id}/${end}`)];
    throw new Problem(404, `No such address. Known: ${known.map((end) => path + end).join(', ')}.`);
  }
  checkMethod(method, action === 'view' || action === 'watch' ? reading : ['POST']);
  return { action, runId: decodeId(id, 'run'), query };
}

function checkMethod(method: string, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  const allow = allowed.join(', ');
  throw new Problem(405, `This address only supports ${allowed.join(' or ')}.`, { headers: { allow } });
}

function decodeId(segment: string, of: 'run' | 'task'): string {
  let id: string;
  try {
    id = decodeURIComponent(segment);
  } catch {
    throw new Problem(400, `The id of the ${of} is not percent-encoded UTF-8.`);
  }
  if (id.length > maxIdLength) throw new Problem(400, `An id has at most ${maxIdLength} characters.`);
  if (/\p{Cc}/u.test(id)) throw new Problem(400, 'An id has no control characters.');
  return id;
}

/**
 * Reads the parameters of a query, each at most once.
 *
 * @throws Problem 400 for an unknown or repeated parameter
 */
export function readQuery<Name extends string>(
  query: URLSearchParams,
  known: readonly Name[],
): { readonly [Key in Name]?: string } {
  const values: { [Key in Name]?: string } = {};
  for (const [name, value] of query) {
    const key = known.find((candidate) => candidate === name);
    if (key === undefined) {
      const takes = known.length === 0 ? 'none' : known.map((candidate) => `\`${candidate}\``).join(', ');
      throw new Problem(400, `Unknown parameter. Known: ${takes}.`);
    }
    if (values[key] !== undefined) throw new Problem(400, `\`${key}\` is given more than once.`);
    values[key] = value;
  }
  return values;
}
