import { Problem, problemResponse, textResponse } from '../../http/problem.ts';
import { soon } from '../../http/requests-first.ts';
import { readBody } from '../../http/runs/body.ts';
import { type RunsAction, readQuery } from '../../http/runs/route.ts';
import { toJson } from '../../model/json.ts';
import type { CommandResult } from '../protocol.ts';
import type { ShownRun } from '../sources/source.ts';
import type { IsVisible } from '../sources/sources.ts';
import { readCommand } from './command-body.ts';
import { exportRun } from './export.ts';
import { historyOf } from './history.ts';
import { fileResponse, inspectorHeaders, pageResponse, refusalPage } from './pages.ts';
import { helloOf, type InspectorParts } from './parts.ts';
import { readCount } from './read-count.ts';
import { type InspectorRoute, type RunRoute, routeOf } from './route.ts';
import { valueResponse } from './value-response.ts';

/** Limit for the body of a command, which may bring a value. */
const maxBodyBytes = 1_048_576;
const mostRuns = 200;
const mostOfGrid = 50;

/** Answers a request to the inspector. Never rejects: a refusal is a response too. */
export async function answerInspector(
  parts: InspectorParts,
  request: Request,
  node: unknown,
): Promise<Response> {
  const response = await answer(parts, request, node).catch((error: unknown) =>
    refusal(parts, request, error),
  );
  if (request.method !== 'HEAD') return response;
  await response.body?.cancel();
  return new Response(null, response);
}

async function answer(parts: InspectorParts, request: Request, node: unknown): Promise<Response> {
  const { path } = parts;
  const url = new URL(request.url);
  if (path !== '' && url.pathname === path) return redirectTo(`${path}/${url.search}`);
  const route = routeOf(request, path);
  if (route.to === 'commands') await parts.access.screen(request, node);
  const body = route.to === 'commands' ? await readBody(request, maxBodyBytes) : undefined;
  const command = body && readCommand(body);
  const action = command === undefined ? actionOf(route) : command.type;
  const runId = 'id' in route ? route.id : undefined;
  const { isVisible, headers } = await parts.access.admit({
    request,
    node,
    action,
    runId,
    taskId: command?.taskId,
  });
  if (route.to === 'page') return pageResponse(parts.files, url.host, headers ?? {});
  if (route.to === 'file') return fileResponse(parts.files, route.name);
  if ('id' in route) {
    const run = await parts.sources.open(route.source, route.id, isVisible);
    if (command === undefined) return answerRun(parts, route, run, request);
    await run.command(command);
    // An engine keeps what it has recorded at the end of its turn, which may be the next of the event loop.
    await new Promise<void>(soon);
    const after = await parts.sources.open(route.source, route.id, isVisible);
    return json({ run: after.listed() } satisfies CommandResult);
  }
  return answerAll(parts, route.to, url.searchParams, isVisible);
}

function actionOf({ to }: InspectorRoute): 'page' | RunsAction {
  if (to === 'page' || to === 'file') return 'page';
  if (to === 'hello' || to === 'runs' || to === 'grid') return 'list';
  return to === 'live' || to === 'entries' ? 'watch' : 'view';
}

async function answerAll(
  parts: InspectorParts,
  to: 'hello' | 'runs' | 'grid' | 'live',
  search: URLSearchParams,
  isVisible: IsVisible,
): Promise<Response> {
  if (to === 'live')
    throw new Problem(426, 'This address is a WebSocket.', { headers: { upgrade: 'websocket' } });
  if (to === 'hello') return json(helloOf(parts));
  if (to === 'grid') {
    const { flow, source, limit } = readQuery(search, ['flow', 'source', 'limit']);
    if (flow === undefined) throw new Problem(400, '`flow` is missing.');
    return json(
      await parts.sources.grid({ flow, source, limit: readCount(limit, 20, mostOfGrid, 'limit') }, isVisible),
    );
  }
  const status = search.getAll('status');
  search.delete('status');
  const { source, flow, cursor, limit } = readQuery(search, ['source', 'flow', 'cursor', 'limit']);
  const query = { source, flow, status, cursor, limit: readCount(limit, 50, mostRuns, 'limit') };
  return json(await parts.sources.list(query, isVisible));
}

async function answerRun(
  parts: InspectorParts,
  { to }: RunRoute,
  run: ShownRun,
  request: Request,
): Promise<Response> {
  const { searchParams } = new URL(request.url);
  switch (to) {
    case 'entries': {
      const { after, afterLog } = readQuery(searchParams, ['after', 'afterLog']);
      const from = {
        entry: readCount(after, 0, Number.MAX_SAFE_INTEGER, 'after'),
        log: readCount(afterLog, 0, Number.MAX_SAFE_INTEGER, 'afterLog'),
      };
      return historyOf(run, from, request);
    }
    case 'value':
      return valueResponse(run, searchParams, request.headers);
    case 'export':
      return exportRun(parts, run);
    default:
      return json(run.structure());
  }
}

function refusal({ logger }: InspectorParts, request: Request, error: unknown): Response {
  if (!(error instanceof Problem)) {
    logger.error('The inspector could not answer a request', error);
    return withHeaders(problemResponse(new Problem(500, 'The inspector failed to answer the request.')));
  }
  const isForPerson = error.status === 403 && request.headers.get('sec-fetch-dest') === 'document';
  return isForPerson ? refusalPage() : withHeaders(problemResponse(error));
}

function json(value: unknown): Response {
  return withHeaders(textResponse(toJson(value), 200, { 'content-type': 'application/json' }));
}

function redirectTo(location: string): Response {
  return new Response(null, { status: 308, headers: { ...inspectorHeaders, location } });
}

function withHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(inspectorHeaders)) response.headers.set(name, value);
  return response;
}
