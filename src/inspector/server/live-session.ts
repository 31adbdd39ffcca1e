import { Problem } from '../../http/problem.ts';
import type { Clock } from '../../index.ts';
import { isChildId, parentIdOf } from '../../model/child-id.ts';
import type { ChildRun, ListedRun, RunKey, ToPage, ToServer } from '../protocol.ts';
import { type FeedPieces, feedMessage, feedPieces, feedsOf } from '../sources/feed-bytes.ts';
import type { ShownRun, Source } from '../sources/source.ts';
import type { IsVisible } from '../sources/sources.ts';
import { helloOf, type InspectorParts } from './parts.ts';

/** The connection to a page. */
export interface LiveSocket {
  /** @param text a string, or its UTF-8 */
  send(text: string | Uint8Array): void;
  /** Bytes that wait to be sent. */
  readonly waiting: number;
  close(code: number, reason: string): void;
}

/** How long news is collected before it is sent together. */
const collectMs = 50;
const collectListMs = 250;
/** A run's child runs are counted at most so often. */
const collectChildrenMs = 250;
/** A page for which more bytes wait is sent nothing new until it has read. */
const mostWaiting = 1_048_576;
const mostWatched = 32;
/** Runs told in one message. */
const mostListed = 200;

/** Close codes of RFC 6455. */
const policyViolation = 1008;

interface Watched extends RunKey {
  run: ShownRun | undefined;
  after: number;
  afterLog: number;
  /** `seq` at which the page was told that the run has settled. */
  settledSeq: number;
  stopFollowing: (() => void) | undefined;
  /** What was told of child runs, by task. */
  readonly told: Map<string, string>;
}

/**
 * What one page watches. Entries wait in their journals, not here: a slow page gets them later, and how many it is
 * behind.
 */
export class LiveSession {
  readonly #socket: LiveSocket;
  readonly #parts: InspectorParts;
  readonly #clock: Clock;
  #isVisible: IsVisible;
  readonly #watched = new Map<string, Watched>();
  readonly #dirty = new Set<string>();
  #listsRuns = false;
  readonly #changed = new Map<string, RunKey>();
  readonly #removed = new Map<string, RunKey>();
  #areSourcesNew = false;
  /** Watched runs whose child runs have gone on. */
  readonly #countable = new Set<string>();
  #childrenTimer: unknown;
  #flushTimer: unknown;
  #listTimer: unknown;
  #isOver = false;
  readonly #stops: (() => void)[] = [];
  readonly #stopBySource = new Map<Source, () => void>();

  constructor(socket: LiveSocket, parts: InspectorParts, isVisible: IsVisible, clock: Clock) {
    this.#socket = socket;
    this.#parts = parts;
    this.#isVisible = isVisible;
    this.#clock = clock;
    this.#send({ type: 'hello', hello: helloOf(parts) });
    const stop = parts.sources.listen({
      added: (source) => this.#sourceCame(source),
      gone: (source) => this.#sourceWent(source),
    });
    this.#stops.push(stop);
  }

