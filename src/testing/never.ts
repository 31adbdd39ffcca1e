import { neverHolds, type Predicate, type Property } from './properties/properties.ts';
import { neverEnds, type ScriptedBody } from './script.ts';

/** Makes a body that does not end, whatever its signal says: it is given up after its grace. */
export function never(): ScriptedBody<never>;
/** Makes a property: it holds if no situation matches. */
export function never(when: Predicate, name?: string): Property;
export function never(when?: Predicate, name?: string): ScriptedBody<never> | Property {
  return when === undefined ? neverEnds() : neverHolds(when, name);
}
