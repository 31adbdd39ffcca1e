import { isDeepStrictEqual } from 'node:util';
import {
  type AnyFlow,
  createEngine,
  type Entry,
  type FlowDefinition,
  type RunView,
  type TaskDefinition,
} from 'topple';
import { mayStartEarly } from '../../src/model/trigger-rule.ts';
import { type FlowName, flowOf } from './flows.ts';
import type { Note } from './notes.ts';
import { nameOf } from './witness.ts';

type Call = Extract<Note, { what: 'call' }>;
type Of<Type extends Entry['type']> = Extract<Entry, { type: Type }>;

const settling: ReadonlySet<string> = new Set([
  'task.done',
  'task.failed',
  'task.skipped',
  'task.upstream_failed',
  'task.cancelled',
]);
/** Types of the entries that end a run. */
export const endings: ReadonlySet<string> = new Set(['run.done', 'run.failed', 'run.cancelled']);

/** A flow for looking at its definition. */
export function definitionOf(name: FlowName): FlowDefinition {
  return (bodiless(name) as unknown as { readonly definition: FlowDefinition }).definition;
}

/** The view of a run that nothing happened to, and the number of its entries. */
export async function undisturbed(name: FlowName): Promise<{ view: RunView; entries: number }> {
  const engine = createEngine();
  const flow = flowOf(name, { called: () => {}, run: async (id) => (await engine.run(id)) as never });
  const run = await engine.start(flow as never, undefined as never, { id: 'r' });
  const view = await run.settled();
  return { view, entries: run.seq };
}

/** Tells what differs between two views apart from instants and stacks; `undefined` if nothing does. */
export function differenceOf(found: RunView, expected: RunView): string | undefined {
  const [one, other] = [plain(found), plain(expected)];
  if (isDeepStrictEqual(one, other)) return undefined;
  for (const [id, task] of Object.entries(other.tasks))
    if (!isDeepStrictEqual(one.tasks[id], task))
      return `task ${id} is ${JSON.stringify(one.tasks[id])}, not ${JSON.stringify(task)}`;
  const { tasks: _, ...run } = one;
  const { tasks: __, ...otherRun } = other;
  return `the run is ${JSON.stringify(run)}, not ${JSON.stringify(otherRun)}`;
}

/** Checks a settled run by its journal and what processes noted of it. Returns what is wrong. */
export function faultsOf(
  definition: FlowDefinition,
  entries: readonly Entry[],
  notes: readonly Note[],
): string[] {
  const facts = new Facts(definition, entries);
  const faults = [...facts.faults];
  const counted = new Map<string, number>();
  for (const note of notes) {
    if (note.what === 'kept' || note.what === 'told') faults.push(...facts.checkSaid(note));
    if (note.what !== 'call') continue;
    faults.push(...facts.checkCall(note));
    const attempt = `${note.life}: ${note.task} attempt ${note.attempt}`;
    const count = (counted.get(attempt) ?? 0) + 1;
    counted.set(attempt, count);
    if (count > 1) faults.push(`${attempt} was called ${count} times in one life`);
  }
  return faults;
}

/** The ids of tasks that have settled. */
export function settledIn(entries: readonly Entry[]): Set<string> {
  const ids = new Set<string>();
  for (const entry of entries) if ('taskId' in entry && settling.has(entry.type)) ids.add(entry.taskId);
  return ids;
}

/** The number of calls that were made again. */
export function repeatsIn(notes: readonly Note[]): number {
  const calls = notes.filter((note): note is Call => note.what === 'call');
  return calls.length - new Set(calls.map(({ run, task, attempt }) => `${run}/${task}/${attempt}`)).size;
}

/** What a settled run's journal says about its tasks. */
class Facts {
  readonly faults: string[] = [];
  readonly #definition: FlowDefinition;
  readonly #entries: readonly Entry[];
  readonly #readyAt = new Map<string, number>();
  readonly #settledAt = new Map<string, number>();
  readonly #doneAt = new Map<string, number>();
  #isPaused = false;
  readonly #retries = new Map<string, Of<'task.retrying'>[]>();

