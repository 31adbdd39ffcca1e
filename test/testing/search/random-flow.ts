// Small flows of every kind, for fast-check.

import fc from 'fast-check';
import { createFlowFromGraph, type GraphTask, triggerRules } from 'topple';

/** What a random flow is made of. */
export interface FlowPlan {
  readonly tasks: readonly (GraphTask & { readonly id: string })[];
  readonly concurrency?: number | undefined;
  readonly pools?: Readonly<Record<string, number>> | undefined;
}

const nothing = () => {};

/** Flows of up to `max` tasks; `plain` ones wait for no slots and have no time limits, some tasks of `undo` ones an undo. */
export function flowPlans(max: number, plain = false, undo = false): fc.Arbitrary<FlowPlan> {
  return fc
    .integer({ min: 1, max })
    .chain((size) =>
      fc.tuple(
        fc.tuple(...Array.from({ length: size }, (_, index) => taskAt(index, plain, undo))),
        // Many are like the one before, so that there are tasks which may change places.
        fc.array(fc.boolean(), { minLength: size, maxLength: size }),
        plain
          ? fc.constant(undefined)
          : fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 }),
      ),
    )
    .map(([drawn, isAlike, concurrency]) => {
      const tasks: (GraphTask & { readonly id: string })[] = [];
      for (const [index, task] of drawn.entries()) {
        const before = tasks.at(-1);
        tasks.push(before !== undefined && isAlike[index] ? { ...before, id: task.id } : task);
      }
      return { tasks, concurrency, pools: { p: 1 } };
    });
}

function taskAt(
  index: number,
  plain: boolean,
  undo: boolean,
): fc.Arbitrary<GraphTask & { readonly id: string }> {
  const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });
  return fc.record({
    id: fc.constant(`t${index}`),
    dependsOn: fc.subarray(Array.from({ length: index }, (_, other) => `t${other}`)),
    triggerRule: fc.oneof(
      { weight: 2, arbitrary: fc.constant('all_success') },
      { weight: 3, arbitrary: fc.constantFrom(...triggerRules) },
    ),
    retry: rarely(fc.record({ maxAttempts: fc.integer({ min: 2, max: 3 }) })),
    skippable: fc.boolean(),
    optional: fc.boolean(),
    timeoutMs: plain ? fc.constant(undefined) : rarely(fc.constant(100)),
    totalTimeoutMs: plain ? fc.constant(undefined) : rarely(fc.constant(1_000)),
    priority: plain ? fc.constant(0) : fc.integer({ min: 0, max: 1 }),
    compensate: undo
      ? rarely(fc.constantFrom({ perform: nothing, after: 'done' }, { perform: nothing, after: 'started' }))
      : fc.constant(undefined),
    pool: plain ? fc.constant(undefined) : rarely(fc.constant('p')),
  });
}

/** A flow whose bodies are not to be called. */
export function flowOf({ tasks, concurrency, pools }: FlowPlan) {
  return createFlowFromGraph({ name: 'random', tasks, concurrency, pools }, () => {
    throw new Error('no body is called');
  });
}
