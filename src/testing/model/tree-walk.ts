import { childIdOf } from '../../model/child-id.ts';
import { type FlowDefinition, isChildBody, type TaskDefinition } from '../../model/definition.ts';
import { hasChild } from './child-flow.ts';
import { FlowWorld } from './flow-world.ts';
import { leftBy } from './kept.ts';
import type { SlotLimits } from './slots.ts';
import type { Step } from './steps.ts';
import { type RunTold, type TreeChild, TreeRun } from './tree-run.ts';
import { fillSlots } from './tree-slots.ts';

/** The kinds of steps of a task that its child's run takes for it. */
const ofChild = new Set(['done', 'fails', 'child cancelled', 'ends']);

/**
 * A run and the runs of its tasks, walked step by step: each by its own machines and ledger, with what they say to each
 * other. A child's step is told by the tasks whose child it is (`within`).
 */
export class TreeWalk {
  readonly root: TreeRun;
  readonly limits: SlotLimits;
  readonly #worlds: Map<string, FlowWorld>;
  readonly #lives = new Map<string, number>();
  #runs: TreeRun[] = [];
  #order = 0;
  #tick = 0;

  /** @param worlds of children, so that walks of one flow share them */
  constructor(
    definition: FlowDefinition,
    limits: SlotLimits,
    runId: string,
    worlds = new Map<string, FlowWorld>(),
  ) {
    this.limits = limits;
    this.#worlds = worlds;
    this.root = new TreeRun(new FlowWorld(definition, limits), runId, undefined, undefined);
    this.#runs = [this.root];
  }

  /** The runs of the present lives, parents first. */
  get runs(): readonly TreeRun[] {
    return this.#runs;
  }

  start(): readonly RunTold[] {
    this.root.order = this.#order++;
    this.root.world.begin(this.root.turn(0));
    return this.#finish();
  }

  /** Takes a step, which must be possible. */
  take(step: Step): readonly RunTold[] {
    this.#tick++;
    const run = this.find(step) as TreeRun;
    if (step.kind === 'stop' || step.kind === 'crash') this.#lose();
    if (step.kind === 'lists') this.#begin(run, step.task, step.items);
    else if (step.kind === 'stop' || step.kind === 'crash') this.#recover(run, step);
    else {
      const turn = run.turn(this.#tick, withoutPlace(step));
      run.world.apply(turn, run.now, step);
      if (step.kind === 'rerun') this.#beginLives(run);
    }
    return this.#finish();
  }

  /** Whether a step can be taken next. */
  canTake(step: Step): boolean {
    const run = this.find(step);
    if (run === undefined) return false;
    const { kind, task, within = [] } = step;
    if (task < 0) {
      const isOfRoot = within.length === 0;
      return (isOfRoot || kind === 'cancel') && run.moves.ofRun(run.now).some((one) => one.kind === kind);
    }
    const definition = run.world.definition.tasks[task];
    if (definition === undefined) return false;
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
      isChanged = this.#passOn() || fillSlots(this.#runsUp(), this.limits, this.#tick);
      if (isChanged) continue;
      for (const run of this.#runsUp()) run.askClock();
      isChanged = this.#passOn() || fillSlots(this.#runsUp(), this.limits, this.#tick);
    }
    return this.#runs.flatMap((run) => run.end() ?? []);
  }

  #runsUp(): readonly TreeRun[] {
    return this.#runs.filter(
      ({ parent }) => parent === undefined || parent.run.children.get(parent.task)?.isUp,
    );
  }

  /** Has children hear of their tasks, and tasks of their children. Gives whether there was anything to hear. */
  #passOn(): boolean {
    let isChanged = false;
    for (const run of this.#runs.slice()) {
      for (const [task, definition] of run.world.definition.tasks.entries()) {
        const row = hasChild(definition) ? run.running(task) : undefined;
        if (row === undefined) continue;
        const child = run.childOf(task, this.#lifeOf(run, task));
        if (!child.isUp || child.attempt !== row.attempts) {
          this.#goOn(run, task, child, row.attempts);
          isChanged = true;
        } else if (child.run?.ending !== undefined) {
          child.isUp = false;
          run.world.hearOfChild(run.turn(this.#tick), run.now, task, child.run.ending);
          isChanged = true;
        } else if (row.ending !== undefined && !child.isEnding && child.run !== undefined) {
          child.isEnding = true;
          const cancel: Step = { kind: 'cancel', task: -1 };
          child.run.world.apply(child.run.turn(this.#tick, cancel), child.run.now, cancel);
          isChanged = true;
        }
      }
    }
    return isChanged;
  }

  /** An attempt of a task begins: so does its child, or it goes on. */
  #goOn(run: TreeRun, task: number, child: TreeChild, attempt: number): void {
    const isSame = child.attempt === attempt;
    child.attempt = attempt;
    child.isUp = true;
    child.isEnding = false;
    const { run: own } = child;
    const { body } = run.world.definition.tasks[task] as TaskDefinition;
    if (own === undefined) {
      if (isChildBody(body) && body.kind === 'flow') this.#begin(run, task, undefined);
    } else if (own.ending === undefined) this.#recover(own, { kind: 'stop', task: -1 });
    else if (!isSame && own.ending !== 'done') {
      const rerun: Step = { kind: 'rerun', task: -1 };
      own.world.apply(own.turn(this.#tick, rerun), own.now, rerun);
      this.#beginLives(own);
    }
  }

  #begin(run: TreeRun, task: number, items: number | undefined): void {
    const child = run.children.get(task) as TreeChild;
    const world = run.worldOfChild(task, items, this.#worlds);
    const id = childIdOf(run.id, run.world.idOf(task), child.life);
    const own = new TreeRun(world, id, { run, task }, items);
    own.order = this.#order++;
    child.run = own;
    this.#runs.push(own);
    world.begin(own.turn(this.#tick));
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

  /** A new life begins for each task that runs again. */
  #beginLives(run: TreeRun): void {
    for (const [task, { life, run: own }] of [...run.children]) {
      if (run.now.rows[task] !== undefined && !run.now.rows[task]?.isLive) continue;
      run.children.delete(task);
      this.#lives.set(`${run.id}/${task}`, life + 1);
      if (own !== undefined) this.#runs = this.#runs.filter((other) => !isUnder(other, own));
    }
  }

  #lifeOf(run: TreeRun, task: number): number {
    return this.#lives.get(`${run.id}/${task}`) ?? 1;
  }
}

function isUnder(run: TreeRun, top: TreeRun): boolean {
  return run === top || (run.parent !== undefined && isUnder(run.parent.run, top));
}

/** A step as the run itself knows it. */
function withoutPlace({ within: _, ...step }: Step): Step {
  return step;
}
