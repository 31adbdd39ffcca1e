import { type Clock, FlowError, JournalError, type Run, type RunView } from '../../index.ts';
import { badOption, boundRule, checkKeys, checkMethods, checkNumber } from '../../model/check.ts';
import { rootIdOf } from '../../model/child-id.ts';
import { toJson } from '../../model/json.ts';
import { guardLogger } from '../../model/logger.ts';
import { Problem, problemResponse, safeHeaders, textResponse } from '../problem.ts';
import { checkAccept } from './accept.ts';
import { authorizeRoute, type VisibleRun } from './access.ts';
import { readBody, readValue } from './body.ts';
import { command } from './commands.ts';
import { deliver, readKey } from './deliver.ts';
import { eventStream, isReadToTheEnd, readLastEventId } from './events.ts';
import { checkHost } from './host.ts';
import { listRuns } from './list.ts';
import { checkMounting, type MountingOptions } from './mounting.ts';
import { type DeliverRoute, type Route, readQuery, routeOf } from './route.ts';
import { showView } from './show.ts';

/** Options of a handler for runs. `path` is `/runs` by default. */
export interface RunsHandlerOptions extends MountingOptions {
  /** Limit for a request's body. Default 65,536, minimum 0. */
  readonly maxBodyBytes?: number | undefined;
  /** Limit for open event streams; beyond that 503. Default 1,000, minimum 0. */
  readonly maxStreams?: number | undefined;
  /** How often an event stream sends a comment and asks `authorize` again. Default 15,000, minimum 1. */
  readonly keepAliveMs?: number | undefined;
  /** Ends the event streams when aborted, so that a server can close. */
  readonly signal?: AbortSignal | undefined;
  /** Clock for keep-alives. Default: the platform's. */
  readonly clock?: Clock | undefined;
}

/** A fetch-style handler for requests about runs. */
export interface RunsHandler {
  /**
   * Answers a request. Never rejects: an error is a response too.
   *
   * @param node Node's own request, `{ incoming }`: `toNodeHandler` passes it, and in Hono on Node `c.env` has it.
   * Without it, the handler cannot see whether the request arrived at a loopback address.
   */
  (request: Request, node?: unknown): Promise<Response>;
  /** The path to mount it under: it answers everything below. */
  readonly path: string;
}

const owner = 'createRunsHandler';
const known = new Set([
  'engine',
  'authorize',
  'allowedOrigins',
  'allowedHosts',
  'path',
  'maxBodyBytes',
  'maxStreams',
  'keepAliveMs',
  'signal',
  'clock',
  'logger',
]);

