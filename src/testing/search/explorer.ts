import { viewError } from '../../model/error.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Possible } from '../model/possible.ts';
import type { Situation, Taken } from '../model/situation.ts';
import { commandsIn, failing, isOfUndo, isRecovered, type Step, withoutLoss } from '../model/steps.ts';
import { builtIns } from '../properties/built-in.ts';
import type { Watch } from '../properties/watch.ts';
import { bit, Independence, type Tasks } from './independence.ts';
import { fromPlaces, Keys, toPlaces } from './keys.ts';
import { PersistentSets } from './persistent-sets.ts';
import type { Observer, Search, SearchOptions, Violation } from './search.ts';
import { findInterchangeable, Symmetry } from './symmetry.ts';

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
  readonly #symmetry: Symmetry;
  readonly #independence: Independence;
  readonly #persistent: PersistentSets;
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
    const isSymmetric = bounds.reduction !== 'none' && bounds.symmetry !== false;
    this.#symmetry = new Symmetry(
      isSymmetric ? findInterchangeable(world.definition, moves, apartIn(world, reads.tasks)) : [],
    );
    this.#keys = new Keys(world, this.#symmetry, reads.details);
    const watched = watch.hasPathProperties ? reads.tasks : [];
    this.#independence = new Independence(world, possible, watched);
    this.#persistent = new PersistentSets(world, moves, watch, this.#independence);
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
    let undo = this.#moves.ofUndo(situation);
    if (!canHappen && undo.length === 0) this.#end(node);
    if (situation.tick >= this.#bounds.maxDepth) {
      const mayCommand = ofRun.length > 0 && node.commands < this.#bounds.maxCommands;
      this.#isCut ||= canHappen || undo.length > 0 || mayCommand;
      return;
    }
    // In a line for a slot, the place of each matters.
    if (!this.#world.slots.isLimited) chosen = this.#symmetry.oneOfEach(situation, chosen);
    if (this.#reduction === 'endings') chosen = this.#persistent.choose(situation, chosen);
    let before = 0n;
    for (const task of chosen) {
      for (const step of this.#moves.ofTask(situation, task)) this.#take(node, step, before);
      before |= bit(task);
    }
    // Undos settle for themselves: whatever their order, each ends so.
    if (this.#reduction === 'endings') undo = undo.slice(0, 1);
    if (only === undefined) for (const step of undo.flat()) this.#take(node, step, 0n);
    if (only === undefined) for (const step of ofRun) this.#take(node, step, 0n);
  }

  /**
   * @param before tasks whose steps were taken from here before
   * @param whole the effects of a step that a crash cuts short
   */
  #take(node: Node, step: Step, before: Tasks, whole?: Taken): void {
    const failures = node.failures + (failing.has(step.kind) ? 1 : 0);
    const given = node.commands + commandsIn(step);
    if (failures > this.#bounds.maxFailures || given > this.#bounds.maxCommands) return;
    let taken: Taken;
    this.#taken++;
    try {
      taken =
        whole === undefined
          ? this.#world.take(node.situation, step)
          : this.#world.cut(node.situation, whole, step.kept as number);
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
      this.#reduction !== 'situations' || step.task < 0 || isOfUndo(step) || whole !== undefined
        ? 0n
        : (node.asleep | before) & ~this.#entangled(step.task);
    const wasStopped = node.wasStopped || isRecovered(step);
    const next = { ...node, situation: taken.next, failures, commands: given, wasStopped };
    this.#arrive(next, node.situation, step, taken, asleep);
    if (whole === undefined && given < this.#bounds.maxCommands && this.#moves.commands.has('crash'))
      for (const cut of this.#moves.cuts(step, taken)) this.#take(node, cut, 0n, taken);
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
    const left = step && withoutLoss(step);
    for (const { name, afterStep } of builtIns) {
      const message = afterStep?.(this.#world, before, left, taken);
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
      interchangeable: this.#symmetry.sets,
      depth: this.#depth,
      pathTo: (number) => this.pathTo(number),
    };
  }
}

/** The tasks to tell apart: those that are read by name, and those whose undos wait for each other in definition order. */
function apartIn({ definition, slots }: FlowWorld, read: ReadonlySet<number>): ReadonlySet<number> {
  if (!slots.isLimited || !definition.hasUndo) return read;
  const undone = definition.tasks.flatMap(({ compensate }, task) => (compensate === undefined ? [] : [task]));
  return new Set([...read, ...undone]);
}
