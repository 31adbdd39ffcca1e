import { viewError } from '../../model/error.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Possible } from '../model/possible.ts';
import type { Situation, Taken } from '../model/situation.ts';
import { commands, failing, type Step } from '../model/steps.ts';
import { builtIns } from '../properties/built-in.ts';
import type { Watch } from '../properties/watch.ts';
import type { Reduction, SearchBounds } from './explore-options.ts';
import { bit, Independence, type Tasks } from './independence.ts';
import { fromPlaces, Keys, toPlaces } from './keys.ts';
import { findTwins } from './symmetry.ts';

/** A property that does not hold, and the shortest path to a counter-example. */
export interface Violation {
  readonly property: string;
  readonly message: string;
  readonly path: readonly Step[];
}

/** Receives each step that is taken, for coverage. */
export interface Observer {
  /** @param node where the step begins, -1 for the start of the run */
  onStep(node: number, before: Situation | undefined, step: Step | undefined, taken: Taken): void;
}

/** The result of a search with one kind of reduction. */
export interface Search {
  readonly situations: number;
  /** The steps taken; each leads to a new or a known situation. */
  readonly steps: number;
  /** Counts situations from which nothing more can happen. */
  readonly endings: number;
  readonly violations: readonly Violation[];
  /** The bound that stopped the search; `undefined` if it finished. */
  readonly stoppedBy: 'maxSituations' | 'maxSteps' | 'maxMs' | undefined;
  /** Whether paths were cut at `maxDepth`. */
  readonly isCut: boolean;
  readonly twins: readonly (readonly number[])[];
  readonly depth: number;
  pathTo(node: number): Step[];
}

/** A node of the search. */
interface Node {
  readonly situation: Situation;
  /** Its position in the order of finding. */
  readonly number: number;
  readonly bits: number;
  readonly failures: number;
  readonly commands: number;
  /** Whether the run was stopped and recovered on the way. */
  readonly wasStopped: boolean;
  /** Tasks whose steps are not taken here, since they lead where others lead. */
  readonly asleep: Tasks;
  /** The tasks whose steps are taken; all if not set. Commands are given only then. */
  readonly only?: Tasks | undefined;
}

/** The bounds and the kind of a search. */
export interface SearchOptions extends SearchBounds {
  readonly reduction: Exclude<Reduction, 'auto'>;
  /** Whether interchangeable tasks are told apart. Default false. */
  readonly twinsApart?: boolean | undefined;
  /** The most steps that are taken. Default: no bound. */
  readonly maxSteps?: number | undefined;
  /** An instant of `performance.now()`. Default: `maxMs` from the beginning of the search. */
  readonly deadline?: number | undefined;
}

/** The budget used on the way to a situation, and the tasks asleep when it was expanded. */
interface Visit {
  readonly failures: number;
  readonly commands: number;
  asleep: Tasks;
}

/** Thrown when properties have read tasks that they had not read before. */
export class ReadsGrew extends Error {}

/** Searches the state space of a flow's model, nearest first, so that the first path found is a shortest. */
export class Explorer {
  readonly #world: FlowWorld;
  readonly #moves: Moves;
  readonly #watch: Watch;
  readonly #bounds: SearchOptions;
  readonly #observer: Observer;
  readonly #reduction: SearchOptions['reduction'];
  readonly #keys: Keys;
  readonly #twins: readonly (readonly number[])[];
  readonly #independence: Independence;
  /** Maps each of them to the first that it may change places with. */
  readonly #twinOf = new Map<number, number>();
  readonly #readsBefore: number;
  readonly #visits = new Map<string, Visit[]>();
  readonly #parents: number[] = [];
  readonly #steps: (Step | undefined)[] = [];
  readonly #violations = new Map<string, Violation>();
  /** The endings of runs that were stopped on the way, and of those that were not. */
  readonly #ends = { stopped: new Map<string, number>(), straight: new Set<string>() };
  #queue: Node[] = [];
  #taken = 0;
  #endings = 0;
  #isCut = false;
  #depth = 0;
  #stoppedBy: Search['stoppedBy'];

