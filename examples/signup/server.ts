import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Engine } from 'topple';
import { SignUp, type SignUpFlow } from './flow.ts';
import { type Service, serve } from './loopback.ts';

/** The public face: `POST /signup` is answered at once, and sets off the flow when the answer has left. */
export function startServer(engine: Engine, flow: SignUpFlow, log: (line: string) => void): Promise<Service> {
  return serve(async (request, response) => {
    if (request.method !== 'POST' || request.url !== '/signup') return void answer(response, 404, {});
    const signUp = SignUp.safeParse(await readJson(request));
    if (!signUp.success) {
      const errors = signUp.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
      return void answer(response, 422, { errors });
    }
    const runId = randomUUID();
    // `finish`: the whole answer has been handed to the socket. A client that hung up before sets off nothing.
    answer(response, 202, { runId }).once('finish', () => {
      engine.start(flow, signUp.data, { id: runId }).catch((error) => log(`run ${runId}: ${error}`));
    });
  });

  function answer(response: ServerResponse, status: number, body: object): ServerResponse {
    const text = JSON.stringify(body);
    response.once('finish', () => log(`${status} ${response.statusMessage} ${text}`));
    return response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  }
}

/** The body, or `undefined` where it is no JSON: the schema has the last word. */
function readJson(request: IncomingMessage): Promise<unknown> {
  return json(request).catch(() => undefined);
}
