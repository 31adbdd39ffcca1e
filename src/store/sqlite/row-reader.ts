import type { Entry } from '../../model/journal.ts';
import { put } from '../../model/record.ts';
import type { ValueFormat } from '../store.ts';
import type { Row } from './row.ts';
import { valueIn } from './value-text.ts';

type StoredStep = readonly [kind: string, taskId: string, ms: number, attempt?: number, output?: unknown];
type StoredObject = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly outputs?: true | readonly string[];
};

/** Makes entries of a run's rows, which must come in order, from the first. */
export class RowReader {
  readonly #runId: string;
  readonly #format: ValueFormat | undefined;
  /** Of the tasks that are done, in the order in which they settled. */
  readonly #outputs = new Map<string, unknown>();

  constructor(runId: string, format: ValueFormat | undefined) {
    this.#runId = runId;
    this.#format = format;
  }

  read({ seq: last, at, text }: Row, entries: Entry[]): void {
    const stored = JSON.parse(text) as (StoredStep | StoredObject)[];
    let seq = last - stored.length;
    for (const item of stored) {
      seq++;
      const entry = Array.isArray(item)
        ? this.#step(item as StoredStep, at, seq)
        : this.#object(item as StoredObject, seq);
      if (entry.type === 'task.done') {
        this.#outputs.delete(entry.taskId);
        this.#outputs.set(entry.taskId, entry.output);
      } else if (entry.type === 'task.rerun') this.#outputs.delete(entry.taskId);
      entries.push(entry);
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
      case 'done':
        return { type: 'task.done', at, attempt, output: this.#plain(value), seq, runId, taskId };
      default: {
        const output = valueIn(value as string, this.#format);
        return { type: 'task.done', at, attempt, output, seq, runId, taskId };
      }
    }
  }

  #object({ taskId, outputs, ...fields }: StoredObject, seq: number): Entry {
    const entry: Record<string, unknown> = fields;
    for (const name of ['input', 'output', 'reason']) {
      const text = fields[`${name}*`];
      if (text !== undefined) {
        entry[name] = valueIn(text as string, this.#format);
        delete entry[`${name}*`];
      } else if (name in fields) entry[name] = this.#plain(fields[name]);
    }
    if (outputs !== undefined) entry.output = this.#recordOf(outputs);
    const { type } = fields;
    // JSON has no undefined, but these have their value in any case.
    const name = type === 'run.started' ? 'input' : type.endsWith('.done') ? 'output' : undefined;
    if (name !== undefined && !(name in entry)) entry[name] = undefined;
    entry.seq = seq;
    entry.runId = this.#runId;
    if (taskId !== undefined) entry.taskId = taskId;
    return entry as unknown as Entry;
  }

  /** A value that was written as JSON; a format may read even that in its own way. */
  #plain(value: unknown): unknown {
    if (this.#format === undefined || value === undefined) return value;
    return this.#format.read(JSON.stringify(value));
  }

  #recordOf(outputs: true | readonly string[]): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    const ids = outputs === true ? this.#outputs.keys() : outputs;
    for (const id of ids) put(record, id, this.#outputs.get(id));
    return record;
  }
}
