import type { FlowDefinition } from './definition.ts';

// Keys that every copy of topple knows: what another copy made is no instance of this one's classes.

/** The key of flows. */
export const flowBrand = Symbol.for('topple.flow');

const logicBrand = Symbol.for('topple.logic');

/** The definition of a value that is a flow; `undefined` for any other. */
export function flowIn(value: unknown): FlowDefinition | undefined {
  if (typeof value !== 'object' || value === null || !(flowBrand in value)) return undefined;
  return (value as unknown as { readonly definition: FlowDefinition }).definition;
}

/** Marks logic whose actors are runs of this flow. */
export function brandLogic<Logic extends object>(logic: Logic, flow: string): Logic {
  return Object.defineProperty(logic, logicBrand, { value: flow });
}

/** The name of the flow of which a logic makes runs; `undefined` for any other logic. */
export function flowOfLogic(logic: object): string | undefined {
  return (logic as { readonly [logicBrand]?: string })[logicBrand];
}
