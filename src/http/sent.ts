import { knowsTasks, taskScope } from './context.ts';
import { ResponseSentError } from './error.ts';

/** Has `before` called ahead of some methods of an object, of those that it has; what it throws, the caller gets. */
export function intercept(
  target: object,
  methods: readonly PropertyKey[],
  before: (method: PropertyKey, args: readonly unknown[], target: unknown) => void,
): void {
  for (const method of methods) {
    const original: unknown = Reflect.get(target, method);
    if (typeof original !== 'function') continue;
    const value = function (this: unknown, ...args: unknown[]): unknown {
      before(method, args, this);
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
  const before = (method: PropertyKey, args: readonly unknown[], sink: unknown): void => {
    if (method === 'emit') return args[0] === 'pipe' ? refusePipe(name, sink, args[1]) : undefined;
    refuseTasks(use, () =>
      typeof method === 'symbol' ? `for await (… of ${name})` : `${name}.${method as string}()`,
    );
  };
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

function refuseTasks(use: 'response' | 'request', call: () => string): void {
  const scope = taskScope();
  if (scope === undefined && knowsTasks) return;
  throw new ResponseSentError(call(), use, scope?.taskId);
}

/**
 * A sink hears of a pipe before its first byte, in the course of `pipe()`. The source is let go of: what it would write
 * later, from an event of its own, nobody could catch.
 */
function refusePipe(name: string, sink: unknown, source: unknown): void {
  refuseTasks('response', () => {
    (source as Partial<Unpipeable> | undefined)?.unpipe?.(sink);
    return `source.pipe(${name})`;
  });
}

interface Unpipeable {
  unpipe(sink: unknown): void;
}
