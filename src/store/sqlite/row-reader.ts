import type { Entry } from '../../model/journal.ts';
import type { ValueFormat } from '../store.ts';
import type { Row } from './row.ts';

type StoredStep = readonly [kind: string, taskId: string, ms: number, attempt?: number, output?: unknown];
type StoredObject = Readonly<Record<string, unknown>> & { readonly type: string };

/** Makes entries of a run's rows, which must come in order, from the first. */
export class RowReader {
  readonly #runId: string;
  readonly #format: ValueFormat;

  constructor(runId: string, format: ValueFormat) {
    this.#runId = runId;
    this.#format = format;
  }

  read({ seq: last, at, text }: Row, entries: Entry[]): void {
    const stored = JSON.parse(text) as (StoredStep | StoredObject)[];
    let seq = last - stored.length;
    for (const item of stored) {
      seq++;
      entries.push(
        Array.isArray(item)
          ? this.#step(item as StoredStep, at, seq)
          : this.#object(item as StoredObject, seq),
      );
    }
  }

  #step([kind, taskId, ms, attempt = 0, value]: StoredStep, start: number, seq: number): Entry {
    const runId = this.#runId;
    const at = start + ms;
    switch (kind) {
      case 'ready':
        return { type: 'task.ready', at, seq, runId, taskId };
      case 'started':
        return { type: 'task.started', at, attempt, seq, runId, taskId };
      default:
        return { type: 'task.done', at, attempt, output: this.#valueOf(value), seq, runId, taskId };
    }
  }

  #object({ taskId, ...fields }: StoredObject, seq: number): Entry {
    const entry: Record<string, unknown> = fields;
    for (const name of ['input', 'output', 'reason'])
      if (name in fields) entry[name] = this.#valueOf(fields[name]);
    const { type } = fields;
    // JSON has no undefined, but these have their value in any case.
    const name = type === 'run.started' ? 'input' : type.endsWith('.done') ? 'output' : undefined;
    if (name !== undefined && !(name in entry)) entry[name] = undefined;
    entry.seq = seq;
    entry.runId = this.#runId;
    if (taskId !== undefined) entry.taskId = taskId;
    return entry as unknown as Entry;
  }

  /** `undefined` is left out of the row. */
  #valueOf(json: unknown): unknown {
    return json === undefined ? undefined : this.#format.read(json);
  }
}