const timeOfDay: Clock = {
  setTimeout: (callback, timeoutMs) => setTimeout(callback, timeoutMs),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/**
 * Makes a handler that shows and controls an engine's runs: `GET /runs`, `GET /runs/{id}` (as it was after an event, with `?seq=`), `GET /runs/{id}/events`
 * (server-sent events), and `POST /runs/{id}/cancel`, `pause`, `resume`, `rerun` and
 * `tasks/{task}/deliver`. Refusals are problems of RFC 9457.
 *
 * Nothing is allowed unless `authorize` allows it.
 *
 * @throws FlowError for an invalid option
 */
export function createRunsHandler(options: RunsHandlerOptions): RunsHandler {
  checkOptions(options);
  const { engine, authorize, allowedOrigins, allowedHosts } = options;
  const { path = '/runs', maxBodyBytes = 65_536, maxStreams = 1_000 } = options;
  const { keepAliveMs = 15_000, clock = timeOfDay } = options;
  const logger = guardLogger(options.logger ?? console);
  let streams = 0;

  const rules = { authorize, allowedOrigins, logger };

  const handler = async (request: Request, node?: unknown): Promise<Response> => {
    const response = await answer(request, node).catch(problemOf);
    if (request.method !== 'HEAD') return response;
    await response.body?.cancel();
    return new Response(null, response);
  };
  return Object.assign(handler, { path });

  async function answer(request: Request, node: unknown): Promise<Response> {
    const route = routeOf(request, path);
    checkHost(request, allowedHosts, node);
    const isVisible = await authorizeRoute(rules, request, route);
    if (route.action === 'list') {
      checkAccept(request, 'application/json');
      return json(await listRuns(engine, route.query, isVisible));
    }
    const run = await find(route.runId, isVisible);
    if (route.action === 'watch') return watch(request, route, run);
    if (route.action === 'deliver') return deliverTo(request, route, run);
    const { seq } = readQuery(route.query, route.action === 'view' ? ['seq'] : []);
    checkAccept(request, 'application/json');
    if (route.action === 'view')
      return json(showView(seq === undefined ? run.view() : earlierView(run, seq)));
    const status = await command(route.action, run, await readBody(request, maxBodyBytes));
    // If another process has the run, the store has what came of the command.
    const after = (await engine.run(run.id)) ?? run;
    return json(showView(after.view()), status);
  }

  async function deliverTo(request: Request, route: DeliverRoute, run: Run): Promise<Response> {
    const key = readKey(request, route.query);
    checkAccept(request, 'application/json');
    const value = await readValue(request, maxBodyBytes);
    return json({ answer: await deliver(run, route.task, value, key) });
  }

  async function find(id: string, isVisible: (run: VisibleRun) => boolean): Promise<Run> {
    // Whoever may see a root may see the child runs below it, and nobody else.
    const rootId = rootIdOf(id);
    const root = await engine.run(rootId).catch((error: unknown) => refuse(error, rootId, isVisible));
    if (root !== undefined && isVisible({ id: rootId, flow: root.view().flow })) {
      const run =
        rootId === id ? root : await engine.run(id).catch((error: unknown) => refuse(error, id, isVisible));
      if (run !== undefined) return run;
    }
    throw new Problem(404, 'No run has this id: it never existed, or was dropped after it settled.');
  }

  /** Refuses a run that the engine cannot read. For whoever may not see it, it does not exist. */
  function refuse(error: unknown, id: string, isVisible: (run: VisibleRun) => boolean): undefined {
    if (error instanceof FlowError) {
      if (!isVisible({ id, flow: error.flow ?? '' })) return undefined;
      throw new Problem(
        409,
        'The run is stored, but this server does not know its flow, or only another version of it.',
      );
    }
    if (error instanceof JournalError && !isVisible({ id, flow: '' })) return undefined;
    throw error;
  }

  function watch(request: Request, route: Route, run: Run): Response {
    const deep = isDeep(readQuery(route.query, ['deep']).deep);
    checkAccept(request, 'text/event-stream');
    const after = deep ? 0 : readLastEventId(request, run);
    if (isReadToTheEnd(run, after)) return new Response(null, { status: 204, headers: safeHeaders });
    if (streams >= maxStreams || options.signal?.aborted) {
      const headers = { 'retry-after': '5' };
      throw new Problem(503, 'There are too many event streams, or the server is closing.', { headers });
    }
    streams++;
    const signals = options.signal ? [request.signal, options.signal] : [request.signal];
    const ended = (): void => {
      streams--;
    };
    const mayGoOn = (): Promise<boolean> => isStillAllowed(request, route, run);
    return new Response(eventStream(run, { after, deep, keepAliveMs, clock, signals, mayGoOn, ended }), {
      headers: {
        ...safeHeaders,
        'content-type': 'text/event-stream',
        // Compression and proxies would hold events back to collect more of them.
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      },
    });
  }

  /** Checks an open stream again: a permission may have been withdrawn. */
  async function isStillAllowed(request: Request, route: Route, run: Run): Promise<boolean> {
    try {
      const isVisible = await authorizeRoute(rules, request, route);
      await find(run.id, isVisible);
      return true;
    } catch {
      return false;
    }
  }

  function problemOf(error: unknown): Response {
    if (error instanceof Problem) return problemResponse(error);
    logger.error('createRunsHandler could not answer a request', error);
    return problemResponse(new Problem(500, 'The server failed to handle the request.'));
  }
}

/** Throws Problem 400 for anything but `true` and `false`. */
function isDeep(text = 'false'): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Problem(400, '`deep` must be `true` or `false`.');
}

/** Throws Problem 400 if the run has no such entry yet. */
function earlierView(run: Run, text: string): RunView {
  const seq = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  // More may be recorded than is kept.
  if (seq <= run.seq) return run.view({ seq });
  throw new Problem(400, `\`seq\` must be that of an event of this run, from 0 to ${run.seq}.`);
}

function json(value: unknown, status = 200): Response {
  return textResponse(toJson(value), status, { 'content-type': 'application/json' });
}

function checkOptions(options: RunsHandlerOptions): void {
  const place = (option: string) => ({ option, owner });
  checkKeys(place('options'), options, known);
  checkMounting(options, { owner, methods: ['run', 'runs'], path: '/runs' });
  const { maxBodyBytes, maxStreams, keepAliveMs, signal, clock } = options;
  const bound = { ...boundRule, integer: true };
  if (maxBodyBytes !== undefined) checkNumber(place('maxBodyBytes'), maxBodyBytes, bound);
  if (maxStreams !== undefined) checkNumber(place('maxStreams'), maxStreams, bound);
  if (keepAliveMs !== undefined) checkNumber(place('keepAliveMs'), keepAliveMs, { min: 1 });
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw badOption(place('signal'), 'an AbortSignal', signal);
  }
  checkMethods(place('clock'), clock, ['setTimeout', 'clearTimeout']);
}
