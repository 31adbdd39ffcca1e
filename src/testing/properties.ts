import type { SituationView } from './situation-view.ts';

/** Says something of a situation. */
export type Predicate = (view: SituationView) => boolean;

/** What is to hold on every path. Made by `always`, `never`, `eventually` and `leadsTo`. */
export interface Property {
  readonly kind: 'always' | 'never' | 'eventually' | 'leadsTo';
  readonly name: string;
  readonly when: Predicate;
  /** Of `leadsTo`: what is to follow. */
  readonly then?: Predicate | undefined;
}

/** Holds where every situation is as said. */
export function always(when: Predicate, name?: string): Property {
  return { kind: 'always', name: name ?? `always(${textOf(when)})`, when };
}

/** Holds where no situation is as said. */
export function neverHolds(when: Predicate, name?: string): Property {
  return { kind: 'never', name: name ?? `never(${textOf(when)})`, when };
}

/** Holds where every path that goes to its end has a situation as said. */
export function eventually(when: Predicate, name?: string): Property {
  return { kind: 'eventually', name: name ?? `eventually(${textOf(when)})`, when };
}

/** Holds where each situation that is as `when` says is one, or is followed by one, that is as `then` says. */
export function leadsTo(when: Predicate, then: Predicate, name?: string): Property {
  return { kind: 'leadsTo', name: name ?? `leadsTo(${textOf(when)}, ${textOf(then)})`, when, then };
}

/** Whether a value is a property, also of another copy of topple. */
export function isProperty(value: unknown): value is Property {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, name, when, then } = value as Partial<Record<keyof Property, unknown>>;
  const isKnown = kind === 'always' || kind === 'never' || kind === 'eventually' || kind === 'leadsTo';
  const isWhole = typeof name === 'string' && typeof when === 'function';
  return isKnown && isWhole && (typeof then === 'function') === (kind === 'leadsTo');
}

/** Whether it is about the order of situations, and not about each alone. */
export function isOfPaths({ kind }: Property): boolean {
  return kind === 'eventually' || kind === 'leadsTo';
}

/** A predicate as it is written, on one line. */
function textOf(predicate: Predicate): string {
  const text = predicate.toString().replaceAll(/\s+/g, ' ');
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
