import { childIdOf, undoIdOf } from '../../model/child-id.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { hasChild } from '../model/child-flow.ts';
import type { ExpectedEntry } from './expected-entry.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The expected view of a run, built from the expected entries: a second opinion on `RunFold`, in other words. */
export class ExpectedView {
  #run: Fields;
  readonly #tasks: Fields[];
  readonly #ids: readonly string[];
  readonly #runId: string;
  /** The lives of tasks whose body is a run. */
  readonly #lives: (number | undefined)[];
  readonly #countsOf: (childId: string) => object | undefined;

  /** @param countsOf how many tasks of a child run have settled, and how */
  constructor(
    runId: string,
    { name, tasks }: FlowDefinition,
    countsOf: (childId: string) => object | undefined,
  ) {
    this.#runId = runId;
    this.#countsOf = countsOf;
    this.#lives = tasks.map((task) => (hasChild(task) ? 1 : undefined));
    this.#run = { id: runId, flow: name, status: 'running', startedAt: null, endedAt: null };
    this.#tasks = tasks.map(({ dependsOn }) => newTask(dependsOn));
    this.#ids = tasks.map(({ id }) => id);
  }

  /** The run without its tasks. */
  get run(): Fields {
    return this.#run;
  }

  get ids(): readonly string[] {
    return this.#ids;
  }

  task(task: number): Fields {
    return this.#tasks[task] as Fields;
  }

  /** A task as it is shown, with how many tasks of its child have settled. */
  shown(task: number): Fields {
    const fields = this.task(task);
    const life = this.#lives[task];
    if (life === undefined || fields.startedAt === undefined) return fields;
    const ownId = childIdOf(this.#runId, this.#ids[task] as string, life);
    const { counts = this.#countsOf(ownId), childRunId = ownId, ...rest } = fields;
    return { ...rest, child: { runId: childRunId, counts } };
  }

  /** @param task -1 for the run */
  add(task: number, entry: ExpectedEntry): void {
    const life = this.#lives[task];
    const isAnew = entry.type === 'task.rerun' && entry.keepsLife !== true;
    if (isAnew && life !== undefined) this.#lives[task] = life + 1;
    if (isUndo(entry)) this.#run = { ...this.#run, compensation: this.#undoAfter(task, entry) };
    if (task < 0) this.#run = { ...this.#run, ...changeOfRun(entry) };
    else this.#tasks[task] = taskAfter(this.task(task), entry);
    if (entry.type === 'task.rerun')
      this.#run = { ...this.#run, status: 'running', endedAt: null, cause: undefined, reason: undefined };
  }

  /** The undo of the run after an entry of it, or after the end of the run. */
  #undoAfter(task: number, { type, tasks, error, cause }: ExpectedEntry): Fields | undefined {
    const { compensation } = this.#run as { readonly compensation?: UndoFields | undefined };
    if (type === 'run.compensating') {
      const pending = Object.fromEntries((tasks as readonly string[]).map((id) => [id, 'pending']));
      return { status: 'running', runId: undoIdOf(this.#runId, 1), tasks: pending, failures: [] };
    }
    if (compensation === undefined) return undefined;
    const { failures } = compensation;
    const id = this.#ids[task] as string;
    if (type === 'task.undone') return { ...compensation, tasks: { ...compensation.tasks, [id]: 'undone' } };
    if (type === 'task.undo_failed')
      return {
        ...compensation,
        tasks: { ...compensation.tasks, [id]: 'failed' },
        failures: [...failures, { taskId: id, error, cause }],
      };
    const ended = Object.entries(compensation.tasks).map(([id, status]) => [
      id,
      status === 'pending' ? 'blocked' : status,
    ]);
    const status = failures.length > 0 ? 'failed' : 'done';
    return { ...compensation, status, tasks: Object.fromEntries(ended) };
  }

  /** Recovers the run on another engine: nothing is under way but child runs. */
  recover(): void {
    for (const [task, fields] of this.#tasks.entries())
      if (fields.status === 'running' && this.#lives[task] === undefined)
        this.#tasks[task] = { ...fields, status: 'pending' };
  }
}

interface UndoFields extends Fields {
  readonly tasks: Readonly<Record<string, string>>;
  readonly failures: readonly object[];
}

/** Whether an entry is of an undo, or may be the end of one. */
function isUndo({ type }: ExpectedEntry): boolean {
  return ['run.compensating', 'task.undone', 'task.undo_failed', 'run.failed', 'run.cancelled'].includes(
    type,
  );
}

function newTask(dependsOn: unknown): Fields {
  return { status: 'pending', attempts: 0, dependsOn };
}

function changeOfRun({ type, at, cause, reason }: ExpectedEntry): Fields {
  const why = { ...(cause === undefined ? {} : { cause }), ...(reason === undefined ? {} : { reason }) };
  switch (type) {
    case 'run.started':
      return { startedAt: at };
    case 'run.paused':
      return { status: 'paused' };
    case 'run.resumed':
      return { status: 'running' };
    case 'run.compensating':
      return { status: 'compensating', ...why };
    case 'run.cancelling':
      return { status: 'cancelling', ...why };
    default:
      return { status: type.slice('run.'.length), endedAt: at, ...why };
  }
}

function taskAfter(before: Fields, { type, at, ...said }: ExpectedEntry): Fields {
  const { attempt, retryAt, error, cause = before.cause, output } = said;
  switch (type) {
    case 'task.rerun':
      return newTask(before.dependsOn);
    case 'task.ready':
      return { ...before, readyAt: at };
    case 'task.waiting':
      return { ...before, status: 'waiting', until: said.until, timeoutAt: said.timeoutAt };
    case 'task.delivered':
      return { ...before, delivery: { at, key: said.key, value: said.value } };
    case 'task.undone':
      return { ...before, undoneAt: at };
    case 'task.undo_failed':
    case 'task.progress':
      return before;
    case 'task.started': {
      const { startedAt = at } = before;
      return {
        ...before,
        status: 'running',
        attempts: attempt,
        startedAt,
        retryAt: undefined,
        counts: undefined,
      };
    }
    case 'task.retrying':
      return { ...before, status: 'retrying', retryAt, error, counts: said.child };
    default: {
      const counts = said.child === undefined ? {} : { counts: said.child };
      const ended = {
        ...before,
        status: type.slice('task.'.length),
        endedAt: at,
        retryAt: undefined,
        until: undefined,
        timeoutAt: undefined,
        ...(before.delivery === undefined ? {} : { delivery: { ...before.delivery, value: undefined } }),
        cause,
        ...counts,
      };
      const { childRunId } = said;
      const elsewhere = childRunId === undefined ? {} : { childRunId };
      if (type === 'task.done') return { ...ended, ...elsewhere, output, error: undefined };
      return type === 'task.failed' ? { ...ended, error } : ended;
    }
  }
}
