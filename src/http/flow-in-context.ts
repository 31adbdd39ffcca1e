import { definitionOf } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import type { Flow, PerformScope } from '../index.ts';
import { OrderedMap } from '../model/ordered-map.ts';
import type { Bound } from './context.ts';

const contexts = new OrderedMap<string, Bound>();
const bound = new WeakMap<AnyFlow, AnyFlow>();

/**
 * Binds the function bodies of a run to a context, unless a run of that id already has one.
 *
 * @returns a function to call when the run has settled
 */
export function bindRun(runId: string, context: Bound): () => void {
  if (contexts.get(runId) !== undefined) return () => {};
  contexts.set(runId, context);
  return () => void contexts.delete(runId);
}

/** Returns the same flow with bodies that look up the context of their run. Made once for each flow. */
export function inContext(flow: AnyFlow): AnyFlow {
  const definition = definitionOf(flow);
  const known = bound.get(flow);
  if (known !== undefined) return known;
  const bodies: Record<string, unknown> = Object.create(null);
  for (const { id, body } of definition.tasks) {
    if (body.kind !== 'perform') continue;
    const { perform } = body;
    const lookUp = (scope: PerformScope): unknown => {
      const context = contexts.get(scope.runId);
      return context === undefined ? perform(scope) : context(scope, () => perform(scope));
    };
    bodies[id] = { perform: lookUp };
  }
  const made = (flow as Flow).provide(bodies as never);
  bound.set(flow, made);
  return made;
}
