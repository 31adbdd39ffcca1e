import { childIdOf } from '../../model/child-id.ts';
import { isChildBody, type TaskDefinition } from '../../model/definition.ts';
import { tasksToRerun } from '../../model/rerun.ts';
import type { SettledRunStatus } from '../../model/status.ts';
import { hasChild } from './child-flow.ts';
import type { FlowWorld } from './flow-world.ts';
import { leftBy } from './kept.ts';
import type { SlotLimits } from './slots.ts';
import { isOfUndo, type Step } from './steps.ts';
import { continueFrom } from './tree-continued.ts';
import { type RunTold, type TreeChild, TreeRun } from './tree-run.ts';
import { fillSlots } from './tree-slots.ts';

/** The kinds of steps of a task that its child's run takes for it. */
const ofChild = new Set(['done', 'fails', 'child cancelled', 'ends']);

/** The commands that a run takes by itself, though it is the child of a task. */
const ofAnyRun = new Set(['cancel', 'pause', 'resume', 'out of time']);

/**
 * A run and the runs of its tasks, walked step by step: each by its own machines and ledger, with what they say to each
 * other. A child's step is told by the tasks whose child it is (`within`).
 */
export class TreeWalk {
  readonly root: TreeRun;
  readonly #limits: SlotLimits;
  /** All runs that there have been, those of earlier lives too. */
  readonly #byId = new Map<string, TreeRun>();
  #runs: TreeRun[] = [];
  #order = 0;
  /** What happened in the step under way to runs that are no more. */
  readonly #told: RunTold[] = [];
  #tick = 0;
  /** The step under way. */
  #step: Step = { kind: 'stop', task: -1 };

  /** @param world of the root, with the limits of its engine */
  constructor(world: FlowWorld, runId: string) {
    this.#limits = world.slots.limits;
    this.root = new TreeRun(world, runId, undefined, undefined);
    this.#runs = [this.root];
    this.#byId.set(runId, this.root);
  }

  /** The runs of the present lives, parents first. */
  get runs(): readonly TreeRun[] {
    return this.#runs;
  }

  start(): readonly RunTold[] {
    if (!this.root.world.definition.hasChildren) return [this.root.start()];
    this.root.order = this.#order++;
    this.root.world.begin(this.root.turn(0));
    return this.#finish();
  }

