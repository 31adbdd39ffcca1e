import { currentCall, type TaskOwner } from './context.ts';
import { ResponseSentError } from './error.ts';

/** Arranges that `before` is called ahead of some methods of an object, if they exist; its errors reach the caller. */
export function intercept(target: object, methods: readonly PropertyKey[], before: () => void): void {
  replace(target, methods, (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      before();
      return Reflect.apply(original, this, args);
    };
  });
}

type Method = (this: object, ...args: unknown[]) => unknown;

function replace(
  target: object,
  methods: readonly PropertyKey[],
  replacement: (original: Method, method: PropertyKey) => Method,
): void {
  for (const method of methods) {
    const original: unknown = Reflect.get(target, method);
    if (typeof original !== 'function') continue;
    const value = replacement(original as Method, method);
    Object.defineProperty(target, method, { value, configurable: true, writable: true });
  }
}

/** Methods that tasks may not call once their response has gone. */
export interface Guarded {
  /** Name of the object in handlers: `res`. */
  readonly name: string;
  readonly use: 'response' | 'request';
  readonly methods: readonly PropertyKey[];
  /** Result of a suppressed call, where nobody could catch an error. Default: the object, for chained calls. */
  readonly instead?: (() => unknown) | undefined;
}

/**
 * Makes tasks of the owner that call one of these methods from now on get a ResponseSentError. In a callback that a
 * task left behind, where nobody would catch the error, the call does nothing and the owner is told. Other callers,
 * such as middleware that runs after the response, use the methods as usual.
 *
 * The methods are guarded in a prototype that all objects of their kind share: a closure for each method and response
 * would be most of the cost of a task.
 */
export function guardSent(target: object, owner: TaskOwner, guarded: Guarded): void {
  const known = (target as Partial<Owned>)[owners];
  // Several handlers may add tasks to one response.
  if (known !== undefined) return void known.push(owner);
  Object.defineProperty(target, owners, { value: [owner] });
  const { methods } = guarded;
  const own = methods.filter((method) => Object.hasOwn(target, method));
  if (own.length > 0) guardMethods(target, own, guarded);
  if (Object.hasOwn(target, 'closed')) guardPipeline(target, guarded, () => true);
  const prototype: object | null = Reflect.getPrototypeOf(target);
  if (prototype !== null) Reflect.setPrototypeOf(target, guardOf(prototype, guarded));
}

const owners = Symbol('topple.owners');

interface Owned {
  readonly [owners]: TaskOwner[];
}

/** Guarding prototypes, by original prototype and name. */
const guards = new WeakMap<object, Map<string, object>>();

function guardOf(prototype: object, guarded: Guarded): object {
  const known = guards.get(prototype) ?? new Map<string, object>();
  guards.set(prototype, known);
  let guard = known.get(guarded.name);
  if (guard === undefined) {
    guard = Object.create(prototype) as object;
    guardMethods(guard, guarded.methods, guarded);
    if ('closed' in prototype)
      guardPipeline(guard, guarded, (sink) => Reflect.get(prototype, 'closed', sink));
    known.set(guarded.name, guard);
  }
  return guard;
}

function guardMethods(target: object, methods: readonly PropertyKey[], guarded: Guarded): void {
  const { name, use, instead } = guarded;
  replace(target, methods, (original, method) => {
    const events = eventsOf[method];
    return function (...args) {
      if (events !== undefined && !events.includes(args[0])) return original.apply(this, args);
      const isAllowed = refuseTasks(this, use, () => describe(name, method, this, args));
      if (isAllowed) return original.apply(this, args);
      return instead === undefined ? this : instead();
    };
  });
}

/** Relevant events of event methods. By `pipe` a sink hears of a source before its first byte. */
const eventsOf: Readonly<Record<PropertyKey, readonly unknown[] | undefined>> = {
  emit: ['pipe'],
  on: ['data', 'readable'],
  addListener: ['data', 'readable'],
};

/** Describes the call as it appears in the code. */
function describe(name: string, method: PropertyKey, sink: object, args: readonly unknown[]): string {
  if (typeof method === 'symbol') return `for await (… of ${name})`;
  if (method === 'emit') {
    // Nobody could catch an error of a later write, which comes from an event of the source.
    (args[1] as Partial<Unpipeable> | undefined)?.unpipe?.(sink);
    return `source.pipe(${name})`;
  }
  return eventsOf[method] === undefined
    ? `${name}.${String(method)}()`
    : `${name}.${String(method)}('${args[0]}')`;
}

interface Unpipeable {
  unpipe(sink: unknown): void;
}

/**
 * Tells whether the call may be made: it comes from no task of the object's owners. Such a task gets a
 * ResponseSentError if it can catch one; otherwise the owner hears of it.
 */
function refuseTasks(target: object, use: 'response' | 'request', describe: () => string): boolean {
  const call = currentCall();
  if (call === undefined || !(target as Partial<Owned>)[owners]?.includes(call.owner)) return true;
  const { taskId } = call.scope;
  const error = new ResponseSentError(describe(), use, taskId);
  if (call.isInBody) throw error;
  call.owner.misused(error, taskId);
  return false;
}

/**
 * Guards against Node's `pipeline()`. It asks whether its sink is `closed` before it uses it, and gives up with an
 * error that does not mention tasks.
 */
function guardPipeline(target: object, guarded: Guarded, isClosedNow: (sink: object) => unknown): void {
  const { name, use } = guarded;
  const get = function (this: object): unknown {
    const isClosed = isClosedNow(this);
    if (isClosed && currentCall()?.isInBody && isAskedByPipeline())
      refuseTasks(this, use, () => `pipeline(source, ${name})`);
    return isClosed;
  };
  Object.defineProperty(target, 'closed', { get, configurable: true });
}

/** Reads the stack: below the message come this function, the getter, and its caller. */
function isAskedByPipeline(): boolean {
  const [, , , caller = ''] = String(new Error().stack).split('\n');
  return caller.includes('node:internal/streams/pipeline');
}
