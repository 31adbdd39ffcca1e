import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';

/** A step of a path and its effects. */
export interface Told {
  readonly step: Step;
  readonly before: Situation;
  readonly taken: Taken;
}

/** Takes a path from the start of a run. Throws if a step cannot be taken. */
export function walk(
  world: FlowWorld,
  path: readonly Step[],
): { readonly start: Taken; readonly steps: readonly Told[] } {
  const start = world.start();
  const steps: Told[] = [];
  let before = start.next;
  for (const step of path) {
    const taken = world.take(before, step);
    steps.push({ step, before, taken });
    before = taken.next;
  }
  return { start, steps };
}

/** Whether every step of a path can be taken in its place. */
export function isPossible(world: FlowWorld, moves: Moves, path: readonly Step[]): boolean {
  let at = world.start().next;
  for (const { kind, task, kept } of path) {
    const able = task < 0 ? moves.ofRun(at) : moves.ofTask(at, task);
    const step = able.find((other) => other.kind === kind);
    if (step === undefined) return false;
    const whole = world.take(at, step);
    if (kept === undefined) at = whole.next;
    else if (moves.cuts(step, whole).some((cut) => cut.kept === kept)) at = world.cut(at, whole, kept).next;
    else return false;
  }
  return true;
}
