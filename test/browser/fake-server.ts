import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type {
  CommandRequest,
  Feed,
  Grid,
  ListedRun,
  RunList,
  SourceInfo,
  Structure,
  ValuePage,
} from '../../src/inspector/protocol.ts';
import { rowsAfter } from '../../src/inspector/rows.ts';

/** Where `npm run build:page` puts the page. */
export const pageFolder = fileURLToPath(new URL('../../out/inspector-page/', import.meta.url));

/** The policy that the page must do with. */
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A run that the server tells of. */
export interface FakeRun {
  structure: Structure;
  feed: Feed[];
  values?: Record<string, unknown>;
}

/** A server that says what a test puts into it: runs as they are, and any trouble. */
export class FakeServer {
  readonly runs: FakeRun[] = [];
  grid: Grid | undefined;
  /** The commands that came, in order. */
  readonly commands: { readonly id: string; readonly request: CommandRequest }[] = [];
  /** What a command is answered with instead of success. */
  refusal: string | undefined;
  /** Breaks every connection while it is true. */
  isDown = false;
  now = 0;
  everyMs = 50;
  readonly source: SourceInfo = {
    id: 'here',
    name: 'fixture',
    kind: 'engine',
    state: 'here',
    since: 0,
    reconnects: 0,
    dropped: { runs: 0, entries: 0, logs: 0 },
  };
  readonly #server = createServer((request, response) => this.#answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
    if (this.isDown && parts[0] === 'api') return void request.socket.destroy();
    if (parts[0] !== 'api') return sendFile(parts, response);
    if (request.method === 'POST') return this.#take(parts[3] ?? '', request, response);
    const body = this.#find(parts, url.searchParams, response);
    if (body !== undefined) sendJson(response, body);
  }

  #find([, kind, , id, what]: string[], params: URLSearchParams, response: ServerResponse): unknown {
    if (kind === 'hello') {
      const live = { way: 'poll', everyMs: this.everyMs };
      return { version: 1, topple: '0.1.0', now: this.now, live, sources: [this.source] };
    }
    if (kind === 'grid') return this.grid;
    if (id === undefined) return this.#list(params);
    const run = this.runs.find(({ structure }) => structure.id === id);
    if (run === undefined) return void sendProblem(response, 404, `There is no run ${id}.`);
    if (what === undefined) return { ...run.structure, now: this.now };
    if (what === 'entries') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      const after = Number(params.get('after') ?? 0);
      const wanted = run.feed.flatMap((line) => (after > 0 ? linesAfter(line, after) : [line]));
      const last = run.feed.findLast((line) => 'entries' in line);
      const seq = last?.entries.to ?? 0;
      const end: Feed = { end: { seq, isSettled: run.structure.run.endedAt !== null } };
      return void response.end([...wanted, end].map((line) => `${JSON.stringify(line)}\n`).join(''));
    }
    if (what === 'value') return pageOf(run.values?.[`${params.get('seq')}:${params.get('path')}`], params);
    return void sendProblem(response, 404, 'No.');
  }

  #list(params: URLSearchParams): RunList {
    const all = this.runs.map(({ structure }) => structure.run).toReversed();
    const flow = params.get('flow');
    const status = params.getAll('status');
    const ofFlow = all.filter((run) => flow === null || run.flow === flow);
    const counts: Partial<Record<ListedRun['status'], number>> = {};
    for (const run of ofFlow) counts[run.status] = (counts[run.status] ?? 0) + 1;
    return {
      runs: ofFlow.filter((run) => status.length === 0 || status.includes(run.status)),
      next: null,
      counts,
      isCountPartial: false,
      flows: [...new Set(all.map((run) => run.flow))].sort(),
      sources: [this.source],
    };
  }

  #take(id: string, request: IncomingMessage, response: ServerResponse): void {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      if (this.refusal !== undefined) return sendProblem(response, 409, this.refusal);
      this.commands.push({ id, request: JSON.parse(text) });
      sendJson(response, { run: this.runs.find(({ structure }) => structure.id === id)?.structure.run });
    });
  }
}

/** The part of a line that comes after a `seq`. */
function linesAfter(line: Feed, after: number): Feed[] {
  if (!('entries' in line)) return [line];
  const entries = rowsAfter(line.entries, after);
  return entries === undefined ? [] : [{ entries }];
}

/** A page of a value. */
function pageOf(value: unknown, params: URLSearchParams): ValuePage {
  const [from, count] = [Number(params.get('from')), Number(params.get('count'))];
  if (typeof value === 'string')
    return { kind: 'string', size: value.length, from, text: value.slice(from, from + count) };
  const items = Object.entries(value as object);
  return {
    kind: Array.isArray(value) ? 'array' : 'object',
    size: items.length,
    from,
    items: items.slice(from, from + count).map(([key, item]) => [key, `${params.get('path')}/${key}`, item]),
  };
}

const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

function sendFile(parts: string[], response: ServerResponse): void {
  const name = parts[0] === 'assets' ? (parts[1] ?? '') : 'index.html';
  response.writeHead(200, {
    'content-type': types[name.split('.').at(-1) ?? ''] ?? 'text/plain',
    'content-security-policy': policy,
  });
  createReadStream(`${pageFolder}${name}`).pipe(response);
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function sendProblem(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ status, detail }));
}
