import { textResponse } from './problem.ts';

/** How a background stands. */
export interface Health {
  /** `draining`: it takes no work of new requests. */
  readonly status: 'ready' | 'draining';
  /** Runs that were accepted and have not settled. */
  readonly pending: number;
  /** How many there may be (`maxPending`); `null`: no limit. */
  readonly limit: number | null;
}

/** Answers about health, as a fetch-style handler; what is asked does not matter. */
export type HealthHandler = (request?: Request) => Response;

/**
 * Makes a handler for those who ask whether a server is to get requests: 200 while it is ready, 503 while it drains,
 * and its `health()` as JSON.
 */
export function createHealthHandler(background: { health(): Health }): HealthHandler {
  return () => {
    const health = background.health();
    const status = health.status === 'ready' ? 200 : 503;
    return textResponse(JSON.stringify(health), status, { 'content-type': 'application/json' });
  };
}