  constructor(
    world: FlowWorld,
    moves: Moves,
    watch: Watch,
    bounds: SearchOptions,
    possible: Possible,
    observer: Observer,
  ) {
    this.#world = world;
    this.#moves = moves;
    this.#watch = watch;
    this.#bounds = bounds;
    this.#reduction = bounds.reduction;
    this.#observer = observer;
    const { reads } = watch;
    this.#readsBefore = reads.size;
    const hasTwins = bounds.reduction !== 'none' && bounds.twinsApart !== true;
    this.#twins = hasTwins ? findTwins(world.definition, moves, reads.tasks) : [];
    for (const twins of this.#twins) for (const task of twins) this.#twinOf.set(task, twins[0] as number);
    this.#keys = new Keys(world, { twins: this.#twins, details: reads.details });
    const watched = watch.hasPathProperties ? reads.tasks : [];
    this.#independence = new Independence(world, possible, watched);
  }

  run(): Search {
    const { maxMs, deadline = performance.now() + maxMs } = this.#bounds;
    this.#begin();
    for (let level = this.#queue; level.length > 0; level = this.#queue) {
      this.#queue = [];
      for (const node of level) {
        this.#stoppedBy = this.#reachedBound(deadline);
        if (this.#stoppedBy !== undefined) return this.#result();
        this.#expand(node);
      }
      this.#depth++;
    }
    this.#compareEnds();
    return this.#result();
  }

  /** Gives the bound that was reached, counts first: so two machines that reach both agree. */
  #reachedBound(deadline: number): Search['stoppedBy'] {
    const { maxSituations, maxSteps = Number.POSITIVE_INFINITY } = this.#bounds;
    if (this.#visits.size > maxSituations) return 'maxSituations';
    if (this.#taken > maxSteps) return 'maxSteps';
    return performance.now() > deadline ? 'maxMs' : undefined;
  }

  #begin(): void {
    const taken = this.#world.start();
    this.#taken++;
    this.#observer.onStep(-1, undefined, undefined, taken);
    const root = { number: -1, bits: 0, failures: 0, commands: 0, wasStopped: false, asleep: 0n };
    this.#arrive({ ...root, situation: taken.next }, undefined, undefined, taken, 0n);
  }

  #expand(node: Node): void {
    const { situation, asleep, only } = node;
    const ofRun = this.#moves.ofRun(situation);
    const live = situation.live.toSorted((a, b) => a - b);
    let canHappen = ofRun.some(({ kind }) => kind === 'resume');
    let chosen: readonly number[] = live.filter((task) => {
      const isAble = this.#moves.ofTask(situation, task).length > 0;
      canHappen ||= isAble;
      return (
        isAble &&
        (only === undefined ? ((asleep >> BigInt(task)) & 1n) === 0n : ((only >> BigInt(task)) & 1n) === 1n)
      );
    });
    if (!canHappen) this.#end(node);
    if (situation.tick >= this.#bounds.maxDepth) {
      const mayCommand = ofRun.length > 0 && node.commands < this.#bounds.maxCommands;
      this.#isCut ||= canHappen || mayCommand;
      return;
    }
    chosen = this.#oneOfEqual(situation, chosen);
    if (this.#reduction === 'endings') chosen = this.#persistent(node, chosen);
    let before = 0n;
    for (const task of chosen) {
      for (const step of this.#moves.ofTask(situation, task)) this.#take(node, step, before);
      before |= bit(task);
    }
    if (only === undefined) for (const step of ofRun) this.#take(node, step, 0n);
  }

  /** Keeps the first of interchangeable tasks at the same point: steps of the others lead to the same. */
  #oneOfEqual({ rows }: Situation, tasks: readonly number[]): readonly number[] {
    if (this.#twins.length === 0 || this.#world.slots.isLimited) return tasks;
    const seen = new Set<string>();
    return tasks.filter((task) => {
      const twin = this.#twinOf.get(task);
      if (twin === undefined) return true;
      const name = `${twin} ${rows[task]?.code}`;
      const isFirst = !seen.has(name);
      seen.add(name);
      return isFirst;
    });
  }

  /** @param before tasks whose steps were taken from here before */
  #take(node: Node, step: Step, before: Tasks): void {
    const failures = node.failures + (failing.has(step.kind) ? 1 : 0);
    const given = node.commands + (commands.has(step.kind) ? 1 : 0);
    if (failures > this.#bounds.maxFailures || given > this.#bounds.maxCommands) return;
    let taken: Taken;
    this.#taken++;
    try {
      taken = this.#world.take(node.situation, step);
    } catch (error) {
      const { name, message } = viewError(error);
      this.#violate(
        { property: 'the model does not throw', message: `${name}: ${message}` },
        node.number,
        step,
      );
      return;
    }
    this.#observer.onStep(node.number, node.situation, step, taken);
    const asleep =
      this.#reduction !== 'situations' || step.task < 0
        ? 0n
        : (node.asleep | before) & ~this.#entangled(step.task);
    const wasStopped = node.wasStopped || step.kind === 'stop';
    const next = { ...node, situation: taken.next, failures, commands: given, wasStopped };
    this.#arrive(next, node.situation, step, taken, asleep);
  }

  /** The tasks that a step of this one wakes. */
  #entangled(task: number): Tasks {
    return (this.#independence.dependent[task] as Tasks) | bit(task);
  }

  /** @param next the node it leads to, before the arrival; `number` and `bits` are those of its source */
  #arrive(
    next: Node,
    before: Situation | undefined,
    step: Step | undefined,
    taken: Taken,
    asleep: Tasks,
  ): void {
    const from = next.number;
    for (const { name, afterStep } of builtIns) {
      const message = afterStep?.(this.#world, before, step, taken);
      if (message !== undefined) return this.#violate({ property: name, message }, from, step);
    }
    const { bits, broken } = this.#watch.look(next.bits, taken.next);
    for (const one of broken) this.#violate(one, from, step);
    if (this.#reduction !== 'none' && this.#watch.reads.size > this.#readsBefore) throw new ReadsGrew();
    const key = this.#keys.keyOf(taken.next, bits);
    const places = this.#reduction === 'situations' ? this.#keys.placesOf(taken.next, asleep) : undefined;
    const placed = toPlaces(asleep, places);
    let visits = this.#visits.get(key);
    if (visits === undefined) {
      visits = [];
      this.#visits.set(key, visits);
    }
    const { failures, commands: given } = next;
    const known = visits.find((visit) => visit.failures <= failures && visit.commands <= given);
    const add = (only: Tasks | undefined): void => {
      const number = this.#parents.push(from) - 1;
      this.#steps.push(step);
      this.#queue.push({ ...next, number, bits, asleep: only === undefined ? asleep : 0n, only });
    };
    if (known === undefined) {
      visits.push({ failures, commands: given, asleep: placed });
      return add(undefined);
    }
    // These slept when it was left, for the sake of a way that this path did not come.
    const missed = known.asleep & ~placed;
    if (missed === 0n) return;
    known.asleep &= placed;
    add(fromPlaces(missed, places));
  }

  /**
   * Finds a set of movable tasks whose steps commute with all that anyone outside it can do first. It picks the
   * smallest that changes nothing that properties look at; all tasks if there is none.
   */
  #persistent({ situation }: Node, able: readonly number[]): readonly number[] {
    if (able.length < 2) return able;
    // Always in definition order: ways that part then join again.
    const sets: (readonly number[])[] = [];
    for (const task of able) {
      const closed = this.#closure(situation, task);
      const set = able.filter((other) => (closed >> BigInt(other)) & 1n);
      if (set.length === 1 && this.#isUnseen(situation, set)) return set;
      sets.push(set);
    }
    const inTurn = sets.toSorted((a, b) => a.length - b.length);
    return inTurn.find((set) => set.length < able.length && this.#isUnseen(situation, set)) ?? able;
  }

  #closure(situation: Situation, task: number): Tasks {
    const { dependent, ancestors } = this.#independence;
    let closed = bit(task);
    // After a cancel every task has its verdict, and order does not matter.
    if (situation.run.value === 'cancelling') return closed;
    for (let before = 0n; before !== closed; ) {
      before = closed;
      for (let other = 0; other < this.#world.size; other++) {
        if (((closed >> BigInt(other)) & 1n) === 0n) continue;
        const row = situation.rows[other];
        if (row === undefined) closed |= ancestors[other] as Tasks;
        if (row === undefined || row.isLive) closed |= dependent[other] as Tasks;
      }
    }
    return closed;
  }

  /** Whether no step of these tasks changes what properties look at. */
  #isUnseen(situation: Situation, tasks: readonly number[]): boolean {
    if (this.#watch.isIdle) return true;
    const steps = tasks.flatMap((task) => this.#moves.ofTask(situation, task));
    return steps.every((step) => {
      const { next } = this.#world.take(situation, step);
      if (next.run.value !== situation.run.value) return false;
      for (const task of this.#watch.reads.tasks) if (next.rows[task] !== situation.rows[task]) return false;
      return true;
    });
  }

  #end(node: Node): void {
    this.#endings++;
    for (const { name, atEnd } of builtIns) {
      const message = atEnd?.(this.#world, node.situation);
      if (message !== undefined) this.#violate({ property: name, message }, node.number, undefined);
    }
    for (const broken of this.#watch.end(node.bits)) this.#violate(broken, node.number, undefined);
    const key = this.#keys.keyOf(node.situation, 0);
    if (node.commands === 0) this.#ends.straight.add(key);
    else if (node.commands === 1 && node.wasStopped && !this.#ends.stopped.has(key))
      this.#ends.stopped.set(key, node.number);
  }

  /** Checks that stopped and recovered runs end only in ways in which others end. */
  #compareEnds(): void {
    if (this.#isCut || this.#world.slots.isLimited) return;
    for (const [key, number] of this.#ends.stopped) {
      if (this.#ends.straight.has(key)) continue;
      const message = 'after the stop it ends as no run does that was not stopped';
      this.#violate({ property: 'a run that was stopped goes on as it was', message }, number, undefined);
    }
  }

  #violate({ property, message }: Omit<Violation, 'path'>, from: number, step: Step | undefined): void {
    if (this.#violations.has(property)) return;
    const path = this.pathTo(from);
    this.#violations.set(property, { property, message, path: step === undefined ? path : [...path, step] });
  }

  /** Gives the steps from the start of the run to a node. */
  pathTo(number: number): Step[] {
    const path: Step[] = [];
    for (let at = number; at >= 0; at = this.#parents[at] as number) {
      const step = this.#steps[at];
      if (step !== undefined) path.push(step);
    }
    return path.reverse();
  }

  #result(): Search {
    return {
      situations: this.#visits.size,
      steps: this.#taken,
      endings: this.#endings,
      violations: [...this.#violations.values()],
      stoppedBy: this.#stoppedBy,
      isCut: this.#isCut,
      twins: this.#twins,
      depth: this.#depth,
      pathTo: (number) => this.pathTo(number),
    };
  }
}
