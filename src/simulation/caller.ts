import { AsyncLocalStorage } from 'node:async_hooks';

/** The attempt in whose body a call is made. */
export interface Caller {
  /** `pay#1`, or `somebody` for one that is not known. */
  readonly name: string;
  readonly idempotencyKey: string;
  /** The process that it belongs to. */
  readonly life: { readonly isGone: boolean };
  /** Calls that have not been answered, by name. */
  readonly calls: Set<string>;
  /** Calls that never will be, since the simulation says so. */
  readonly hung: Set<string>;
  /** Whether it, or a call that it made, has a fault. */
  hasFault: boolean;
}

/** Says in whose body the program is; `world` inside of services, whose calls of one another are theirs alone. */
export const callers = new AsyncLocalStorage<Caller | undefined>();

/** Runs as part of the world: no calls from here are simulated. */
export const world: Caller = {
  name: 'world',
  idempotencyKey: '',
  life: { isGone: false },
  calls: new Set(),
  hung: new Set(),
  hasFault: false,
};
