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
 * The methods are guarded in a prototype that all objects of their kind share: a closure for each of them and each
 * response would be most of what a task costs.
 *
 * @param name what the object is called in handlers: `res`
 */
export function guardSent(
  target: object,
  name: string,
  use: 'response' | 'request',
  methods: readonly PropertyKey[],
): void {
  const before = (method: PropertyKey): void => refuseTasks(name, use, method);
  const own = methods.filter((method) => Object.hasOwn(target, method));
  if (own.length > 0) intercept(target, own, before);
  const prototype: object | null = Reflect.getPrototypeOf(target);
  if (prototype === null) return;
  const known = guarded.get(prototype) ?? new Map<string, object>();
  guarded.set(prototype, known);
  let guard = known.get(name);
  if (guard === undefined) {
    guard = Object.create(prototype) as object;
    intercept(guard, methods, before);
    known.set(name, guard);
  }
  Reflect.setPrototypeOf(target, guard);
}

/** By prototype and name. */
const guarded = new WeakMap<object, Map<string, object>>();

function refuseTasks(name: string, use: 'response' | 'request', method: PropertyKey): void {
  const scope = taskScope();
  if (scope === undefined && knowsTasks) return;
  const call = typeof method === 'symbol' ? `for await (… of ${name})` : `${name}.${method as string}()`;
  throw new ResponseSentError(call, use, scope?.taskId);
}