  /** Takes a message of the page. One of another form ends the connection. */
  receive(text: string): void {
    if (this.#isOver) return;
    const message = readMessage(text);
    switch (message?.type) {
      case undefined:
        return this.#socket.close(policyViolation, 'not a message of the inspector');
      case 'ping':
        return this.#send({ type: 'pong' });
      case 'list':
        this.#listsRuns = message.on;
        return;
      case 'unwatch':
        return this.#unwatch(keyOf(message));
      case 'watch':
        void this.#watch(message);
    }
  }

  /** Applies what the page may see from now on. */
  allow(isVisible: IsVisible): void {
    this.#isVisible = isVisible;
    for (const [key, watched] of this.#watched) {
      const { run, id } = watched;
      if (run === undefined) continue;
      if (isChildId(id)) {
        // Its root decides. Nothing is sent until that is known.
        watched.run = undefined;
        void this.#open(key, watched);
      } else if (!isVisible({ id, flow: run.listed().flow })) this.#unwatch(key);
    }
  }

  /** Ends it: nothing is sent any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const key of [...this.#watched.keys()]) this.#unwatch(key);
    for (const stop of [...this.#stops, ...this.#stopBySource.values()]) stop();
    this.#clock.clearTimeout(this.#flushTimer);
    this.#clock.clearTimeout(this.#listTimer);
    this.#clock.clearTimeout(this.#childrenTimer);
  }

  async #watch({ source, id, after, afterLog = 0 }: Extract<ToServer, { type: 'watch' }>): Promise<void> {
    const key = keyOf({ source, id });
    this.#unwatch(key);
    if (this.#watched.size >= mostWatched)
      return this.#refuse(`At most ${mostWatched} runs are watched at a time.`, { source, id });
    const watched: Watched = {
      source,
      id,
      run: undefined,
      after,
      afterLog,
      settledSeq: -1,
      stopFollowing: undefined,
      told: new Map(),
    };
    this.#watched.set(key, watched);
    if (await this.#open(key, watched)) watched.stopFollowing = this.#parts.sources.get(source)?.follow?.(id);
    // It was left while it was opened.
    if (this.#watched.get(key) !== watched) watched.stopFollowing?.();
  }

  /** Opens a run, perhaps again; `false` if it cannot be shown. */
  async #open(key: string, watched: Watched): Promise<boolean> {
    const { source, id } = watched;
    try {
      const run = await this.#parts.sources.open(source, id, this.#isVisible);
      if (this.#watched.get(key) !== watched) return false;
      watched.run = run;
      this.#touch(key);
      return true;
    } catch (error) {
      if (this.#watched.get(key) !== watched) return false;
      this.#unwatch(key);
      if (!(error instanceof Problem)) this.#parts.logger.error('The inspector could not open a run', error);
      this.#refuse(error instanceof Problem ? error.message : 'The run could not be opened.', { source, id });
      return false;
    }
  }

  #unwatch(key: string): void {
    this.#watched.get(key)?.stopFollowing?.();
    this.#watched.delete(key);
    this.#dirty.delete(key);
  }

  #sourceCame(source: Source): void {
    const stop = source.listen({
      changed: (id) => this.#runChanged({ source: source.id, id }),
      renewed: (id) => this.#runRenewed({ source: source.id, id }),
      removed: (ids) => {
        for (const id of ids) this.#runRemoved({ source: source.id, id });
      },
      informed: () => this.#tellSources(),
    });
    this.#stopBySource.set(source, stop);
    this.#tellSources();
  }

