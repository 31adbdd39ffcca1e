import type { SearchBounds } from './explore-options.ts';
import type { Search, SearchOptions } from './explorer.ts';

/** An option that cuts a search: where it is reached, not all has been looked at. */
export type Cut = 'maxDepth' | 'maxSituations' | 'maxMs';

/** An option that says what is to be looked at: all of that was, or a cut is named too. */
export type Limit = 'maxFailures' | 'maxCommands' | 'reduction';

/** An option that bounded a search, and what it was. */
export interface SearchBound<Option extends Cut | Limit = Cut | Limit> {
  readonly option: Option;
  readonly value: SearchBounds[Option];
}

/** What cut a search. */
export function cutsOf({ isCut, stoppedBy }: Search, bounds: SearchBounds): readonly SearchBound<Cut>[] {
  const cuts: Cut[] = [];
  if (isCut) cuts.push('maxDepth');
  if (stoppedBy === 'maxSituations' || stoppedBy === 'maxMs') cuts.push(stoppedBy);
  return cuts.map((option) => ({ option, value: bounds[option] }));
}

/** What says how far a search was to look; an option that bounds nothing is left out. */
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

/** Options in a sentence: `maxFailures 2, maxCommands 2 and reduction situations`. */
export function nameBounds(bounds: readonly SearchBound[]): string {
  const named = bounds.map(({ option, value }) => `${option} ${value}`);
  const last = named.pop() ?? '';
  return named.length === 0 ? last : `${named.join(', ')} and ${last}`;
}
