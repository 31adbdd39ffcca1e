import { isFlow } from '../../flow.ts';
import type { AnyFlow } from '../../flow-types.ts';
import { badOption } from '../../model/check.ts';
import type { FlowDefinition } from '../../model/definition.ts';

/** The definition of a flow; throws `FlowError` if it is not a flow. */
export function definitionOf(flow: AnyFlow, owner: string): FlowDefinition {
  if (isFlow(flow)) return flow.definition;
  throw badOption({ option: 'flow', owner }, 'a flow, made by `createFlow`', flow);
}
