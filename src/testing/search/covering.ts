import { type Cover, goalsOf } from '../cover/goals.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Situation, Taken } from '../model/situation.ts';
import { commandsIn, failing, type Step, type StepKind } from '../model/steps.ts';
import { isPossibleAlone, walkAlone } from '../paths/path.ts';
import { stepsFor } from './counted-budget.ts';
import type { SearchBounds } from './explore-options.ts';

/** The place where a goal was first reached: from a node, by a step. */
interface Place {
  readonly node: number;
  readonly step: Step | undefined;
}

/** The preferred steps when nothing new can be covered. */
const ordinary: readonly StepKind[] = [
  'done',
  'ends',
  'due',
  'resume',
  'skips',
  'agrees',
  'delivered',
  'wakes',
];

/** The kinds of steps for which the engine itself waits. */
const waited: readonly StepKind[] = ['due', 'times out', 'expires', 'out of time'];

/** The number of movable tasks, first in definition order, whose steps are checked for coverage. */
const looked = 12;

/** Paths that cover what they can of the goals that an exploration found. */
export interface CoveringPaths {
  readonly paths: Step[][];
  /** The number of goals found that have no path, since making them took too many steps. */
  readonly left: number;
  /** Whether `maxMs` ran out first: then the set of paths depends on the machine. */
  readonly isCut: boolean;
}

/** Collects what can be covered while a flow is explored, then makes few paths that cover it all. */
export class Covering {
  readonly #cover: Cover;
  readonly #places = new Map<string, Place>();
  /** The number of steps taken to make paths. */
  #taken = 0;

  constructor(cover: Cover) {
    this.#cover = cover;
  }

