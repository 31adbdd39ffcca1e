import { definitionOf as definitionOfFlow, flowOf } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { provideBodies } from '../model/provide-bodies.ts';

export { type AnyFlow, flowOf };

/** The definition of a flow, with other bodies for some tasks if any are given. */
export function definitionOf(flow: AnyFlow, bodies: object | undefined): FlowDefinition {
  const definition = definitionOfFlow(flow);
  return bodies === undefined ? definition : provideBodies(definition, bodies);
}