  #sourceWent(source: Source): void {
    this.#stopBySource.get(source)?.();
    this.#stopBySource.delete(source);
    this.#tellSources();
  }

  #runChanged(key: RunKey): void {
    const text = keyOf(key);
    if (this.#watched.has(text)) this.#touch(text);
    if (isChildId(key.id)) return this.#childChanged(keyOf({ ...key, id: parentIdOf(key.id) }));
    if (!this.#listsRuns) return;
    this.#changed.set(text, key);
    this.#removed.delete(text);
    this.#touchList();
  }

  #childChanged(parent: string): void {
    if (!this.#watched.has(parent)) return;
    this.#countable.add(parent);
    this.#childrenTimer ??= this.#clock.setTimeout(() => void this.#tellChildren(), collectChildrenMs);
  }

  /** Sends the counts of child runs that have changed. */
  async #tellChildren(): Promise<void> {
    this.#childrenTimer = undefined;
    const keys = [...this.#countable];
    this.#countable.clear();
    for (const key of keys) {
      const watched = this.#watched.get(key);
      const children = await Promise.resolve(watched?.run?.children()).catch(() => undefined);
      if (watched?.run === undefined || children === undefined || this.#watched.get(key) !== watched)
        continue;
      const fresh: Record<string, ChildRun> = {};
      for (const [taskId, child] of Object.entries(children)) {
        const text = JSON.stringify(child);
        if (watched.told.get(taskId) === text) continue;
        watched.told.set(taskId, text);
        fresh[taskId] = child;
      }
      if (this.#isOver || Object.keys(fresh).length === 0) continue;
      const behind = Math.max(0, watched.run.seq - watched.after);
      this.#tellFeeds(watched, [feedPieces({ children: fresh })], behind);
    }
  }

  #runRenewed(key: RunKey): void {
    const text = keyOf(key);
    const watched = this.#watched.get(text);
    if (watched === undefined) return;
    this.#send({ type: 'changed', ...key });
    void this.#open(text, watched);
  }

  #runRemoved(key: RunKey): void {
    const text = keyOf(key);
    this.#unwatch(text);
    if (!this.#listsRuns || isChildId(key.id)) return;
    this.#changed.delete(text);
    this.#removed.set(text, key);
    this.#touchList();
  }

  #tellSources(): void {
    this.#areSourcesNew = true;
    this.#touchList();
  }

  #touch(key: string): void {
    this.#dirty.add(key);
    this.#flushTimer ??= this.#clock.setTimeout(() => this.#flush(), collectMs);
  }

  #touchList(): void {
    this.#listTimer ??= this.#clock.setTimeout(() => void this.#flushList(), collectListMs);
  }

  #flush(): void {
    this.#flushTimer = undefined;
    if (this.#isOver) return;
    for (const key of this.#dirty) {
      if (this.#socket.waiting > mostWaiting) break;
      const watched = this.#watched.get(key);
      const hasMore = watched?.run !== undefined && this.#sendNext(watched, watched.run);
      // Moved to the end, so that no run keeps the others waiting.
      this.#dirty.delete(key);
      if (hasMore) this.#dirty.add(key);
    }
    if (this.#dirty.size > 0) this.#flushTimer = this.#clock.setTimeout(() => this.#flush(), collectMs);
  }

  /** Sends batches of a run while the page keeps up. Returns whether there are more. */
  #sendNext(watched: Watched, run: ShownRun): boolean {
    for (;;) {
      const batch = run.read(watched.after);
      const lines = run.logs(watched.afterLog);
      const isNew = batch.to > watched.after;
      watched.after = Math.max(batch.to, watched.after);
      watched.afterLog = lines.to;
      const behind = Math.max(0, run.seq - watched.after);
      this.#tellFeeds(watched, feedsOf(batch, lines), behind);
      if (behind === 0 || !isNew) break;
      if (this.#socket.waiting > mostWaiting) return true;
    }
    if (run.isSettled && watched.settledSeq !== run.seq) {
      watched.settledSeq = run.seq;
      this.#send({ type: 'settled', source: watched.source, id: watched.id, seq: run.seq });
    }
    return false;
  }

  async #flushList(): Promise<void> {
    const keys = [...this.#changed.values()].slice(0, mostListed);
    for (const key of keys) this.#changed.delete(keyOf(key));
    const removed = [...this.#removed.values()];
    this.#removed.clear();
    const runs: ListedRun[] = [];
    for (const { source, id } of keys) {
      try {
        runs.push((await this.#parts.sources.open(source, id, this.#isVisible)).listed());
      } catch {
        // It is gone, or not for this page.
      }
    }
    this.#listTimer = undefined;
    if (this.#isOver) return;
    if (this.#areSourcesNew) this.#send({ type: 'sources', sources: this.#parts.sources.infos() });
    this.#areSourcesNew = false;
    if (this.#listsRuns && (runs.length > 0 || removed.length > 0))
      this.#send({ type: 'runs', runs, removed });
    if (this.#changed.size > 0 || this.#removed.size > 0) this.#touchList();
  }

  #refuse(detail: string, key: RunKey): void {
    this.#send({ type: 'refused', ...key, detail });
  }

  #tellFeeds({ source, id }: RunKey, feeds: readonly FeedPieces[], behind: number): void {
    if (feeds.length === 0) return;
    this.#socket.send(feedMessage({ type: 'feed', source, id, behind, now: Date.now() }, feeds));
  }

  #send(message: ToPage): void {
    if (!this.#isOver) this.#socket.send(JSON.stringify(message));
  }
}

function keyOf({ source, id }: RunKey): string {
  return `${source} ${id}`;
}

/** Reads a message; `undefined` for anything else. */
function readMessage(text: string): ToServer | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null) return undefined;
  const { type, source, id, after, afterLog, on } = message as Readonly<Record<string, unknown>>;
  if (type === 'ping') return { type };
  if (type === 'list') return typeof on === 'boolean' ? { type, on } : undefined;
  if (typeof source !== 'string' || typeof id !== 'string') return undefined;
  if (type === 'unwatch') return { type, source, id };
  if (type !== 'watch' || !isCount(after) || !(afterLog === undefined || isCount(afterLog))) return undefined;
  return { type, source, id, after, ...(afterLog === undefined ? {} : { afterLog }) };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
