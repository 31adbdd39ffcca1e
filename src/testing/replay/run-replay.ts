import type { MemoryStore, Run } from '../../index.ts';
import { childIdOf } from '../../model/child-id.ts';
import type { ParentTask, RunSettings } from '../../model/journal.ts';
import type { Perform, UndoScope } from '../../model/perform.ts';
import { isSettled } from '../../model/status.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { TreeRun } from '../model/tree-run.ts';
import { Bodies } from './bodies.ts';
import { Comparison } from './comparison.ts';
import { unjudged } from './fits.ts';
import { PathSays, type Real } from './path-says.ts';
import { type Happening, Timetable } from './timetable.ts';
import { Undos } from './undos.ts';

/** What happens to a run at an instant, and which of its tasks make a list after that. */
export interface Happened extends Happening {
  readonly listing: readonly number[];
}

/** The parts of a replay that its runs share. */
export interface Shared {
  readonly store: MemoryStore;
  readonly isWatched: boolean;
  /** The latest run of a task, as far as there is one by now. */
  childOf(runId: string, task: number): RunReplay | undefined;
  byId(runId: string): RunReplay | undefined;
  /** How many tasks of a child have settled, as far as it is shown. */
  countsOf(runId: string): object | undefined;
}

/** One run of a tree that takes a path: its bodies, and what the model says of it. */
export class RunReplay {
  readonly id: string;
  readonly run: TreeRun;
  readonly world: FlowWorld;
  readonly begunAt: number;
  readonly timetable: Timetable;
  readonly says: PathSays;
  readonly bodies: Bodies;
  readonly comparison: Comparison;
  readonly undos: Undos;
  /** The engine's handle, while there is one. */
  handle: Run | undefined;
  /** The end of listening to it. */
  unsubscribe: (() => void) | undefined;
  readonly #records: ReadonlyMap<number, Happened>;

  constructor(
    run: TreeRun,
    records: readonly Happened[],
    shared: Shared,
    real: Real & { readonly performs: ReadonlyMap<number, Perform> },
    input: unknown,
    settingsOf: (timetable: Timetable) => RunSettings,
  ) {
    const { id, world } = run;
    this.id = id;
    this.run = run;
    this.world = world;
    this.begunAt = (records[0] as Happened).at;
    this.#records = new Map(records.map((record) => [record.at, record]));
    this.timetable = new Timetable(world, records, shared.isWatched ? 1 : 0, run.isBelowMap);
    const { definition } = world;
    const parent = run.parent === undefined ? undefined : shared.byId(run.parent.run.id);
    const above =
      parent &&
      ({
        parent: () => parent.#parentOf(run),
        continues: run.continues?.id,
        reason: () => parent.says.reasonBelow(run.parent?.task ?? 0),
        mapInput: run.items === undefined ? undefined : () => parent.mapInput,
      } as const);
    this.says = new PathSays(id, definition, this.timetable, real, input, settingsOf(this.timetable), {
      above,
      earlierOutputOf: (task) => shared.byId(run.continues?.id ?? '')?.says.outputOf(task),
      outputOf: (task) => shared.childOf(id, task)?.outcome,
      earlierCountsOf: (task) => shared.byId(run.continues?.id ?? '')?.says.countsOf(task),
      countsOf: (task) =>
        (this.#beginsAnew(task) ? unjudged : shared.countsOf(this.#childIdOf(task))) as object,
    });
    this.bodies = new Bodies(definition.graph.ids, this.timetable, this.says, real.performs);
    const { open } = this.bodies;
    this.comparison = new Comparison(
      world,
      this.timetable,
      shared.store,
      this.says,
      open,
      shared.isWatched,
      (childId) => shared.countsOf(childId),
    );
    this.undos = new Undos(world, this.says, shared.store, (task) => this.comparison.keyOf(task));
  }

  /** Begins the undo of a task. */
  undo(task: number, scope: UndoScope): Promise<unknown> {
    return this.comparison.undoes((taken) => this.undos.begin(task, scope, taken));
  }

  /** Listens no more to the handle that there was. */
  forget(): void {
    this.unsubscribe?.();
    this.handle = this.unsubscribe = undefined;
  }

  /** What happens to it at an instant; `undefined` if nothing does. */
  at(number: number): Happened | undefined {
    return this.#records.get(number);
  }

  /** The instant at which something last happened to it. */
  lastAt(number: number): number {
    return Math.max(...[...this.#records.keys()].filter((at) => at <= number));
  }

  /** Whether it has begun, and has not ended before this instant. */
  isUp(number: number): boolean {
    if (this.begunAt > number) return false;
    return (
      this.begunAt === number || this.comparison.now.run.status === 'active' || this.at(number) !== undefined
    );
  }

  /** Starts a step with the model's account of it. */
  begin(number: number): void {
    const record = this.at(number);
    if (record === undefined) return this.comparison.rest(number);
    const { step, taken, listing, isFromAbove } = record;
    this.says.isFromAbove = isFromAbove;
    this.comparison.begin(step, taken, number, listing);
  }

  /** The input that bodies of this run see: that of a map's items is the input of the run above. */
  get mapInput(): unknown {
    return this.says.above?.mapInput?.() ?? this.says.given;
  }

  /** The output of a task whose child it is, by the outputs of its own tasks that are done. */
  get outcome(): unknown {
    const { rows } = this.comparison.now;
    const outputs = rows.map((row, task) => (row?.status === 'done' ? this.says.outputOf(task) : undefined));
    if (this.run.items !== undefined) return outputs;
    const { ids } = this.world.definition.graph;
    return Object.fromEntries(
      rows.flatMap((row, task) => (row?.status === 'done' ? [[ids[task], outputs[task]]] : [])),
    );
  }

  /** How many of its tasks have settled, and how; `undefined` before it has begun. */
  get counts(): object | undefined {
    const { now } = this.comparison;
    if (now === undefined) return undefined;
    const counts = {
      total: now.rows.length,
      done: 0,
      failed: 0,
      skipped: 0,
      upstream_failed: 0,
      cancelled: 0,
    };
    for (const row of now.rows)
      if (row !== undefined && isSettled(row.status)) counts[row.status as 'done']++;
    return counts;
  }

  #childIdOf(task: number): string {
    return childIdOf(this.id, this.world.idOf(task), this.#lifeOf(task).life);
  }

  /** Whether a task has ended and begins anew in one step: what its child counted then is not known. */
  #beginsAnew(task: number): boolean {
    const { facts = [] } = this.at(this.comparison.number)?.taken ?? {};
    return facts.some((one) => one.task === task && one.fact.type === 'task.rerun');
  }

  /** The life of a task by now, from 1, and how often the task has been repeated in it. */
  #lifeOf(task: number): { readonly life: number; readonly round: number } {
    const { number } = this.comparison;
    let [life, round] = [1, 0];
    for (const { at, taken } of this.#records.values()) {
      if (at > number) continue;
      for (const one of taken.facts) {
        if (one.task !== task || one.fact.type !== 'task.rerun') continue;
        [life, round] = one.fact.keepsLife === true ? [life, round + 1] : [life + 1, 0];
      }
    }
    return { life, round };
  }

  #parentOf({ parent, id }: TreeRun): ParentTask {
    const task = parent?.task ?? 0;
    const taskId = this.world.idOf(task);
    const life = Number(id.slice(id.lastIndexOf('#') + 1));
    const { round } = this.#lifeOf(task);
    const attempt = this.comparison.now.rows[task]?.attempts ?? 0;
    return { runId: this.id, taskId, life, attempt, ...(round > 0 && { round }) };
  }
}
