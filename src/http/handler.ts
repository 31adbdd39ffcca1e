import { isThenable } from '../model/check.ts';
import type { Delivery } from './delivery.ts';

/**
 * Calls a handler, reports its end to the delivery, and returns its result.
 *
 * @param inspect called before the result is passed on; its errors count as the handler's
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
