import { flowOf } from '../../src/flow.ts';
import type { AnyFlow } from '../../src/flow-types.ts';
import { FlowDefinition } from '../../src/model/definition.ts';

/** A flow that ends early with one failure more, as that of a map's items does. */
export function tolerating<Given extends AnyFlow>(flow: Given, tolerance: number): Given {
  const { name, settings, tasks, graph, hash } = flow.definition;
  return flowOf(new FlowDefinition(name, settings, tasks, graph, { hash, tolerance })) as AnyFlow as Given;
}
