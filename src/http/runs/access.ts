import type { Logger } from '../../index.ts';
import { Problem } from '../problem.ts';
import type { RunsAction } from './route.ts';

/** The access that a request asks for. */
export interface RunsAccess {
  readonly action: RunsAction;
  /** The id in the request; such a run may not exist. Missing for `list`. */
  readonly runId?: string | undefined;
  /** Of `deliver`: the task, after those that lead to its run. */
  readonly task?: readonly string[] | undefined;
}

/** The facts about a run that decide who may see it. */
export interface VisibleRun {
  readonly id: string;
  readonly flow: string;
}

/**
 * The result of `authorize`. `true` allows the request. A function allows it for the runs for which it returns `true`;
 * the others appear not to exist. `false` answers with 401, `'forbidden'` and anything else with 403.
 */
export type RunsVerdict = boolean | 'forbidden' | ((run: VisibleRun) => boolean);

/** Decides who may watch and control runs. Must not read the request's body. If it throws, the request is refused. */
export type Authorize = (request: Request, access: RunsAccess) => RunsVerdict | Promise<RunsVerdict>;

/** Rules on who may access runs, and from where. */
export interface AccessRules {
  readonly authorize: Authorize | undefined;
  /** Origins whose pages may control runs, beside the server's own. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly logger: Logger;
}

/**
 * Authorizes a request, and returns a predicate for the runs that it may access.
 *
 * @throws Problem 401, 403, or 500 where `authorize` threw
 */
export async function authorizeRoute(
  { authorize, allowedOrigins = [], logger }: AccessRules,
  request: Request,
  route: RunsAccess,
): Promise<(run: VisibleRun) => boolean> {
  if (authorize === undefined) {
    throw new Problem(403, 'Nobody may see runs until the server sets `authorize`.');
  }
  refuseForeignPage(request, allowedOrigins);
  const verdict = await ask(authorize, request, route, logger);
  if (verdict === true) return () => true;
  if (typeof verdict === 'function') return (run) => verdict(run) === true;
  if (verdict === false) {
    const headers = { 'www-authenticate': 'Bearer' };
    throw new Problem(401, 'Authentication is required to see runs.', { headers });
  }
  throw new Problem(403, 'You are not allowed to do this.');
}

/**
 * Refuses a `POST` of another site's page. Such a page can make a browser send one, with this site's cookies or stored
 * password. Whatever else the request carries, it is refused if the browser says that it comes from elsewhere.
 */
function refuseForeignPage({ method, headers, url }: Request, allowedOrigins: readonly string[]): void {
  if (method !== 'POST') return;
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  const isForeign =
    site === null
      ? // Browsers send the site only to https and localhost, the origin to all.
        origin !== null && URL.parse(origin)?.host !== new URL(url).host
      : site === 'cross-site' || site === 'same-site';
  if (!isForeign || (origin !== null && allowedOrigins.includes(origin))) return;
  throw new Problem(403, "A page of another site may not control this site's runs (`allowedOrigins`).");
}

async function ask(
  authorize: Authorize,
  request: Request,
  route: RunsAccess,
  logger: Logger,
): Promise<unknown> {
  try {
    return await authorize(request, accessOf(route));
  } catch (error) {
    logger.error('`authorize` of createRunsHandler threw: the request was refused', error);
    throw new Problem(500, 'The permission check failed.');
  }
}

/** The access alone: a route has more. */
function accessOf({ action, runId, task }: RunsAccess): RunsAccess {
  return {
    action,
    ...(action !== 'list' && { runId }),
    ...(task !== undefined && { task }),
  };
}
