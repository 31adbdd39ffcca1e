import { showValue } from './check.ts';
import type { FlowDefinition } from './definition.ts';
import { entryFields, instant, isObject } from './entry-fields.ts';
import { FlowError, JournalError } from './error.ts';
import type { Entry } from './journal.ts';
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
  for (let index = 0; index < entries.length; index++) check.next(entries[index], index);
  return check.ending;
}

/** The error of an invalid part of a journal; `at` is appended to the path, `rule` follows "must be". */
export function malformed(place: JournalPlace, at: string, rule: string, value: unknown): JournalError {
  const path = place.path + at;
  const message = `${place.owner}: \`${path}\` must be ${rule}, but is ${showValue(value)}`;
  return new JournalError('malformed', message, { runId: place.runId, place: path, value });
}

/** Checks one journal, entry by entry. */
class JournalCheck {
  /** The status in which the run has settled, by the entries up to now. */
  ending: SettledRunStatus | undefined;
  readonly #definition: FlowDefinition;
  readonly #runId: string;
  readonly #place: JournalPlace;
  readonly #hasSettled: Uint8Array;
  #unsettled: number;
  #hasStarted = false;

  constructor(definition: FlowDefinition, runId: string, place: JournalPlace) {
    const { size } = definition.graph;
    this.#definition = definition;
    this.#runId = runId;
    this.#place = place;
    this.#hasSettled = new Uint8Array(size);
    this.#unsettled = size;
  }

  next(entry: unknown, index: number): void {
    const refuse = (field: string, rule: string, value: unknown): JournalError =>
      malformed(this.#place, `[${index}]${field}`, rule, value);
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

  /** Checks that an entry may follow those before it. */
  #follow(entry: Entry, refuse: (field: string, rule: string, value: unknown) => JournalError): void {
    const { type } = entry;
    if (this.ending !== undefined && type !== 'task.rerun')
      throw refuse('.type', `\`task.rerun\`, since the run has ended ${this.ending}`, type);
    if (type.startsWith('task.')) return this.#followTask(entry, refuse);
    if ('taskId' in entry)
      throw refuse('.taskId', 'left out, since the entry is about the run', entry.taskId);
    if (type === 'run.started') {
      if (this.#hasStarted) throw refuse('.type', 'another type, since the run has already started', type);
      this.#hasStarted = true;
      this.#checkHash(entry.flowHash);
    }
    this.ending = endingOf(type);
    if (this.ending !== undefined && this.#unsettled > 0)
      throw refuse('.type', `another type, since ${this.#unsettled} tasks have not settled`, type);
  }

  #followTask(entry: Entry, refuse: (field: string, rule: string, value: unknown) => JournalError): void {
    const { graph } = this.#definition;
    const { type, taskId } = entry as Extract<Entry, { taskId: string }>;
    const task = typeof taskId === 'string' ? graph.indexOf(taskId) : -1;
    if (task < 0) {
      const near = typeof taskId === 'string' ? nearest(taskId, graph.ids) : undefined;
      const hint = near === undefined ? '' : ` (${didYouMean(near, '')})`;
      throw refuse('.taskId', `a task of the flow${hint}`, taskId);
    }
    const isRerun = type === 'task.rerun';
    const hasSettled = this.#hasSettled[task] === 1;
    if (hasSettled !== isRerun) {
      const rule = isRerun
        ? 'another type, since the task has not settled'
        : '`task.rerun`, since the task has settled';
      throw refuse('.type', rule, type);
    }
    if (isRerun) {
      this.ending = undefined;
      this.#hasSettled[task] = 0;
      this.#unsettled++;
    } else if (settles(type)) {
      this.#hasSettled[task] = 1;
      this.#unsettled--;
    }
  }

  #checkHash(flowHash: string): void {
    const { name, hash } = this.#definition;
    if (flowHash === hash) return;
    throw new FlowError(
      'flow_changed',
      `Run ${this.#runId} was started with another version of flow \`${name}\`: its tasks, dependencies or ` +
        'trigger rules have changed. Continue it with the flow with which it was started.',
      { flow: name },
    );
  }
}

const underWay: ReadonlySet<string> = new Set([
  'task.ready',
  'task.started',
  'task.progress',
  'task.retrying',
]);

function settles(type: string): boolean {
  return !underWay.has(type);
}
