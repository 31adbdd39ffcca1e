import { badOption, checkFunction } from '../model/check.ts';
import type { Background } from './background.ts';
import { checkDrain, type DrainOptions, type DrainReport } from './drain.ts';

export interface DrainOnOptions extends Omit<DrainOptions, 'signal'> {
  /** Default: `SIGTERM` and `SIGINT`. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /** Stops the server from accepting requests: `() => server.close()`, `() => app.close()`. */
  readonly close: () => unknown;
}

/**
 * Drains the background when the process receives a signal: closes the server, and gives accepted work its grace. A
 * second signal ends the grace, a third one the process, as it does without listeners. Resolves with the report at the
 * end. Does not exit the process.
 *
 * @throws FlowError, at once, for an invalid option
 */
export async function drainOn(background: Background, given: DrainOnOptions): Promise<DrainReport> {
  const { signals = ['SIGTERM', 'SIGINT'], close, ...options } = given;
  // Check now: an error at the signal would come too late.
  checkDrain(options, 'drainOn');
  checkFunction({ option: 'close', owner: 'drainOn' }, close);
  if (!Array.isArray(signals)) throw badOption({ option: 'signals', owner: 'drainOn' }, 'a list', signals);
  const second = new AbortController();
  const first = Promise.withResolvers<void>();
  let count = 0;
  const hear = (): void => {
    if (++count === 1) return first.resolve();
    second.abort();
    stopHearing();
  };
  const stopHearing = (): void => {
    for (const signal of signals) process.off(signal, hear);
  };
  for (const signal of signals) process.on(signal, hear);
  await first.promise;
  const draining = background.drain({ ...options, signal: second.signal });
  const closing = settle(close);
  const report = await draining;
  await closing;
  stopHearing();
  return report;

  async function settle(closing: () => unknown): Promise<void> {
    try {
      await closing();
    } catch (error) {
      background.logger.error('The server could not be closed', error);
    }
  }
}
