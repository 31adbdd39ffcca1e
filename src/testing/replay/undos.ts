import type { MemoryStore } from '../../index.ts';
import { showValue } from '../../model/check.ts';
import { undoIdOf } from '../../model/child-id.ts';
import type { UndoScope } from '../../model/perform.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import { Difference } from './difference.ts';
import { misfit } from './fits.ts';
import type { PathSays } from './path-says.ts';

interface OpenUndo {
  readonly scope: UndoScope;
  readonly end: PromiseWithResolvers<unknown>;
}

/** The undos of a run that takes a path: they end as the path says, and are compared with the model. */
export class Undos {
  readonly #world: FlowWorld;
  readonly #says: PathSays;
  readonly #store: MemoryStore;
  /** The idempotency key with which a task was called; `undefined` if it was not. */
  readonly #keyOf: (task: number) => string | undefined;
  readonly #open = new Map<number, OpenUndo>();
  readonly #called = new Set<number>();

  constructor(
    world: FlowWorld,
    says: PathSays,
    store: MemoryStore,
    keyOf: (task: number) => string | undefined,
  ) {
    this.#world = world;
    this.#says = says;
    this.#store = store;
    this.#keyOf = keyOf;
  }

  /** Begins the undo of a task. Throws `Difference` if it has begun before, or is told something else than the path says. */
  begin(task: number, scope: UndoScope, { next }: Taken): Promise<unknown> {
    const end = Promise.withResolvers<unknown>();
    const id = this.#world.idOf(task);
    if (this.#called.has(task)) throw new Difference(`the undo of \`${id}\` is called twice`);
    this.#called.add(task);
    this.#open.set(task, { scope, end });
    this.#check(task, scope, next);
    return end.promise;
  }

  /** Ends the undo of a task, which must be under way. */
  end(task: number, error: Error | undefined): void {
    const undo = this.#open.get(task);
    if (undo === undefined)
      throw new Difference(`the undo of \`${this.#world.idOf(task)}\` is not under way`);
    this.#open.delete(task);
    if (error === undefined) return undo.end.resolve(undefined);
    this.#says.undoThrew(task, error);
    undo.end.reject(error);
  }

  /** Compares what is under way with the model, and what the run that undoes has kept. Throws `Difference`. */
  compare({ undo }: Situation): void {
    const wanted = namesOf(this.#world, undo?.underWay ?? []);
    const found = namesOf(this.#world, [...this.#open.keys()]);
    if (found !== wanted)
      throw new Difference(`the undo of ${found} is under way, and in the model that of ${wanted}`);
    const aborted = [...this.#open].find(([, { scope }]) => scope.signal.aborted);
    if (aborted !== undefined)
      throw new Difference(`the undo of \`${this.#world.idOf(aborted[0])}\` is told to end`);
    if (undo !== undefined) this.#compareKept(undo.tasks, undo.statuses);
  }

  /** Has nobody hear how the undos under way end. */
  close(): void {
    for (const { end } of this.#open.values()) end.promise.catch(() => {});
  }

  #compareKept(tasks: readonly number[], statuses: readonly string[]): void {
    const entries = this.#store.read(undoIdOf(this.#says.runId, 1));
    const ends = new Map(
      entries.flatMap((entry) =>
        'taskId' in entry && entry.type in endOf ? [[entry.taskId, endOf[entry.type as 'task.done']]] : [],
      ),
    );
    for (const [place, task] of tasks.entries()) {
      const id = this.#world.idOf(task);
      const kept = ends.get(id) ?? 'pending';
      if (kept !== statuses[place])
        throw new Difference(`the undo of \`${id}\` is kept as ${kept}, and in the model ${statuses[place]}`);
    }
  }

  #check(task: number, scope: UndoScope, { rows, run }: Situation): void {
    const row = rows[task];
    const isDone = row?.status === 'done';
    const { runId, taskId, attempt, status, input, output, reason, idempotencyKey, undoKey } = scope;
    const [started] = this.#store.read(this.#says.runId);
    const difference = misfit(
      { runId, taskId, attempt, status, output, reason, error: scope.error === undefined },
      {
        runId: this.#says.runId,
        taskId: this.#world.idOf(task),
        attempt: 1,
        status: row?.status,
        output: isDone ? this.#says.outputOf(task) : undefined,
        reason: this.#says.reason,
        error: run.context.cause === 'cancelled' || (run.context.cause !== undefined && !hasFailure(rows)),
      },
    );
    const whose = `the undo of \`${taskId}\``;
    if (difference !== undefined) throw new Difference(`${whose} is told ${difference}`);
    if (started?.type !== 'run.started' || input !== started.input)
      throw new Difference(`${whose} gets another input than the run`);
    const key = this.#keyOf(task);
    if ((key !== undefined && idempotencyKey !== key) || undoKey === idempotencyKey)
      throw new Difference(
        `${whose} has the keys ${showValue(idempotencyKey)} and ${showValue(undoKey)}, and its task ${showValue(key)}`,
      );
  }
}

const endOf = {
  'task.done': 'undone',
  'task.failed': 'failed',
  'task.upstream_failed': 'blocked',
} as const;

function hasFailure(rows: Situation['rows']): boolean {
  return rows.some((row) => row?.status === 'failed');
}

function namesOf(world: FlowWorld, tasks: readonly number[]): string {
  const names = tasks.toSorted((a, b) => a - b).map((task) => `\`${world.idOf(task)}\``);
  return names.length === 0 ? 'nothing' : names.join(', ');
}
