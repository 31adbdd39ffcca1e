import { childIdOf } from '../../model/child-id.ts';
import { isChildBody, type TaskDefinition } from '../../model/definition.ts';
import type { TaskRerun } from '../../model/journal.ts';
import type { SettledRunStatus } from '../../model/status.ts';
import { hasChild } from './child-flow.ts';
import type { FlowWorld } from './flow-world.ts';
import { endingIn } from './kept.ts';
import { allCommands, allOutcomes, Moves } from './moves.ts';
import type { ModelFact, Situation, Taken } from './situation.ts';
import type { Step } from './steps.ts';
import type { LiveRow, Row } from './task-model.ts';
import type { Turn } from './turn.ts';

/** What happened to one run of a tree in a step. */
export interface RunTold {
  readonly run: TreeRun;
  /** What it was told, by the step or by its parent; `undefined` if it only heard of a child, or got slots. */
  readonly step: Step | undefined;
  /** Whether its parent told it. */
  readonly isFromAbove: boolean;
  /** What happened besides: its children's ends as steps of their tasks, and a rerun. */
  readonly also: readonly Step[];
  /** `undefined` if it began in the step. */
  readonly before: Situation | undefined;
  readonly taken: Taken;
  /** The tasks of which the list is being made. */
  readonly listing: readonly number[];
}

/** The child of a task, in the task's present life. */
export interface TreeChild {
  /** From 1: a new life begins where the task runs again because its run was told to. */
  readonly life: number;
  /** `undefined` until a map has its list. */
  run: TreeRun | undefined;
  /** The attempt of the task that the child was last begun for. */
  attempt: number;
  /** Whether it is under way in this process. */
  isUp: boolean;
  /** Whether it was told to end. */
  isEnding: boolean;
}

const alone = { isFromAbove: false, also: [], listing: [] } as const;

const kindOf = { done: 'done', failed: 'fails', cancelled: 'child cancelled' } as const;

/** A run of a tree in the model. */
export class TreeRun {
  readonly world: FlowWorld;
  readonly moves: Moves;
  readonly id: string;
  /** The tasks whose child it is, from the root's on. */
  readonly within: readonly number[];
  readonly parent: { readonly run: TreeRun; readonly task: number } | undefined;
  /** The length of its map's list; `undefined` for the run of a flow. */
  readonly items: number | undefined;
  /** Its place in the order in which runs were begun or recovered: claims of equal age go by it. */
  order = 0;
  /** The run of an earlier life from which it has what was done. */
  continues: TreeRun | undefined;
  /** The facts with which its tasks have settled. */
  readonly settledBy = new Map<number, ModelFact>();
  /** The lives of its tasks' children that have begun anew, and whether each begins with what was done before. */
  readonly lives = new Map<number, readonly boolean[]>();
  /** How often each task has been repeated in its life. */
  readonly #rounds = new Map<number, number>();
  /** Its situation before the step under way; `undefined` until it has begun. */
  at: Situation | undefined;
  readonly children = new Map<number, TreeChild>();
  #turn: Turn | undefined;
  #step: Step | undefined;
  #isFromAbove = false;
  #isEndedByParent = false;
  #also: Step[] = [];
  #wasRecovered = false;

  constructor(world: FlowWorld, id: string, parent: TreeRun['parent'], items: number | undefined) {
    const { definition } = world;
    this.world = world;
    this.moves = new Moves(definition, allCommands, allOutcomes(definition));
    this.id = id;
    this.within = parent === undefined ? [] : [...parent.run.within, parent.task];
    this.parent = parent;
    this.items = items;
  }

  /** Its situation in the middle of the step. */
  get now(): Situation {
    return this.#turn?.now ?? (this.at as Situation);
  }

  /** How it has ended; `undefined` if it has not. */
  get ending(): SettledRunStatus | undefined {
    const { run } = this.now;
    return run.status === 'done' ? (run.value as SettledRunStatus) : undefined;
  }

  /** Whether it and all above it let attempts start. */
  get isHeld(): boolean {
    return this.now.isHeld || this.parent?.run.isHeld === true;
  }

  row(task: number): Row | undefined {
    return this.now.rows[task];
  }

