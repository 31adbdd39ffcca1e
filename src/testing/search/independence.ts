import type { FlowWorld } from '../model/flow-world.ts';
import type { Possible } from '../model/possible.ts';

/** A set of tasks, one bit each. */
export type Tasks = bigint;

/** A set of one. */
export function bit(task: number): Tasks {
  return 1n << BigInt(task);
}

/**
 * Finds the tasks whose steps do not commute: their order may change how something ends.
 *
 * Steps of two tasks touch only their own rows and, as they settle, the rows of what is downstream. There the order
 * matters only if it changes a rule's verdict (`all_success` with a failure and a skip: the first decides), or if both
 * may claim the same slots. All else commutes: the counts and marks of a row do not depend on the order.
 */
export class Independence {
  /** For each task, the tasks whose steps do not commute with its own. */
  readonly dependent: readonly Tasks[];
  /** For each task, all that it depends on. */
  readonly ancestors: readonly Tasks[];

  /** @param watched tasks whose order a property looks at */
  constructor(world: FlowWorld, possible: Possible, watched: Iterable<number> = []) {
    const { graph } = world.definition;
    const size = world.size;
    const order = graph.order().map((id) => graph.indexOf(id));
    const ancestors: Tasks[] = new Array(size).fill(0n);
    const dependent: Tasks[] = new Array(size).fill(0n);
    const entangle = (group: Tasks): void => {
      for (let task = 0; task < size; task++)
        if (group & bit(task)) dependent[task] = (dependent[task] as Tasks) | (group & ~bit(task));
    };
    for (const task of order) {
      const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
      let above = 0n;
      for (const other of upstream) above |= (ancestors[other] as Tasks) | bit(other);
      ancestors[task] = above;
      if (possible.isOrdered[task]) entangle(above);
    }
    this.ancestors = ancestors;
    const withAncestors = (members: readonly number[]): Tasks =>
      members.reduce((all, task) => all | bit(task) | (ancestors[task] as Tasks), 0n);
    for (const contenders of world.slots.contenders) entangle(withAncestors(contenders));
    entangle(withAncestors([...watched]));
    this.dependent = dependent;
  }
}
