import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import type { RunTold } from '../model/tree-run.ts';
import { TreeWalk } from '../model/tree-walk.ts';

/** A step of a path and its effects. */
export interface Told {
  readonly step: Step;
  /** The run whose step it is. */
  readonly world: FlowWorld;
  /** The tasks whose child that run is, as in `publish/inner`; empty for the root. */
  readonly place: string;
  readonly before: Situation;
  readonly taken: Taken;
  /** What happens to every run of the tree that it concerns, parents first. */
  readonly runs: readonly RunTold[];
}

/** A path as it is walked: with the runs of its tasks. */
export interface Walked {
  readonly start: Taken;
  /** What happens to every run as the root starts. */
  readonly runs: readonly RunTold[];
  readonly steps: readonly Told[];
}

/** The id of the run of a path, which those of its children begin with. */
export const pathRunId = 'path';

/** Takes a path from the start of a run. Throws if a step cannot be taken. */
export function walk(world: FlowWorld, path: readonly Step[]): Walked {
  const tree = new TreeWalk(world, pathRunId);
  const runs = tree.start();
  const { taken: start } = runs.find(({ run }) => run === tree.root) as RunTold;
  const steps: Told[] = [];
  for (const step of path) {
    const own = tree.find(step);
    if (own === undefined) throw new Error('the path has a step of a child that is not under way');
    const told = tree.take(step);
    const { before, taken } = told.find(({ run }) => run === own) as RunTold;
    steps.push({
      step,
      world: own.world,
      place: own.place,
      before: before as Situation,
      taken,
      runs: told,
    });
  }
  return { start, runs, steps };
}

/** Takes a path of a run alone: how the children of its tasks end is said by steps of the tasks. */
export function walkAlone(
  world: FlowWorld,
  path: readonly Step[],
): { readonly start: Taken; readonly steps: readonly Pick<Told, 'step' | 'before' | 'taken'>[] } {
  const start = world.start();
  let before = start.next;
  const steps = path.map((step) => {
    const told = { step, before, taken: world.take(before, step) };
    before = told.taken.next;
    return told;
  });
  return { start, steps };
}

/** Whether every step of a path can be taken in its place. */
export function isPossible(world: FlowWorld, moves: Moves, path: readonly Step[]): boolean {
  return world.definition.hasChildren ? isPossibleInTree(world, path) : isPossibleAlone(world, moves, path);
}

function isPossibleInTree(world: FlowWorld, path: readonly Step[]): boolean {
  const tree = new TreeWalk(world, pathRunId);
  tree.start();
  for (const step of path) {
    if (!tree.canTake(step)) return false;
    tree.take(step);
  }
  return true;
}

/** Whether every step of a path of a run alone can be taken in its place. */
export function isPossibleAlone(world: FlowWorld, moves: Moves, path: readonly Step[]): boolean {
  let at = world.start().next;
  for (const { kind, task, kept } of path) {
    const able = task < 0 ? moves.ofRun(at) : [...moves.ofTask(at, task), ...moves.ofUndo(at).flat()];
    const step = able.find((other) => other.kind === kind && other.task === task);
    if (step === undefined) return false;
    const whole = world.take(at, step);
    if (kept === undefined) at = whole.next;
    else if (moves.cuts(step, whole).some((cut) => cut.kept === kept)) at = world.cut(at, whole, kept).next;
    else return false;
  }
  return true;
}
