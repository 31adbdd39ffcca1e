import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Backend } from '../backend/backend.ts';
import type { Router } from '../state/router.ts';

/** What every part of the page may use. */
export interface Surroundings {
  readonly backend: Backend;
  readonly router: Router;
  /** Says something to people who hear the page. */
  announce(text: string): void;
}

export const SurroundingsContext = createContext<Surroundings | undefined>(undefined);

export function useSurroundings(): Surroundings {
  const surroundings = useContext(SurroundingsContext);
  if (surroundings === undefined) throw new Error('A part of the page stands outside of it.');
  return surroundings;
}
