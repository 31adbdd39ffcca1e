import { textResponse } from './problem.ts';

/** The state of a background. */
export interface Health {
  /** `draining`: it accepts no work of new requests. */
  readonly status: 'ready' | 'draining';
  /** Accepted runs that have not settled. */
  readonly pending: number;
  /** Limit for `pending` (`maxPending`); `null`: no limit. */
  readonly limit: number | null;
}

/** A fetch-style handler that answers with the health, whatever the request. */
export type HealthHandler = (request?: Request) => Response;

/**
 * Makes a handler for load balancers: it answers with 200 while the server is ready and 503 while it drains, and with
 * `health()` as JSON.
 */
export function createHealthHandler(background: { health(): Health }): HealthHandler {
  return () => {
    const health = background.health();
    const status = health.status === 'ready' ? 200 : 503;
    return textResponse(JSON.stringify(health), status, { 'content-type': 'application/json' });
  };
}