  /** Adds a step. */
  add(node: number, before: Situation | undefined, step: Step | undefined, taken: Taken): void {
    for (const goal of goalsOf(this.#cover, before, step, taken))
      if (!this.#places.has(goal)) this.#places.set(goal, { node, step });
  }

  /**
   * Makes the paths. Each goes to the furthest goal that none before it has covered, and from there to its end, if
   * possible by ways that cover more.
   *
   * @param maxSteps no path is begun after so many, so that of a large flow something stays uncovered
   */
  paths(
    world: FlowWorld,
    moves: Moves,
    bounds: SearchBounds,
    pathTo: (node: number) => Step[],
    maxSteps = stepsFor(world.size),
  ): CoveringPaths {
    const deadline = performance.now() + bounds.maxMs;
    this.#taken = 0;
    let isCut = false;
    const covered = new Set<string>();
    const paths: Step[][] = [];
    const lengthTo = new Map<number, number>();
    for (const { node } of this.#places.values())
      if (!lengthTo.has(node)) lengthTo.set(node, pathTo(node).length);
    const far = [...this.#places].sort(
      ([, a], [, b]) => (lengthTo.get(b.node) ?? 0) - (lengthTo.get(a.node) ?? 0),
    );
    for (const [goal, { node, step }] of far) {
      if (covered.has(goal)) continue;
      if (this.#taken > maxSteps) break;
      isCut = performance.now() > deadline;
      if (isCut) break;
      const begin = step === undefined ? pathTo(node) : [...pathTo(node), step];
      paths.push(this.#complete(world, moves, bounds, begin, covered));
    }
    const few = this.#leaveOutRedundant(world, paths);
    const left = [...this.#places.keys()].filter((goal) => !covered.has(goal)).length;
    const interrupted = (['stop', 'crash'] as const).flatMap((by) =>
      this.#interrupted(world, moves, bounds, few, by),
    );
    return { paths: [...few, ...interrupted], left, isCut };
  }

  /**
   * Makes a path for each kind of wait that a stop or a crash interrupts: the wait must still end. A situation after a
   * stop was there before, so exploring gives no path to it.
   */
  #interrupted(
    world: FlowWorld,
    moves: Moves,
    bounds: SearchBounds,
    paths: readonly Step[][],
    by: 'stop' | 'crash',
  ): Step[][] {
    if (!moves.commands.has(by)) return [];
    const all = new Set(this.#places.keys());
    return waited.flatMap((kind): Step[][] => {
      for (const path of paths) {
        const place = path.findIndex((step) => step.kind === kind);
        const begin: Step[] = [
          ...path.slice(0, place),
          { kind: by, task: -1 },
          ...path.slice(place, place + 1),
        ];
        const given = commandsOn(begin);
        if (place < 0 || given > bounds.maxCommands || !isPossibleAlone(world, moves, begin)) continue;
        return [this.#complete(world, moves, bounds, begin, all)];
      }
      return [];
    });
  }

  /** Leaves out paths whose goals the later paths all cover. */
  #leaveOutRedundant(world: FlowWorld, paths: readonly Step[][]): Step[][] {
    const goals = new Map(paths.map((path) => [path, this.#goalsOn(world, path)]));
    const times = new Map<string, number>();
    for (const set of goals.values()) for (const goal of set) times.set(goal, (times.get(goal) ?? 0) + 1);
    // Paths that cover least are tried first, and of these the longest.
    const inTurn = paths.toSorted(
      (a, b) => (goals.get(a)?.size ?? 0) - (goals.get(b)?.size ?? 0) || b.length - a.length,
    );
    const left = new Set<readonly Step[]>();
    for (const path of inTurn) {
      const own = goals.get(path) ?? new Set();
      if (![...own].every((goal) => (times.get(goal) ?? 0) > 1)) continue;
      left.add(path);
      for (const goal of own) times.set(goal, (times.get(goal) ?? 0) - 1);
    }
    return paths.filter((path) => !left.has(path));
  }

  #goalsOn(world: FlowWorld, path: readonly Step[]): ReadonlySet<string> {
    const { start, steps } = walkAlone(world, path);
    const goals = new Set(goalsOf(this.#cover, undefined, undefined, start));
    for (const { step, before, taken } of steps)
      for (const goal of goalsOf(this.#cover, before, step, taken)) goals.add(goal);
    return goals;
  }

  #complete(
    world: FlowWorld,
    moves: Moves,
    bounds: SearchBounds,
    begin: readonly Step[],
    covered: Set<string>,
  ): Step[] {
    const path: Step[] = [];
    const start = world.start();
    let at = start.next;
    const take = (before: Situation | undefined, step: Step | undefined, taken: Taken): void => {
      for (const goal of goalsOf(this.#cover, before, step, taken)) covered.add(goal);
      if (step !== undefined) path.push(step);
      at = taken.next;
    };
    take(undefined, undefined, start);
    for (const step of begin) take(at, step, world.take(at, step));
    this.#taken += begin.length;
    for (;;) {
      const best = this.#best(world, moves, bounds, path, at, covered);
      if (best === undefined) return path;
      take(at, best.step, best.taken);
    }
  }

  #best(
    world: FlowWorld,
    moves: Moves,
    { maxFailures, maxCommands, maxDepth }: SearchBounds,
    path: readonly Step[],
    at: Situation,
    covered: ReadonlySet<string>,
  ): { readonly step: Step; readonly taken: Taken } | undefined {
    if (path.length >= maxDepth) return undefined;
    const spent = {
      failures: path.filter(({ kind }) => failing.has(kind)).length,
      commands: commandsOn(path),
    };
    let best: { readonly step: Step; readonly taken: Taken; readonly worth: number } | undefined;
    const able = at.live.toSorted((a, b) => a - b).filter((task) => moves.ofTask(at, task).length > 0);
    // If there is nothing left to cover, any way will do.
    const some = able.slice(0, covered.size >= this.#places.size ? 1 : looked);
    const steps = [...some.flatMap((task) => moves.ofTask(at, task)), ...moves.ofRun(at)];
    for (const step of steps) {
      if (failing.has(step.kind) && spent.failures >= maxFailures) continue;
      if (spent.commands + commandsIn(step) > maxCommands) continue;
      const taken = world.take(at, step);
      this.#taken++;
      if (step.kept === undefined) steps.push(...moves.cuts(step, taken));
      const fresh = goalsOf(this.#cover, at, step, taken).filter(
        (goal) => this.#places.has(goal) && !covered.has(goal),
      ).length;
      const isOrdinary = ordinary.includes(step.kind) && step.kept === undefined;
      if (fresh === 0 && !isOrdinary) continue;
      const worth = fresh * 2 + (isOrdinary ? 1 : 0);
      if (best === undefined || worth > best.worth) best = { step, taken, worth };
    }
    if (best !== undefined) return best;
    // Nothing ordinary can happen: any possible step leads to the end.
    const any = steps.find(
      (step) => commandsIn(step) === 0 && (!failing.has(step.kind) || spent.failures < maxFailures),
    );
    return any && { step: any, taken: world.take(at, any) };
  }
}

function commandsOn(path: readonly Step[]): number {
  return path.reduce((sum, step) => sum + commandsIn(step), 0);
}