  /** Takes a step, which must be possible. */
  take(step: Step): readonly RunTold[] {
    this.#tick++;
    this.#step = step;
    const { root } = this;
    if (!root.world.definition.hasChildren) return [root.take(step)];
    const run = this.find(step) as TreeRun;
    if (step.kind === 'stop' || step.kind === 'crash') this.#lose();
    if (step.kind === 'lists') {
      run.turn(this.#tick, step);
      this.#begin(run, step.task, step.items);
    } else if (step.kind === 'stop' || step.kind === 'crash') this.#recover(run, step);
    else if (step.kind === 'rerun') this.#rerun(run);
    else {
      run.world.apply(run.turn(this.#tick, withoutPlace(step)), run.now, step);
    }
    return this.#finish();
  }

  /** Whether a step can be taken next. */
  canTake(step: Step): boolean {
    const run = this.find(step);
    if (run === undefined) return false;
    const { kind, task, within = [], kept } = step;
    if (kept !== undefined) return false;
    if (task < 0) {
      const isOfRoot = within.length === 0;
      return (isOfRoot || ofAnyRun.has(kind)) && run.moves.ofRun(run.now).some((one) => one.kind === kind);
    }
    const definition = run.world.definition.tasks[task];
    if (definition === undefined) return false;
    if (isOfUndo(step))
      return run.moves.ofUndo(run.now).some((of) => of.some((one) => one.kind === kind && one.task === task));
    if (kind === 'lists') return this.#isListing(run, task) && run.running(task)?.ending === undefined;
    if (hasChild(definition)) {
      const isListing = this.#isListing(run, task);
      if (kind === 'list refused' && !isListing) return false;
      if (ofChild.has(kind) && !(isListing && kind === 'ends') && run.running(task) !== undefined)
        return false;
    }
    return run.moves.ofTask(run.now, task).some((one) => one.kind === kind);
  }

  /** The run that a step is of; `undefined` if it is not under way. */
  find({ within = [] }: Pick<Step, 'within'>): TreeRun | undefined {
    let run: TreeRun | undefined = this.root;
    for (const task of within) {
      const child: TreeChild | undefined = run?.children.get(task);
      run = child?.isUp === true && child.run?.ending === undefined ? child.run : undefined;
    }
    return run;
  }

  #isListing(run: TreeRun, task: number): boolean {
    const child = run.children.get(task);
    return child?.isUp === true && child.run === undefined && run.running(task) !== undefined;
  }

  /** Lets everything follow from what has happened, until nothing more does. */
  #finish(): readonly RunTold[] {
    let isChanged = true;
    // Each round begins, ends or starts something: without a bound a broken machine would loop for ever.
    for (let left = 10_000; isChanged; left--) {
      if (left === 0) throw new Error('the runs of a tree tell one another the same things over and over');
      isChanged = this.#turn();
      if (isChanged) continue;
      for (const run of this.#runsUp()) run.askClock();
      isChanged = this.#turn();
    }
    return [...this.#told.splice(0), ...this.#runs.flatMap((run) => run.end() ?? [])];
  }

  /** What happens in one go: slots are filled before tasks hear of their children, and these of their tasks' attempts. */
  #turn(): boolean {
    const isDown = this.#passDown();
    const isFilled = fillSlots(this.#runsUp(), this.#limits, this.#tick);
    return this.#passOn() || isDown || isFilled;
  }

  #runsUp(): readonly TreeRun[] {
    return this.#runs.filter(
      ({ parent }) => parent === undefined || parent.run.children.get(parent.task)?.isUp,
    );
  }

  /** Has children end whose tasks are told to. */
  #passDown(): boolean {
    let isChanged = false;
    for (const run of this.#runs) {
      for (const [task, child] of run.children) {
        if (run.running(task)?.ending === undefined || child.isEnding || !child.isUp) continue;
        const { run: own } = child;
        if (own === undefined || own.ending !== undefined) continue;
        child.isEnding = true;
        if (own.now.run.value === 'cancelling') continue;
        const cancel: Step = { kind: 'cancel', task: -1 };
        own.world.apply(own.turnFromAbove(this.#tick, cancel), own.now, cancel);
        isChanged = true;
      }
    }
    return isChanged;
  }

  /** Has children begin, or go on, whose tasks have an attempt, and tasks hear how their children have ended. */
  #passOn(): boolean {
    let isChanged = false;
    for (const run of this.#runs.slice()) {
      for (const [task, definition] of run.world.definition.tasks.entries()) {
        const row = hasChild(definition) ? run.running(task) : undefined;
        if (row === undefined) continue;
        const child = run.childOf(task);
        if (!child.isUp || child.attempt !== row.attempts) {
          this.#goOn(run, task, child, row.attempts);
          isChanged = true;
        } else if (child.run?.ending !== undefined) {
          this.#hear(run, task, child.run, child);
          isChanged = true;
        }
      }
    }
    return isChanged;
  }

  /** A child has ended. One that was ended with its task goes on where the task has lost that since. */
  #hear(run: TreeRun, task: number, own: TreeRun, child: TreeChild): void {
    const isLost = own.wasEndedByParent && run.running(task)?.ending === undefined;
    if (isLost && own.hasMore) return this.#rerun(own);
    child.isUp = false;
    run.hear(this.#tick, task, own.ending as SettledRunStatus);
  }

  /** An attempt of a task begins: so does its child, or it goes on. */
  #goOn(run: TreeRun, task: number, child: TreeChild, attempt: number): void {
    const isSame = child.attempt === attempt;
    child.attempt = attempt;
    child.isUp = true;
    child.isEnding = false;
    const { run: own } = child;
    const { body } = run.world.definition.tasks[task] as TaskDefinition;
    if (own === undefined && run.running(task)?.ending !== undefined) {
      // There is nothing yet to be ended.
      child.isUp = false;
      run.hear(this.#tick, task, 'cancelled');
    } else if (own === undefined) {
      const before = this.#predecessorOf(run, task);
      if (before !== undefined) this.#begin(run, task, before.items, before);
      else if (isChildBody(body) && body.kind === 'flow') this.#begin(run, task, undefined);
    } else if (own.ending === undefined) this.#recover(own, this.#step);
    else if (own.ending !== 'done' && own.hasMore && (!isSame || own.wasEndedByParent)) this.#rerun(own);
  }

  /** Runs a settled run again: what is not done or skipped, and what is behind that. */
  #rerun(run: TreeRun): void {
    const statuses = run.now.rows.map((row) => row?.status ?? 'pending');
    const again = tasksToRerun(run.world.definition.graph, statuses);
    const before = [...run.children];
    run.beginLives(again);
    for (const [task, { run: own }] of before)
      if (own !== undefined && !run.children.has(task)) this.#leave(own);
    const step: Step = { kind: 'rerun', task: -1 };
    run.turn(this.#tick, step).rerun((task) => run.rerunOf(task));
  }

  /** An earlier life of a task is over; what happened in it in the step under way is told yet. */
  #leave(top: TreeRun): void {
    const left = this.#runs.filter((run) => isUnder(run, top));
    this.#told.push(...left.flatMap((run) => run.end() ?? []));
    this.#runs = this.#runs.filter((run) => !left.includes(run));
  }

  #begin(run: TreeRun, task: number, items: number | undefined, before?: TreeRun): void {
    const child = run.children.get(task) as TreeChild;
    const world = run.world.childWorld(task, items);
    const own = new TreeRun(world, childIdOf(run.id, run.world.idOf(task), child.life), { run, task }, items);
    own.order = this.#order++;
    own.continues = before;
    child.run = own;
    this.#runs.push(own);
    this.#byId.set(own.id, own);
    if (before === undefined) world.begin(own.turn(this.#tick));
    else continueFrom(before, own, this.#tick);
  }

  /** The last run that had the meaning of a task's new one: in an earlier life that is kept, or in the run continued. */
  #predecessorOf(run: TreeRun, task: number): TreeRun | undefined {
    let above = run;
    let life = run.lifeOf(task);
    for (let isKept = above.keepsDone(task, life); ; isKept = above.keepsDone(task, life)) {
      if (life > 1 && !isKept) return undefined;
      if (life > 1) life--;
      else {
        const { continues } = above;
        if (continues?.isUpstreamDone(task) !== true) return undefined;
        above = continues;
        life = above.lifeOf(task);
      }
      const found = this.#byId.get(childIdOf(above.id, run.world.idOf(task), life));
      if (found !== undefined) return found;
    }
  }

  #recover(run: TreeRun, step: Step): void {
    const { at } = run;
    if (at === undefined) return;
    run.order = this.#order++;
    run.recovered();
    run.turn(this.#tick, withoutPlace(step)).recover(leftBy(at));
  }

  /** The process is gone, and with it what was under way. */
  #lose(): void {
    this.#order = 0;
    for (const run of this.#runs) for (const child of run.children.values()) child.isUp = false;
  }
}

function isUnder(run: TreeRun, top: TreeRun): boolean {
  return run === top || (run.parent !== undefined && isUnder(run.parent.run, top));
}

/** A step as the run itself knows it. */
function withoutPlace({ within: _, ...step }: Step): Step {
  return step;
}
