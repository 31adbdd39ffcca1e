import type { SituationView } from './situation-view.ts';

/** A condition on a situation. */
export type Predicate = (view: SituationView) => boolean;

/** A condition on every path. Made by `always`, `never`, `eventually` and `leadsTo`. */
export interface Property {
  readonly kind: 'always' | 'never' | 'eventually' | 'leadsTo';
  readonly name: string;
  readonly when: Predicate;
  /** The condition that must follow (`leadsTo`). */
  readonly then?: Predicate | undefined;
}

/** Holds if every situation matches. */
export function always(when: Predicate, name?: string): Property {
  return { kind: 'always', name: name ?? `always(${textOf(when)})`, when };
}

/** Holds if no situation matches. */
export function neverHolds(when: Predicate, name?: string): Property {
  return { kind: 'never', name: name ?? `never(${textOf(when)})`, when };
}

/** Holds if every path that goes to its end has a matching situation. */
export function eventually(when: Predicate, name?: string): Property {
  return { kind: 'eventually', name: name ?? `eventually(${textOf(when)})`, when };
}

/** Holds if each situation that matches `when` also matches `then`, or is followed by one that does. */
export function leadsTo(when: Predicate, then: Predicate, name?: string): Property {
  return { kind: 'leadsTo', name: name ?? `leadsTo(${textOf(when)}, ${textOf(then)})`, when, then };
}

/** Whether a value is a property, including one of another copy of topple. */
export function isProperty(value: unknown): value is Property {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, name, when, then } = value as Partial<Record<keyof Property, unknown>>;
  const isKnown = kind === 'always' || kind === 'never' || kind === 'eventually' || kind === 'leadsTo';
  const isWhole = typeof name === 'string' && typeof when === 'function';
  return isKnown && isWhole && (typeof then === 'function') === (kind === 'leadsTo');
}

/** Whether it is about the order of situations, not about each alone. */
export function isOfPaths({ kind }: Property): boolean {
  return kind === 'eventually' || kind === 'leadsTo';
}

/** Shows the source of a predicate on one line. */
function textOf(predicate: Predicate): string {
  const text = predicate.toString().replaceAll(/\s+/g, ' ');
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