  /** Has something happen to it in the step under way. */
  turn(tick: number, step?: Step): Turn {
    if (step?.kind === 'rerun') this.#isEndedByParent = false;
    if (this.#step === undefined) this.#step = step;
    else if (step !== undefined) this.#also.push(step);
    this.#turn ??= this.world.open(this.at, tick);
    return this.#turn;
  }

  /** Starts by itself: a run that has no children. */
  start(): RunTold {
    const taken = this.world.start();
    this.at = taken.next;
    return { ...alone, run: this, step: undefined, before: undefined, taken };
  }

  /** Takes a step by itself: of a run that has no children. */
  take(step: Step): RunTold {
    const before = this.at as Situation;
    const taken = this.world.take(before, step);
    this.at = taken.next;
    return { ...alone, run: this, step, before, taken };
  }

  /** Whether its parent had it cancelled. */
  get wasEndedByParent(): boolean {
    return this.#isEndedByParent && this.ending === 'cancelled';
  }

  /** Whether any of its tasks is neither done nor skipped. */
  get hasMore(): boolean {
    return this.now.rows.some((row) => row?.status !== 'done' && row?.status !== 'skipped');
  }

  /** Has something happen that its parent tells it. */
  turnFromAbove(tick: number, step: Step): Turn {
    this.#isFromAbove = true;
    this.#isEndedByParent = true;
    return this.turn(tick, step);
  }

  /** Hears how a task's child has ended. */
  hear(tick: number, task: number, status: SettledRunStatus): void {
    const turn = this.turn(tick);
    const isEnding = this.running(task)?.ending !== undefined;
    this.#also.push({ kind: isEnding ? 'ends' : kindOf[status], task });
    this.world.hearOfChild(turn, this.now, task, status);
  }

  recovered(): void {
    this.#wasRecovered = true;
  }

  /** Has the waits end that were over when it was recovered. */
  askClock(): void {
    if (this.#wasRecovered) this.#turn?.askClock();
    this.#wasRecovered = false;
  }

  /** Ends the step for this run; `undefined` if nothing happened to it. */
  end(): RunTold | undefined {
    if (this.#turn === undefined) return undefined;
    const taken = this.#turn.end();
    const told = {
      run: this,
      step: this.#step,
      isFromAbove: this.#isFromAbove,
      also: this.#also,
      before: this.at,
      taken,
      listing: this.#listing(),
    };
    this.at = taken.next;
    for (const one of taken.facts) {
      if (endingIn(one) !== undefined) this.settledBy.set(one.task, one);
      else if (one.fact.type === 'task.rerun') this.settledBy.delete(one.task);
    }
    this.#turn = this.#step = undefined;
    this.#isFromAbove = false;
    this.#also = [];
    return told;
  }

  #listing(): readonly number[] {
    return [...this.children].flatMap(([task, { run, isUp }]) =>
      run === undefined && isUp && this.running(task) !== undefined ? [task] : [],
    );
  }

  /** The child of a task that is under way; a new one if it has none yet. */
  childOf(task: number): TreeChild {
    const life = this.lifeOf(task);
    let child = this.children.get(task);
    if (child === undefined) {
      child = { life, run: undefined, attempt: 0, isUp: false, isEnding: false };
      this.children.set(task, child);
    }
    return child;
  }

  /** Where the child of a task is that is done, for a run that continues this one. */
  childAt(task: number, { childRunId }: { childRunId?: string | undefined }): { childRunId?: string } {
    if (!hasChild(this.world.definition.tasks[task] as TaskDefinition)) return {};
    return { childRunId: childRunId ?? childIdOf(this.id, this.world.idOf(task), this.lifeOf(task)) };
  }

  /** From 1: the life of a task. */
  lifeOf(task: number): number {
    return (this.lives.get(task)?.length ?? 0) + 1;
  }

  /** How often a task has been repeated in its life. */
  roundOf(task: number): number {
    return this.#rounds.get(task) ?? 0;
  }

  /** Whether a life of a task begins with what was done in the one before. */
  keepsDone(task: number, life: number): boolean {
    return this.lives.get(task)?.[life - 2] === true;
  }

  /** Whether all that a task depends on, directly or not, is done or skipped. */
  isUpstreamDone(task: number): boolean {
    return Array.from(this.world.upstreamOf(task)).every(
      (other) => ['done', 'skipped'].includes(this.row(other)?.status ?? '') && this.isUpstreamDone(other),
    );
  }

  /**
   * Begins a new life of each task that runs again; one with nothing changed upstream keeps its life where the run is
   * repeated by its parent.
   */
  beginLives(again: readonly number[]): void {
    for (const task of again) {
      const { body } = this.world.definition.tasks[task] as TaskDefinition;
      if (!isChildBody(body)) continue;
      const isSame = !Array.from(this.world.upstreamOf(task)).some((other) => again.includes(other));
      if (isSame && this.parent !== undefined) {
        this.#rounds.set(task, this.roundOf(task) + 1);
        const child = this.children.get(task);
        if (child !== undefined) child.attempt = 0;
        continue;
      }
      this.lives.set(task, [...(this.lives.get(task) ?? []), isSame]);
      this.#rounds.delete(task);
      this.children.delete(task);
    }
  }

  /** What an entry says of a task that runs again, once its life has begun. */
  rerunOf(task: number): Pick<TaskRerun, 'keepsDone' | 'keepsLife'> {
    if (this.roundOf(task) > 0) return { keepsLife: true };
    return this.keepsDone(task, this.lifeOf(task)) ? { keepsDone: true } : {};
  }

  /** The ids of the tasks whose child it is, as in `publish/inner`; empty for the root. */
  get place(): string {
    const { parent } = this;
    if (parent === undefined) return '';
    const id = parent.run.world.idOf(parent.task);
    return parent.run.place === '' ? id : `${parent.run.place}/${id}`;
  }

  /** Whether it is a map's items, or below one of them. */
  get isBelowMap(): boolean {
    return this.items !== undefined || this.parent?.run.isBelowMap === true;
  }

  /** The live row of a task whose child is under way, or is to be. */
  running(task: number): LiveRow | undefined {
    const row = this.row(task);
    return row?.isLive && row.status === 'running' ? row : undefined;
  }
}
