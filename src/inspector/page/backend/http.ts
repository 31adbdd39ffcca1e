import type {
  CommandRequest,
  CommandResult,
  Feed,
  Grid,
  Hello,
  ListedRun,
  RunKey,
  RunList,
  Structure,
  ValuePage,
} from '../../protocol.ts';
import type { Backend, ListWatcher, RunQuery, Watcher } from './backend.ts';
import { Live } from './live.ts';
import { readLines } from './ndjson.ts';

/** Talks to the server that the page is from. */
export class HttpBackend implements Backend {
  readonly isFile = false;
  readonly #base: URL;
  readonly #live: Live;
  #hello: Promise<Hello> | undefined;
  /** By how much the server's clock is ahead. */
  #aheadMs = 0;

  /** @param base the address of the page */
  constructor(base: URL) {
    this.#base = base;
    this.#live = new Live(this.#url('live'), (now) => this.#setClock(now));
  }

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  hello(): Promise<Hello> {
    this.#hello ??= this.#get<Hello>('hello').then(
      (hello) => {
        this.#setClock(hello.now);
        return hello;
      },
      (error) => {
        this.#hello = undefined;
        throw error;
      },
    );
    return this.#hello;
  }

  runs({ status, flow, source, cursor }: RunQuery): Promise<RunList> {
    const params = new URLSearchParams(status.map((each) => ['status', each]));
    for (const [name, value] of Object.entries({ flow, source, cursor })) if (value) params.set(name, value);
    return this.#get(`runs?${params}`);
  }

  grid(flow: string, source: string): Promise<Grid> {
    const params = new URLSearchParams({ flow, limit: '30' });
    if (source !== '') params.set('source', source);
    return this.#get(`grid?${params}`);
  }

  async structure(run: RunKey): Promise<Structure> {
    const structure = await this.#get<Structure>(pathOf(run));
    this.#setClock(structure.now);
    return structure;
  }

  watch(run: RunKey, after: () => number, watcher: Watcher): () => void {
    const ending = new AbortController();
    const { signal } = ending;
    void this.#follow(run, after, watcher, signal);
    return () => ending.abort();
  }

  watchList(watcher: ListWatcher): () => void {
    const ending = new AbortController();
    const { signal } = ending;
    void this.hello().then(({ live }) => {
      if (signal.aborted) return;
      if (live.way === 'websocket') signal.addEventListener('abort', this.#live.list(watcher));
      else this.#pollList(live.everyMs ?? 5_000, watcher, signal);
    }, noMatter);
    return () => ending.abort();
  }

  value(run: RunKey, seq: number, path: string, from: number, count: number): Promise<ValuePage> {
    const params = new URLSearchParams({ seq: String(seq), path, from: String(from), count: String(count) });
    return this.#get(`${pathOf(run)}/value?${params}`);
  }

  valueAddress(run: RunKey, seq: number, path: string): string {
    const params = new URLSearchParams({ seq: String(seq), path, whole: '1' });
    return this.#url(`${pathOf(run)}/value?${params}`).href;
  }

  async command(run: RunKey, request: CommandRequest): Promise<ListedRun> {
    const response = await fetch(this.#url(`${pathOf(run)}/commands`), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    return (await read<CommandResult>(response)).run;
  }

  exportAddress(run: RunKey): string {
    return this.#url(`${pathOf(run)}/export`).href;
  }

  /** Reads history, then goes on live. */
  async #follow(run: RunKey, after: () => number, watcher: Watcher, signal: AbortSignal): Promise<void> {
    watcher.link('loading');
    for (let delayMs = 500; !signal.aborted; delayMs = Math.min(8_000, 2 * delayMs)) {
      try {
        await this.#history(run, after(), watcher, signal);
        break;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refused) return watcher.refused(error.message);
        watcher.link('lost');
        await sleep(delayMs, signal);
      }
    }
    const hello = await this.hello().catch(() => undefined);
    if (signal.aborted) return;
    if (hello?.live.way === 'poll') await this.#poll(run, after, watcher, hello.live.everyMs, signal);
    else signal.addEventListener('abort', this.#live.watch(run, after, watcher));
  }

  async #history(run: RunKey, after: number, watcher: Watcher, signal: AbortSignal): Promise<void> {
    const response = await fetch(this.#url(`${pathOf(run)}/entries?after=${after}`), { signal });
    if (!response.ok || response.body === null) throw await refusal(response);
    let isWhole = false;
    for await (const feed of readLines<Feed>(response.body)) {
      if (signal.aborted) return;
      isWhole ||= feed.some((line) => 'end' in line);
      watcher.feed(feed, 0);
    }
    if (!isWhole) throw new Error('The stream of entries was cut.');
  }

  async #poll(
    run: RunKey,
    after: () => number,
    watcher: Watcher,
    everyMs: number | null,
    signal: AbortSignal,
  ): Promise<void> {
    if (everyMs === null) return watcher.link('still');
    watcher.link('live');
    while (!signal.aborted) {
      await sleep(everyMs, signal);
      await this.#history(run, after(), watcher, signal).then(
        () => watcher.link('live'),
        () => signal.aborted || watcher.link('lost'),
      );
    }
  }

  #pollList(everyMs: number, watcher: ListWatcher, signal: AbortSignal): void {
    watcher.link('live');
    const poll = async (): Promise<void> => {
      while (!signal.aborted) {
        await sleep(everyMs, signal);
        const list = await this.runs({ status: [], flow: '', source: '' }).catch(() => undefined);
        if (signal.aborted) return;
        watcher.link(list === undefined ? 'lost' : 'live');
        if (list !== undefined) watcher.runs(list.runs, []);
      }
    };
    void poll();
  }

  #setClock(now: number): void {
    this.#aheadMs = now - Date.now();
  }

  async #get<Body>(path: string): Promise<Body> {
    return read(await fetch(this.#url(path)));
  }

  #url(path: string): URL {
    return new URL(`./api/${path}`, this.#base);
  }
}

/** The server's answer is no. */
class Refused extends Error {}

function pathOf({ source, id }: RunKey): string {
  return `runs/${encodeURIComponent(source)}/${encodeURIComponent(id)}`;
}

async function read<Body>(response: Response): Promise<Body> {
  if (!response.ok) throw await refusal(response);
  return response.json();
}

async function refusal(response: Response): Promise<Refused> {
  const problem = await response.json().catch(() => undefined);
  const {
    detail,
    title,
    errors = [],
  } = (problem ?? {}) as {
    readonly detail?: string;
    readonly title?: string;
    readonly errors?: readonly { readonly pointer?: string; readonly detail?: string }[];
  };
  const parts = errors.slice(0, 5).map((error) => `${error.pointer ?? ''} ${error.detail ?? ''}`.trim());
  if (detail !== undefined && parts.length > 0) return new Refused(`${detail} ${parts.join('; ')}`);
  return new Refused(detail ?? title ?? `The inspector answered with status ${response.status}.`);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function noMatter(): void {}
