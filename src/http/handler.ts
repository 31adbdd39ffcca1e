import { isThenable } from '../model/check.ts';
import type { Delivery } from './delivery.ts';

/**
 * Calls a handler, tells the delivery what becomes of it, and gives what it gives.
 *
 * @param inspect called with what it returned, before that goes on; what it throws, the handler has thrown
 */
export function callHandler<T>(delivery: Delivery, handler: () => T, inspect?: () => void): T {
  const fail = (error: unknown): never => {
    delivery.threw(error);
    throw error;
  };
  const pass = <V>(value: V): V => {
    try {
      inspect?.();
    } catch (error) {
      return fail(error);
    }
    delivery.handled();
    return value;
  };
  let result: T;
  try {
    result = handler();
  } catch (error) {
    return fail(error);
  }
  // Frameworks wait for any thenable.
  return isThenable(result) ? (Promise.resolve(result).then(pass, fail) as T) : pass(result);
}
