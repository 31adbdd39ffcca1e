import { showValue } from './check.ts';
import type { FlowDefinition } from './definition.ts';
import { entryFields, instant, isObject } from './entry-fields.ts';
import { FlowError, JournalError } from './error.ts';
import { tasksBegunAnew } from './fold.ts';
import type { Entry, FlowChange } from './journal.ts';
import { didYouMean, nearest } from './nearest.ts';
import type { SettledRunStatus } from './status.ts';
import { endingOf } from './summary.ts';

/** Names a journal in an error. */
export interface JournalPlace {
  /** `Journal of run r`. */
  readonly owner: string;
  readonly runId?: string | undefined;
  /** The path to the entries: `run.entries`. */
  readonly path: string;
}

/**
 * Checks the entries of a run before it continues: their form, their order, and that they are of this flow. Returns the
 * status in which the run has settled, if it has. Ignores unknown fields.
 *
 * @throws JournalError `malformed` with the place; FlowError `flow_changed` if tasks, dependencies or rules differ
 */
export function checkJournal(
  definition: FlowDefinition,
  runId: string,
  entries: unknown,
  place: JournalPlace,
): SettledRunStatus | undefined {
  if (!Array.isArray(entries)) throw malformed(place, '', 'an array', entries);
  const check = new JournalCheck(definition, runId, place);
  for (const entry of entries) check.next(entry);
  if (check.end()) throw flowChanged(runId, definition.name);
  return check.ending;
}

/**
 * The error of a run that follows another version of its flow.
 *
 * @param changes how the flow has changed since, in words; empty if nobody knows; left out if nobody was asked
 */
export function flowChanged(runId: string, flow: string, changes?: readonly string[]): FlowError {
  const known = changes ?? [];
  const what = known.length > 0 ? listed(known) : 'its tasks, dependencies or trigger rules have changed';
  const but = changes?.length === 0 ? ' (the store has no outline of that version that would tell how)' : '';
  const message =
    `Run ${runId} was started with another version of flow \`${flow}\`: ${what}${but}. Continue it with the flow with ` +
    "which it was started, or with this one by `engine.recover(flows, { onFlowChange: 'adopt' })`.";
  return new FlowError('flow_changed', message, { flow, ...(changes && { changes }) });
}

/** The error of an invalid part of a journal; `at` is appended to the path, `rule` follows "must be". */
export function malformed(place: JournalPlace, at: string, rule: string, value: unknown): JournalError {
  const path = place.path + at;
  const message = `${place.owner}: \`${path}\` must be ${rule}, but is ${showValue(value)}`;
  return new JournalError('malformed', message, { runId: place.runId, place: path, value });
}

type Refuse = (field: string, rule: string, value: unknown) => JournalError;

/**
 * Checks one journal, entry by entry.
 *
 * Entries before a change of the flow may be of tasks that this version lacks; so may all, if another version wrote
 * them. Only `end` knows.
 */
export class JournalCheck {
  /** The status in which the run has settled, by the entries up to now. */
  ending: SettledRunStatus | undefined;
  readonly #definition: FlowDefinition;
  readonly #runId: string;
  readonly #place: JournalPlace;
  readonly #hasSettled: Uint8Array;
  #unsettled: number;
  #index = 0;
  /** Of the version whose entries follow; `undefined` before the run has started. */
  #flowHash: string | undefined;
  /** The refusal of the first entry since the last change of the flow whose task this version lacks. */
  #unknownTask: JournalError | undefined;
  readonly #unknownTasks = new Set<string>();

  constructor(definition: FlowDefinition, runId: string, place: JournalPlace) {
    const { size } = definition.graph;
    this.#definition = definition;
    this.#runId = runId;
    this.#place = place;
    this.#hasSettled = new Uint8Array(size);
    this.#unsettled = size;
  }

