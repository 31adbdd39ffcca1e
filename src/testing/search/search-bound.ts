import type { SearchBounds } from './explore-options.ts';
import type { Search, SearchOptions } from './search.ts';

/** An option that cuts a search: when it is reached, the search is not complete. */
export type Cut = 'maxDepth' | 'maxSituations' | 'maxMs';

/** An option that limits a search: all within was searched, or a cut is named too. */
export type Limit = 'maxFailures' | 'maxCommands' | 'reduction';

/** An option that bounded a search, and its value. */
export interface SearchBound<Option extends Cut | Limit = Cut | Limit> {
  readonly option: Option;
  readonly value: SearchBounds[Option];
}

/** Finds what cut a search. */
export function cutsOf({ isCut, stoppedBy }: Search, bounds: SearchBounds): readonly SearchBound<Cut>[] {
  const cuts: Cut[] = [];
  if (isCut) cuts.push('maxDepth');
  if (stoppedBy === 'maxSituations' || stoppedBy === 'maxMs') cuts.push(stoppedBy);
  return cuts.map((option) => ({ option, value: bounds[option] }));
}

/** Gives the limits of a search; options that limit nothing are left out. */
export function limitsOf(
  { maxFailures, maxCommands }: SearchBounds,
  commands: ReadonlySet<unknown>,
  reduction: SearchOptions['reduction'],
): readonly SearchBound<Limit>[] {
  const limits: SearchBound<Limit>[] = [];
  if (Number.isFinite(maxFailures)) limits.push({ option: 'maxFailures', value: maxFailures });
  if (Number.isFinite(maxCommands) && commands.size > 0)
    limits.push({ option: 'maxCommands', value: maxCommands });
  if (reduction !== 'none') limits.push({ option: 'reduction', value: reduction });
  return limits;
}

/** Names options in a sentence: `maxFailures 2, maxCommands 2 and reduction situations`. */
export function nameBounds(bounds: readonly SearchBound[]): string {
  const named = bounds.map(({ option, value }) => `${option} ${value}`);
  const last = named.pop() ?? '';
  return named.length === 0 ? last : `${named.join(', ')} and ${last}`;
}
