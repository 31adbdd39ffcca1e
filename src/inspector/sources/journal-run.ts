import { Problem } from '../../http/problem.ts';
import type { Entry, EntryVisitor, FlowDefinition, MaybePromise } from '../../index.ts';
import { placeOf } from '../../model/child-id.ts';
import { endingOf } from '../../model/summary.ts';
import type {
  ChildRuns,
  CommandRequest,
  CommandType,
  GridCell,
  ListedRun,
  Structure,
  TaskShape,
  ValuePage,
} from '../protocol.ts';
import type { Redact } from '../values/redact.ts';
import { RowWriter } from '../values/row-writer.ts';
import { sentEntry, valueIn } from '../values/sent-entry.ts';
import { sentValue } from '../values/sent-value.ts';
import { type FoundValue, findValue, readPointer, valuePage } from '../values/value-page.ts';
import type { RunDigest } from './digest.ts';
import { Outcomes } from './outcome.ts';
import { shapeOf } from './shapes.ts';
import {
  type Batch,
  batchBytes,
  batchSize,
  type LogBatch,
  type ShownRun,
  type ValueQuery,
} from './source.ts';

/** The largest value that is sent as a whole, in bytes of JSON, about. */
const maxWholeBytes = 64 * 1_024 * 1_024;

/** So many are written before it is looked whether a batch is full. */
const fewEntries = 100;

/** The journal of a run, read in this process. */
export interface ReadableJournal {
  readonly id: string;
  readonly seq: number;
  entries(options: { readonly after: number; readonly limit?: number }): readonly Entry[];
  visit(visitor: EntryVisitor, options: { readonly after: number; readonly limit: number }): void;
}

/** What a run shows besides its journal. */
export interface JournalRunFacts {
  readonly source: string;
  readonly definition: FlowDefinition;
  /** Whether the definition is that of the run, not only what its journal mentions. */
  readonly isWhole: boolean;
  readonly digest: RunDigest;
  readonly redact: Redact | undefined;
  readonly recoveredAt: readonly number[];
  /** The run was set aside by its store. */
  readonly isLost?: boolean | undefined;
  children(): MaybePromise<ChildRuns>;
  /** The child runs as they were when the run was opened, for its structure. */
  readonly openedChildren?: ChildRuns | undefined;
  logs(after: number): LogBatch;
  command(request: CommandRequest): MaybePromise<void>;
}

/** A run shown from its journal. */
export class JournalRun implements ShownRun {
  readonly #journal: ReadableJournal;
  readonly #facts: JournalRunFacts;

  constructor(journal: ReadableJournal, facts: JournalRunFacts) {
    this.#journal = journal;
    this.#facts = facts;
  }

  get id(): string {
    return this.#journal.id;
  }

  get seq(): number {
    return this.#journal.seq;
  }

  get isSettled(): boolean {
    const { seq } = this;
    // Asked after each batch, and the digest would read all of it.
    const [last] = seq === 0 ? [] : this.#journal.entries({ after: seq - 1, limit: 1 });
    return last !== undefined && endingOf(last) !== undefined;
  }

  listed(): ListedRun {
    const { source, definition, isLost } = this.#facts;
    const listed = this.#digest.listed(source, this.id, definition.tasks.length);
    return isLost === true ? { ...listed, status: 'lost' } : listed;
  }

  structure(): Structure {
    const { source, definition, isWhole, recoveredAt, openedChildren } = this.#facts;
    const run = this.listed();
    const shape = shapeOf(definition);
    return {
      source,
      id: this.id,
      run,
      now: Date.now(),
      flowHash: this.#digest.flowHash,
      ...shape,
      isWhole,
      recoveredAt,
      commands: commandsFor(run, shape.tasks),
      ...(openedChildren === undefined ? {} : { children: openedChildren }),
    };
  }

  children(): MaybePromise<ChildRuns> {
    return this.#facts.children();
  }

  cells(): ReadonlyMap<string, GridCell> {
    const outcomes = new Outcomes();
    for (const entry of this.#journal.entries({ after: 0 })) outcomes.apply(entry);
    return outcomes.cells();
  }

  read(after: number): Batch {
    const to = Math.min(this.#journal.seq, after + batchSize);
    if (to <= after) return { to: after };
    const { definition, redact } = this.#facts;
    const { graph } = definition;
    const show = (entry: Entry) => sentEntry(entry, redact);
    const writer = new RowWriter(after + 1, graph.ids, (taskId) => graph.indexOf(taskId), show);
    for (let at = after; at < to && writer.size < batchBytes; at += fewEntries)
      this.#journal.visit(writer, { after: at, limit: Math.min(fewEntries, to - at) });
    return { entries: writer.finish(), to: after + writer.count };
  }

  logs(after: number): LogBatch {
    return this.#facts.logs(after);
  }

  page(query: ValueQuery): ValuePage {
    return valuePage(this.#find(query), query.pointer, query, this.#facts.redact);
  }

  whole(query: ValueQuery): string {
    const { value, path } = this.#find(query);
    // It has been shown to `redact` already, which may give the same again.
    const sent = sentValue(value, path, { redact: this.#facts.redact, maxBytes: maxWholeBytes });
    const isCut =
      typeof sent === 'object' && sent !== null && '$value' in sent && 'bytes' in Object(sent.$value);
    if (isCut) throw new Problem(413, 'The value is too large to be sent as a whole. Ask for its parts.');
    return JSON.stringify(sent);
  }

  command(request: CommandRequest): MaybePromise<void> {
    return this.#facts.command(request);
  }

  /** The digest as of the last entry. */
  get #digest(): RunDigest {
    const { digest } = this.#facts;
    while (digest.seq < this.#journal.seq) {
      const entries = this.#journal.entries({ after: digest.seq, limit: batchSize });
      if (entries.length === 0) break;
      for (const entry of entries) digest.apply(entry);
    }
    return digest;
  }

  #find({ seq, pointer }: ValueQuery): FoundValue {
    const [entry] = seq >= 1 ? this.#journal.entries({ after: seq - 1, limit: 1 }) : [];
    const [field = '', ...keys] = readPointer(pointer) ?? [];
    const start = entry && valueIn(entry, field);
    const found = start && findValue(start, keys, this.#facts.redact);
    if (found === undefined) throw new Problem(404, 'There is no such value in this run.');
    return found;
  }
}

/** Commands that may be tried on a run of these tasks in this status. */
export function commandsFor(
  { id, status, tasks, parent }: ListedRun,
  shapes: readonly TaskShape[],
): readonly CommandType[] {
  // An undo goes on whatever is asked, and is repeated by nothing.
  if (placeOf(id)?.isUndo === true) return [];
  const delivering = shapes.some(({ kind }) => kind === 'waitFor') ? (['deliver'] as const) : [];
  switch (status) {
    case 'running':
      return ['cancel', 'pause', ...delivering];
    case 'paused':
      return ['cancel', 'resume', ...delivering];
    case 'cancelling':
    case 'compensating':
      return [];
    case 'lost':
      return ['cancel'];
    default:
      // What is done in a child run is repeated by a rerun of its parent's task.
      return tasks === 0 || parent !== undefined ? [] : ['rerun'];
  }
}
