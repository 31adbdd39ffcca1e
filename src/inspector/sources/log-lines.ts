import type { LogLine } from '../protocol.ts';
import type { LogBatch } from './source.ts';

/** Lines of one run that are kept. */
const mostLines = 1_000;
/** Characters of one run's lines that are kept, about. */
const mostOfRun = 256 * 1_024;
/** Characters of all lines that are kept, about. */
const mostOfAll = 16 * 1_024 * 1_024;

interface RunLines {
  readonly lines: LogLine[];
  /** Number of the last line, gone ones included. */
  last: number;
  size: number;
}

/** The last lines that bodies have logged, by run. What is over the bounds goes, the oldest first, and is counted. */
export class LogLines {
  readonly #runs = new Map<string, RunLines>();
  #size = 0;
  /** Lines that are gone. */
  dropped = 0;

  /** Adds the next line of a run, which is made with its number. */
  add(runId: string, make: (n: number) => LogLine): void {
    const run = this.#runs.get(runId) ?? { lines: [], last: 0, size: 0 };
    this.#runs.set(runId, run);
    const line = make(++run.last);
    run.lines.push(line);
    const size = sizeOf(line);
    run.size += size;
    this.#size += size;
    while (run.lines.length > mostLines || (run.size > mostOfRun && run.lines.length > 1))
      this.#dropFirst(run);
    while (this.#size > mostOfAll && this.#runs.size > 1) this.#dropOldest();
  }

  /** The lines of a run above a number. */
  after(runId: string, after: number): LogBatch {
    const run = this.#runs.get(runId);
    if (run === undefined || run.last <= after) return { lines: [], dropped: 0, to: after };
    const first = run.last - run.lines.length;
    const lines = run.lines.slice(Math.max(0, after - first));
    return { lines, dropped: Math.max(0, first - after), to: run.last };
  }

  #dropFirst(run: RunLines): void {
    const size = sizeOf(run.lines.shift() as LogLine);
    run.size -= size;
    this.#size -= size;
    this.dropped++;
  }

  #dropOldest(): void {
    const [[id, { size, lines }]] = this.#runs as unknown as [[string, RunLines]];
    this.#runs.delete(id);
    this.#size -= size;
    this.dropped += lines.length;
  }
}

function sizeOf({ message, data }: LogLine): number {
  return message.length + (data === undefined ? 0 : (JSON.stringify(data)?.length ?? 0)) + 64;
}