  /** Takes the next entry. Throws JournalError `malformed`. */
  next(entry: unknown): void {
    const index = this.#index++;
    const refuse: Refuse = (field, rule, value) => malformed(this.#place, `[${index}]${field}`, rule, value);
    if (!isObject(entry)) throw refuse('', 'an entry', entry);
    const { type, seq, runId, at } = entry;
    const fields = entryFields.get(type);
    if (fields === undefined) throw refuse('.type', 'a type of entry', type);
    if (seq !== index + 1) throw refuse('.seq', `${index + 1}, since entries count from 1 without gaps`, seq);
    if (runId !== this.#runId) throw refuse('.runId', `the id of the run, ${showValue(this.#runId)}`, runId);
    if (!instant.holds(at)) throw refuse('.at', instant.rule, at);
    for (const [field, { rule, holds }] of fields) {
      if (!holds(entry[field])) throw refuse(`.${field}`, rule, entry[field]);
    }
    this.#follow(entry as unknown as Entry, refuse);
  }

  /**
   * Ends the check. Returns whether the run follows another version of the flow. Throws JournalError `malformed` if it
   * follows this one, and has entries of tasks that this one lacks.
   */
  end(): boolean {
    if (this.#isOfAnother) return true;
    if (this.#unknownTask !== undefined) throw this.#unknownTask;
    return false;
  }

  /** The hash of the version of the flow that the run follows; `undefined` if it has not started. */
  get flowHash(): string | undefined {
    return this.#flowHash;
  }

  /** Ids of tasks that have entries and that this version lacks. */
  get unknownTasks(): Iterable<string> {
    return this.#unknownTasks;
  }

  get #isOfAnother(): boolean {
    return this.#flowHash !== undefined && this.#flowHash !== this.#definition.hash;
  }

  /** Checks that an entry may follow those before it. */
  #follow(entry: Entry, refuse: Refuse): void {
    const { type } = entry;
    if (this.ending !== undefined && type !== 'task.rerun')
      throw refuse('.type', `\`task.rerun\`, since the run has ended ${this.ending}`, type);
    if (type.startsWith('task.')) return this.#followTask(entry, refuse);
    if ('taskId' in entry)
      throw refuse('.taskId', 'left out, since the entry is about the run', entry.taskId);
    if (type === 'run.started') {
      if (this.#flowHash !== undefined)
        throw refuse('.type', 'another type, since the run has already started', type);
      this.#flowHash = entry.flowHash;
    }
    if (type === 'run.flow_changed') this.#changeFlow(entry, refuse);
    this.ending = endingOf(type);
    if (this.ending !== undefined && this.#unsettled > 0 && !this.#isOfAnother)
      throw refuse('.type', `another type, since ${this.#unsettled} tasks have not settled`, type);
  }

  #followTask(entry: Entry, refuse: Refuse): void {
    const { graph } = this.#definition;
    const { type, taskId } = entry as Extract<Entry, { taskId: string }>;
    const task = typeof taskId === 'string' ? graph.indexOf(taskId) : -1;
    const isRerun = type === 'task.rerun';
    if (isRerun) this.ending = undefined;
    if (task < 0) return this.#noteUnknown(taskId, refuse);
    const hasSettled = this.#hasSettled[task] === 1;
    if (hasSettled !== isRerun) {
      const rule = isRerun
        ? 'another type, since the task has not settled'
        : '`task.rerun`, since the task has settled';
      throw refuse('.type', rule, type);
    }
    if (isRerun) this.#reopen(task);
    else if (settles(type)) {
      this.#hasSettled[task] = 1;
      this.#unsettled--;
    }
  }

  #noteUnknown(taskId: unknown, refuse: Refuse): void {
    if (typeof taskId !== 'string') throw refuse('.taskId', 'a task of the flow', taskId);
    this.#unknownTasks.add(taskId);
    if (this.#unknownTask !== undefined) return;
    const near = nearest(taskId, this.#definition.graph.ids);
    const hint = near === undefined ? '' : ` (${didYouMean(near, '')})`;
    this.#unknownTask = refuse('.taskId', `a task of the flow${hint}`, taskId);
  }

  #changeFlow(entry: FlowChange, refuse: Refuse): void {
    if (this.#flowHash === undefined)
      throw refuse('.type', 'another type, since the run has not started', entry.type);
    this.#flowHash = entry.flowHash;
    this.#unknownTask = undefined;
    for (const id of entry.dropped) this.#unknownTasks.delete(id);
    for (const task of tasksBegunAnew(this.#definition.graph, entry)) {
      if (this.#hasSettled[task] === 1) this.#reopen(task);
    }
  }

  #reopen(task: number): void {
    this.#hasSettled[task] = 0;
    this.#unsettled++;
  }
}

const underWay: ReadonlySet<string> = new Set([
  'task.ready',
  'task.waiting',
  'task.delivered',
  'task.started',
  'task.progress',
  'task.retrying',
]);

function settles(type: string): boolean {
  return !underWay.has(type);
}

/** The number of changes that a message lists. */
const MOST_LISTED = 8;

function listed(changes: readonly string[]): string {
  const rest = changes.length - MOST_LISTED;
  const first = changes.slice(0, MOST_LISTED).join('; ');
  return rest > 0 ? `${first}; and ${rest} more` : first;
}
