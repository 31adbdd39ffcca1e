import type { Logger } from '../../index.ts';
import { Problem } from '../problem.ts';
import type { Route, RunsAction } from './route.ts';

/** What a request asks for. */
export interface RunsAccess {
  readonly action: RunsAction;
  /** As the request has it: whether there is such a run is not known yet. Missing for `list`. */
  readonly runId?: string | undefined;
}

/** A run as far as it takes to say who may see it. */
export interface VisibleRun {
  readonly id: string;
  readonly flow: string;
}

/**
 * `true` lets the request through; a function does so for the runs that it says `true` of, and the others are as if
 * they did not exist; `false` answers 401, `'forbidden'` 403. Anything else is taken for `'forbidden'`.
 */
export type RunsVerdict = boolean | 'forbidden' | ((run: VisibleRun) => boolean);

/** Says who may watch and steer runs. Must not read the request's body. What it throws lets nobody through. */
export type Authorize = (request: Request, access: RunsAccess) => RunsVerdict | Promise<RunsVerdict>;

/** Who may have runs, and from where. */
export interface AccessRules {
  readonly authorize: Authorize | undefined;
  /** Origins whose pages may steer runs, beside the server's own. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly logger: Logger;
}

/**
 * Asks whether a request may do what it asks for, and gives what tells which runs it may do that with.
 *
 * @throws Problem 401, 403, or 500 where `authorize` threw
 */
export async function authorizeRoute(
  { authorize, allowedOrigins = [], logger }: AccessRules,
  request: Request,
  route: Route,
): Promise<(run: VisibleRun) => boolean> {
  if (authorize === undefined) {
    throw new Problem(403, 'Runs are closed to all, until the server says who may see them (`authorize`).');
  }
  refuseForeignPage(request, allowedOrigins);
  const verdict = await ask(authorize, request, route, logger);
  if (verdict === true) return () => true;
  if (typeof verdict === 'function') return (run) => verdict(run) === true;
  if (verdict === false) {
    const headers = { 'www-authenticate': 'Bearer' };
    throw new Problem(401, 'Runs are shown to those who say who they are.', { headers });
  }
  throw new Problem(403, 'This is not allowed to you.');
}

/**
 * Another site's page can make a browser send a `POST`, with this site's cookies or the password that the browser
 * keeps for it: whatever else the request has, it is refused where the browser says that it comes from elsewhere.
 */
function refuseForeignPage({ method, headers, url }: Request, allowedOrigins: readonly string[]): void {
  if (method !== 'POST') return;
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  const isForeign =
    site === null
      ? // Browsers tell the site to https and localhost alone, the origin to all.
        origin !== null && URL.parse(origin)?.host !== new URL(url).host
      : site === 'cross-site' || site === 'same-site';
  if (!isForeign || (origin !== null && allowedOrigins.includes(origin))) return;
  throw new Problem(403, "A page of another site cannot steer this site's runs (`allowedOrigins`).");
}

async function ask(authorize: Authorize, request: Request, route: Route, logger: Logger): Promise<unknown> {
  const { action } = route;
  try {
    return await authorize(request, action === 'list' ? { action } : { action, runId: route.runId });
  } catch (error) {
    logger.error('`authorize` of createRunsHandler threw: the request was refused', error);
    throw new Problem(500, 'Whether this is allowed could not be found out.');
  }
}
