import type { Feed, LogLine, RunKey, Structure } from '../../protocol.ts';
import { readRows } from '../../rows.ts';
import type { Backend, Link } from '../backend/backend.ts';
import { Recording } from '../run/recording.ts';

/** The most lines of logs that are kept; the oldest go first. */
const mostLogs = 20_000;

/** A run that a page looks at: its recording, fed from a backend, and its logs. */
export class Session {
  readonly key: RunKey;
  readonly #backend: Backend;
  readonly #onChange: () => void;
  structure: Structure | undefined;
  recording: Recording | undefined;
  link: Link = 'loading';
  /** Why it cannot be shown, in a sentence. */
  problem: string | undefined;
  /** Entries that wait to be sent, since the page is slow. */
  behind = 0;
  /** Lines of logs that were not kept or never came. */
  droppedLogs = 0;
  /** Whether all that there was at the start has come. */
  isReady = false;
  #logs: Map<string, LogLine[]> = new Map();
  #logCount = 0;
  #end: (() => void) | undefined;
  #isClosed = false;

  /** @param onChange is called after each change, possibly often */
  constructor(backend: Backend, key: RunKey, onChange: () => void) {
    this.key = key;
    this.#backend = backend;
    this.#onChange = onChange;
    void this.#open();
  }

  /** The lines that a task's bodies logged, in order. */
  logsOf(taskId: string): readonly LogLine[] {
    return this.#logs.get(taskId) ?? [];
  }

  close(): void {
    this.#isClosed = true;
    this.#end?.();
  }

  async #open(): Promise<void> {
    try {
      const structure = await this.#backend.structure(this.key);
      if (this.#isClosed) return;
      this.structure = structure;
      this.recording = new Recording(structure);
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#onChange();
    const after = (): number => this.recording?.seq ?? 0;
    this.#end = this.#backend.watch(this.key, after, {
      feed: (feed, behind) => {
        this.behind = behind;
        const before = this.recording?.fold.status;
        for (const line of feed) this.#take(line);
        // What may be commanded changes with the status.
        if (this.isReady && this.recording?.fold.status !== before) void this.#renew();
        this.#onChange();
      },
      link: (link) => {
        this.link = link;
        if (link === 'live' || link === 'still') this.isReady = true;
        this.#onChange();
      },
      changed: () => void this.#renew(),
      refused: (detail) => this.#fail(detail),
    });
  }

  /** Gets the structure again. If tasks changed, all is read again. */
  async #renew(): Promise<void> {
    const structure = await this.#backend.structure(this.key).catch(() => undefined);
    const before = this.structure;
    if (structure === undefined || before === undefined || this.#isClosed) return;
    this.structure = structure;
    const isSame =
      structure.flowHash === before.flowHash &&
      structure.tasks.length === before.tasks.length &&
      String(structure.recoveredAt) === String(before.recoveredAt);
    if (isSame) this.#onChange();
    else this.#restart();
  }

  #restart(): void {
    this.#end?.();
    this.#logs = new Map();
    this.#logCount = 0;
    void this.#open();
  }

  #take(line: Feed): void {
    const { recording } = this;
    if (recording === undefined) return;
    if ('entries' in line) recording.add(readRows(line.entries, this.key.id, recording.graph.ids));
    else if ('gap' in line) recording.skip(line.gap);
    else if ('children' in line) recording.count(line.children);
    else if ('logs' in line) this.#takeLogs(line.logs, line.dropped);
    else {
      this.isReady = true;
      // The journal is another one than before: its server has begun anew.
      if (line.end.seq < recording.seq) this.#restart();
    }
  }

  #takeLogs(logs: readonly LogLine[], dropped: number): void {
    this.droppedLogs += dropped;
    for (const line of logs) {
      const own = this.#logs.get(line.taskId) ?? [];
      this.#logs.set(line.taskId, own);
      own.push(line);
      if (++this.#logCount > mostLogs) this.#dropLog();
    }
  }

  /** Leaves out the oldest lines of the task that has the most. */
  #dropLog(): void {
    let longest: LogLine[] = [];
    for (const own of this.#logs.values()) if (own.length > longest.length) longest = own;
    const dropped = longest.splice(0, Math.ceil(longest.length / 2)).length;
    this.#logCount -= dropped;
    this.droppedLogs += dropped;
  }

  #fail(problem: string): void {
    if (this.#isClosed) return;
    this.problem = problem;
    this.link = 'lost';
    this.#onChange();
  }
}
