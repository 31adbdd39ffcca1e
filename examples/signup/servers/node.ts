import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { toNodeHandler, withTasks } from 'topple/http/node';
import { listen, type Service } from '../loopback.ts';
import { refusal, type Site } from '../site.ts';

export function startNode(site: Site, port: number): Promise<Service> {
  const watchRuns = toNodeHandler(site.runs);
  const tellHealth = toNodeHandler(site.health);
  const signUp = withTasks(
    site.background,
    async (request: IncomingMessage, response: ServerResponse, tasks) => {
      const { status: refused, value } = await readJson(request, site.bodyLimit);
      if (refused !== undefined) return send(response, refused, refusal(refused));
      const { status, headers, body } = await site.signUp(tasks, value);
      send(response, status, body, headers);
    },
    { idempotency: { caller: (request) => request.socket.remoteAddress } },
  );
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (path === site.runs.path || path.startsWith(`${site.runs.path}/`)) return watchRuns(request, response);
    if (path === '/health' && request.method === 'GET') return tellHealth(request, response);
    if (path === '/signup' && request.method === 'POST') return signUp(request, response);
    return send(response, 404, refusal(404));
  });
  return listen(server, port);
}

function send(response: ServerResponse, status: number, body: object, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Reads at most the limit, and drops the rest. */
async function readJson(
  request: IncomingMessage,
  limit: number,
): Promise<{ readonly status?: 400 | 413; readonly value?: unknown }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > limit) {
      request.resume();
      return { status: 413 };
    }
    chunks.push(chunk);
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString()) };
  } catch {
    return { status: 400 };
  }
}
