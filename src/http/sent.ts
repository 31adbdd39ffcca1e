import { knowsTasks, taskScope } from './context.ts';
import { ResponseSentError } from './error.ts';

/** Has `before` called ahead of some methods of an object, of those that it has; what it throws, the caller gets. */
export function intercept(
  target: object,
  methods: readonly PropertyKey[],
  before: (method: PropertyKey) => void,
): void {
  for (const method of methods) {
    const original: unknown = Reflect.get(target, method);
    if (typeof original !== 'function') continue;
    const value = function (this: unknown, ...args: unknown[]): unknown {
      before(method);
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(target, method, { value, configurable: true, writable: true });
  }
}

/**
 * From now on a background task that calls one of these methods gets a ResponseSentError. Whoever else calls them,
 * such as a middleware that goes on after the response, has them as they are.
 *
 * @param name what the object is called in handlers: `res`
 */
export function guardSent(
  target: object,
  name: string,
  use: 'response' | 'request',
  methods: readonly PropertyKey[],
): void {
  intercept(target, methods, (method) => {
    const scope = taskScope();
    if (scope === undefined && knowsTasks) return;
    const call = typeof method === 'symbol' ? `for await (… of ${name})` : `${name}.${method as string}()`;
    throw new ResponseSentError(call, use, scope?.taskId);
  });
}
