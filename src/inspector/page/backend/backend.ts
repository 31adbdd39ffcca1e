import type {
  CommandRequest,
  Feed,
  Grid,
  Hello,
  ListedRun,
  RunKey,
  RunList,
  SourceInfo,
  Structure,
  ValuePage,
} from '../../protocol.ts';

/** The state of the connection to where the entries come from. */
export type Link =
  /** Entries come as they are made. */
  | 'live'
  /** History is being read, or the connection is being made. */
  | 'loading'
  /** The connection is gone, and is being made again. */
  | 'lost'
  /** A file, or a run of which nothing more comes. */
  | 'still';

/** Filter of the list of runs. */
export interface RunQuery {
  readonly status: readonly string[];
  readonly flow: string;
  readonly source: string;
  readonly cursor?: string | undefined;
}

/** Gets what comes of a watched run. */
export interface Watcher {
  feed(feed: readonly Feed[], behind: number): void;
  link(link: Link): void;
  /** The structure must be asked for again. */
  changed(): void;
  /** It cannot be watched any more. */
  refused(detail: string): void;
}

/** Gets what comes of the list of runs. */
export interface ListWatcher {
  runs(runs: readonly ListedRun[], removed: readonly RunKey[]): void;
  sources(sources: readonly SourceInfo[]): void;
  link(link: Link): void;
}

/** Where a page has its runs from: a server, or the file that it is. Requests reject with an `Error` for people. */
export interface Backend {
  /** Whether nothing can change or be commanded. */
  readonly isFile: boolean;
  /** The time where the runs are, epoch ms. */
  now(): number;
  hello(): Promise<Hello>;
  runs(query: RunQuery): Promise<RunList>;
  grid(flow: string, source: string): Promise<Grid>;
  structure(run: RunKey): Promise<Structure>;
  /** Sends the entries after a `seq`, and those that follow, until the returned function is called. */
  watch(run: RunKey, after: () => number, watcher: Watcher): () => void;
  watchList(watcher: ListWatcher): () => void;
  value(run: RunKey, seq: number, path: string, from: number, count: number): Promise<ValuePage>;
  /** The address at which a value is as JSON, to save it; `undefined` if there is none. */
  valueAddress(run: RunKey, seq: number, path: string): string | undefined;
  command(run: RunKey, request: CommandRequest): Promise<ListedRun>;
  /** The address of the file to save; `undefined` if there is none. */
  exportAddress(run: RunKey): string | undefined;
}
