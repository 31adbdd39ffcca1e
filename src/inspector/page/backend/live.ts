import type { RunKey, ToPage, ToServer } from '../../protocol.ts';
import type { ListWatcher, Watcher } from './backend.ts';

interface Watched {
  readonly run: RunKey;
  readonly after: () => number;
  readonly watcher: Watcher;
}

/** Connects by a WebSocket while anybody watches, and again after it broke, from where each run had come to. */
export class Live {
  readonly #address: URL;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #delayMs = firstDelayMs;
  readonly #watched = new Map<string, Set<Watched>>();
  readonly #lists = new Set<ListWatcher>();

  readonly #onClock: (now: number) => void;

  /**
   * @param address by http or https
   * @param onClock is told the server's time
   */
  constructor(address: URL, onClock: (now: number) => void) {
    this.#address = address;
    this.#onClock = onClock;
  }

  /** Watches a run, until the returned function is called. */
  watch(run: RunKey, after: () => number, watcher: Watcher): () => void {
    const key = keyOf(run);
    const watched = { run, after, watcher };
    const all = this.#watched.get(key) ?? new Set();
    this.#watched.set(key, all.add(watched));
    this.#begin(watcher);
    this.#send({ type: 'watch', ...run, after: after() });
    return () => {
      all.delete(watched);
      if (all.size === 0 && this.#watched.delete(key)) this.#send({ type: 'unwatch', ...run });
      this.#endIfUnused();
    };
  }

  /** Watches the list of runs, until the returned function is called. */
  list(watcher: ListWatcher): () => void {
    this.#lists.add(watcher);
    this.#begin(watcher);
    this.#send({ type: 'list', on: true });
    return () => {
      this.#lists.delete(watcher);
      if (this.#lists.size === 0) this.#send({ type: 'list', on: false });
      this.#endIfUnused();
    };
  }

  #begin({ link }: Pick<Watcher, 'link'>): void {
    if (this.#socket === undefined) this.#connect();
    link(this.#socket?.readyState === WebSocket.OPEN ? 'live' : 'loading');
  }

  #connect(): void {
    clearTimeout(this.#retry);
    const address = new URL(this.#address);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onopen = () => {
      this.#delayMs = firstDelayMs;
      for (const all of this.#watched.values()) {
        const [first] = all;
        if (first !== undefined) this.#send({ type: 'watch', ...first.run, after: first.after() });
      }
      if (this.#lists.size > 0) this.#send({ type: 'list', on: true });
      this.#tell('live');
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (this.#watched.size + this.#lists.size === 0) return;
      this.#tell('lost');
      this.#retry = setTimeout(() => this.#connect(), this.#delayMs);
      this.#delayMs = Math.min(8_000, 2 * this.#delayMs);
    };
  }

  #receive(message: ToPage): void {
    switch (message.type) {
      case 'feed':
        this.#onClock(message.now);
        return this.#each(message, ({ watcher }) => watcher.feed(message.feed, message.behind));
      case 'changed':
        return this.#each(message, ({ watcher }) => watcher.changed());
      case 'runs':
        for (const list of this.#lists) list.runs(message.runs, message.removed);
        return;
      case 'sources':
        for (const list of this.#lists) list.sources(message.sources);
        return;
      case 'refused': {
        const { source, id, detail } = message;
        if (source !== undefined && id !== undefined)
          this.#each({ source, id }, ({ watcher }) => watcher.refused(detail));
        return;
      }
      default:
    }
  }

  #each(run: RunKey, tell: (watched: Watched) => void): void {
    for (const watched of this.#watched.get(keyOf(run)) ?? []) tell(watched);
  }

  #tell(link: 'live' | 'lost'): void {
    for (const all of this.#watched.values()) for (const { watcher } of all) watcher.link(link);
    for (const list of this.#lists) list.link(link);
  }

  #send(message: ToServer): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #endIfUnused(): void {
    if (this.#watched.size + this.#lists.size > 0) return;
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#socket = undefined;
  }
}

const firstDelayMs = 250;

function keyOf({ source, id }: RunKey): string {
  return JSON.stringify([source, id]);
}