  constructor(definition: FlowDefinition, entries: readonly Entry[]) {
    this.#definition = definition;
    this.#entries = entries;
    for (const [index, entry] of entries.entries()) this.#note(entry, index + 1);
    const last = entries.at(-1)?.type ?? 'nothing';
    if (!endings.has(last)) this.faults.push(`the journal ends with ${last}`);
    for (const { id } of definition.tasks)
      if (!this.#settledAt.has(id)) this.faults.push(`task ${id} has not settled`);
  }

  /** What a process was told was kept is there. */
  checkSaid({ life, what, seq, entry }: Extract<Note, { what: 'kept' | 'told' }>): string[] {
    const found = this.#entries[seq - 1];
    if (found !== undefined && nameOf(found) === entry) return [];
    const instead = found === undefined ? 'nothing' : nameOf(found);
    return [`${life}: entry ${seq}, ${entry}, was ${what}, and is ${instead}`];
  }

  checkCall({ life, run, task, attempt, key, deps, kept, at }: Call): string[] {
    const faults: string[] = [];
    const isKept = (seq: number | undefined): boolean => seq !== undefined && seq <= kept;
    const fault = (words: string): number => faults.push(`${life}: ${task} attempt ${attempt} ${words}`);
    if (key !== `${run}/${task}`) fault(`has the key ${key}`);
    if (isKept(this.#settledAt.get(task))) fault('was called although the task had settled');
    if (!isKept(this.#readyAt.get(task))) fault('was called before it was kept that the task is ready');
    for (const id of deps)
      if (!isKept(this.#doneAt.get(id))) fault(`was given an output of ${id} not yet kept`);
    const { dependsOn, triggerRule } = this.#definition.tasks[
      this.#definition.graph.indexOf(task)
    ] as TaskDefinition;
    if (!mayStartEarly(triggerRule))
      for (const id of dependsOn)
        if (!isKept(this.#settledAt.get(id))) fault(`was called before the end of ${id} was kept`);
    const retries = (this.#retries.get(task) ?? []).filter(({ seq }) => isKept(seq));
    if (attempt !== retries.length + 1) fault(`was called, not ${retries.length + 1}`);
    const due = retries.at(-1)?.retryAt ?? 0;
    if (at < due) fault(`was called ${due - at} ms before it was due`);
    return faults;
  }

  #note(entry: Entry, place: number): void {
    const { type, seq } = entry;
    if (seq !== place) this.faults.push(`entry ${place} has seq ${seq}`);
    if (endings.has(type) && seq !== this.#entries.length) this.faults.push(`entries follow ${type}`);
    if (type === 'run.paused' || type === 'run.resumed') this.#isPaused = type === 'run.paused';
    if (type === 'task.started' && this.#isPaused)
      this.faults.push(`${nameOf(entry)} while the run is paused`);
    if (!('taskId' in entry)) return;
    const { taskId } = entry;
    if (this.#settledAt.has(taskId)) this.faults.push(`${nameOf(entry)} follows the end of its task`);
    if (settling.has(type)) this.#settledAt.set(taskId, seq);
    if (type === 'task.ready') this.#readyAt.set(taskId, seq);
    if (type === 'task.done') this.#doneAt.set(taskId, seq);
    if (type === 'task.retrying') this.#retries.set(taskId, [...(this.#retries.get(taskId) ?? []), entry]);
  }
}

function plain({ tasks, ...run }: RunView) {
  const plainTasks = Object.entries(tasks).map(([id, task]) => {
    const { readyAt: _, startedAt: __, endedAt: ___, retryAt: ____, error, ...rest } = task;
    return [id, { ...rest, ...(error && { error: `${error.name}: ${error.message}` }) }] as const;
  });
  return { ...run, id: '', startedAt: 0, endedAt: 0, tasks: Object.fromEntries(plainTasks) };
}

/** A flow for looking at runs. */
export function bodiless(name: FlowName): AnyFlow {
  return flowOf(name, { called: () => {}, run: () => Promise.reject(new Error('Only looked at')) });
}
