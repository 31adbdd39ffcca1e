import { isThenable, showValue } from '../model/check.ts';
import { type Caller, callers, world } from './caller.ts';
import { SimulatedError } from './simulated-error.ts';
import type { Stage } from './stage.ts';

/** What the simulation is told of a method. */
export interface MethodOptions<Args extends readonly unknown[] = readonly never[]> {
  /**
   * Its effect must not happen twice for one key: that of the calling task (`idempotencyKey`), or the one made of the
   * arguments. Default false.
   */
  readonly once?: boolean | ((...args: Args) => unknown) | undefined;
  /** Whether faults may happen at it. Default true. */
  readonly faults?: boolean | undefined;
}

/** Options of a service, by method. */
export type ServiceOptions<Service> = {
  readonly [Name in keyof Service]?: Service[Name] extends (...args: infer Args) => unknown
    ? MethodOptions<Args>
    : never;
};

/** A service of the world. */
export interface Service {
  /** Its key in the world. */
  name: string;
  readonly object: object;
}

type Method = (...args: unknown[]) => unknown;

const AsyncFunction = (async () => {}).constructor;

/** Makes the double of an object, whose methods are carried out when the simulation chooses. */
export function doubleOf<T extends object>(
  stage: Stage,
  service: Service,
  object: T,
  options: Readonly<Record<PropertyKey, MethodOptions | undefined>>,
): T {
  const doubles = new Map<PropertyKey, Method>();
  return new Proxy(object, {
    get(target, property) {
      const value = Reflect.get(target, property, target) as unknown;
      if (typeof value !== 'function' || typeof property === 'symbol' || property === 'constructor')
        return value;
      let double = doubles.get(property);
      if (double === undefined) {
        const call = new ServiceMethod(stage, service, property, options[property] ?? {});
        double = (...args) => call.made(value as Method, target, args);
        doubles.set(property, double);
      }
      return double;
    },
    set: (target, property, value) => Reflect.set(target, property, value, target),
  });
}

/** A method of a service. */
class ServiceMethod {
  readonly #stage: Stage;
  readonly #service: Service;
  readonly #name: string;
  readonly #options: MethodOptions;
  readonly #done = new Set<unknown>();

  constructor(stage: Stage, service: Service, name: string, options: MethodOptions) {
    this.#stage = stage;
    this.#service = service;
    this.#name = name;
    this.#options = options;
  }

  made(method: Method, target: object, args: unknown[]): unknown {
    const stage = this.#stage;
    const caller = callers.getStore() ?? stage.somebody;
    if (stage.isLooking || caller === world) return method.apply(target, args);
    const name = `${this.#service.name}.${this.#name}`;
    const isAsync = method instanceof AsyncFunction || stage.learned.has(name);
    if (caller.life.isGone) return goneCall(isAsync);
    if (!isAsync) return this.#atOnce(name, method, target, args, caller);
    return this.#inTwo(name, method, target, args, caller);
  }

  /** A method that returns at once is one point, which is not chosen. */
  #atOnce(name: string, method: Method, target: object, args: unknown[], caller: Caller): unknown {
    const stage = this.#stage;
    stage.tell(() => ({
      from: caller.name,
      to: this.#service.name,
      text: `${this.#name}(${showAll(args)})`,
    }));
    const result = this.#effect(method, target, args, caller);
    // This schedule is played again, with what was learned.
    if (isThenable(result)) stage.learn(name);
    return result;
  }

  /** Lets the effect and the answer come when the simulation chooses. */
  #inTwo(name: string, method: Method, target: object, args: unknown[], caller: Caller): Promise<unknown> {
    const stage = this.#stage;
    const key = stage.nameOf(`${caller.name} ${name}`);
    const fault = this.#options.faults === false ? undefined : stage.callFault(key);
    if (fault !== undefined) caller.hasFault = true;
    const [kind = '', number] = (fault ?? '').split(' ');
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    caller.calls.add(key);
    const settle = (how: () => void): void => {
      caller.calls.delete(key);
      caller.hung.delete(key);
      how();
    };
    heed(signalIn(args), (reason) => settle(() => reject(reason)));
    const what = `${this.#name}(${showAll(args)})`;
    const to = this.#service.name;
    stage.tell(() => ({ from: caller.name, to, text: what, kind: 'call' }));

    const answer = (isGood: boolean, value: unknown, text: string): void =>
      stage.add(`${key} answer`, caller.life, () => {
        stage.tell(() => ({ from: to, to: caller.name, text, kind: 'answer', isFault: kind === 'lost' }));
        settle(() => (isGood ? resolve(value) : reject(value)));
      });
    const answered = (isGood: boolean, value: unknown): void => {
      if (kind === 'silent') {
        caller.hung.add(key);
        return stage.tell(() => ({
          from: to,
          to: caller.name,
          text: `never answers ${this.#name}`,
          kind: 'fault',
        }));
      }
      const text = isGood ? `answers ${showValue(value)}` : `fails: ${showValue(value)}`;
      if (kind === 'lost')
        return answer(
          false,
          new SimulatedError(`the answer of ${name} is lost`),
          `the answer of ${this.#name} is lost`,
        );
      if (kind !== 'slow') return answer(isGood, value, text);
      stage.later(Number(number), caller.life, () => answer(isGood, value, text));
    };
    const effect = (): void =>
      stage.add(`${key} effect`, caller.life, () => {
        if (kind === 'fails') {
          stage.tell(() => ({
            from: to,
            to: caller.name,
            text: `fails before ${this.#name} has any effect`,
            kind: 'fault',
          }));
          return settle(() => reject(new SimulatedError(`${name} fails`)));
        }
        if (kind === 'hangs') {
          caller.hung.add(key);
          return stage.tell(() => ({
            from: to,
            to: caller.name,
            text: `hangs: ${this.#name} has no effect and no answer`,
            kind: 'fault',
          }));
        }
        stage.tell(() => ({
          from: to,
          to,
          text: `${what} takes effect`,
          kind: 'effect',
          isFault: kind === 'late',
        }));
        let result: unknown;
        try {
          result = this.#effect(method, target, args, caller);
        } catch (error) {
          return answered(false, error);
        }
        if (!isThenable(result)) return answered(true, result);
        result.then(
          (value) => answered(true, value),
          (error) => answered(false, error),
        );
      });
    if (kind === 'late') stage.later(Number(number), caller.life, effect);
    else effect();
    return promise;
  }

  #effect(method: Method, target: object, args: unknown[], caller: Caller): unknown {
    const { once } = this.#options;
    if (once !== undefined && once !== false) {
      const key = once === true ? caller.idempotencyKey : (once as Method)(...args);
      if (this.#done.has(key)) this.#twice(key);
      this.#done.add(key);
    }
    return callers.run(world, () => method.apply(target, args));
  }

  #twice(key: unknown): void {
    this.#stage.fail(
      'once',
      `\`${this.#service.name}.${this.#name}\` has taken effect twice for ${showValue(key)}`,
    );
  }
}

/** A call of a process that is gone: it reaches nobody. */
function goneCall(isAsync: boolean): Promise<never> {
  if (isAsync) return new Promise<never>(() => {});
  throw new SimulatedError('the process is gone');
}

/** The signal among the arguments, or in one of them. */
function signalIn(args: readonly unknown[]): AbortSignal | undefined {
  for (const arg of args) {
    if (arg instanceof AbortSignal) return arg;
    if (typeof arg !== 'object' || arg === null) continue;
    const { signal } = arg as { readonly signal?: unknown };
    if (signal instanceof AbortSignal) return signal;
  }
  return undefined;
}

function heed(signal: AbortSignal | undefined, abort: (reason: unknown) => void): void {
  if (signal === undefined) return;
  if (signal.aborted) abort(signal.reason);
  else signal.addEventListener('abort', () => abort(signal.reason), { once: true });
}

function showAll(args: readonly unknown[]): string {
  return args
    .filter((arg) => !(arg instanceof AbortSignal))
    .map(shown)
    .join(', ');
}

function shown(arg: unknown): string {
  if (typeof arg !== 'object' || arg === null) return showValue(arg);
  try {
    const text =
      JSON.stringify(arg, (_, value: unknown) => (value instanceof AbortSignal ? undefined : value)) ?? '';
    return text.length > 60 ? `${text.slice(0, 59)}…` : text;
  } catch {
    return showValue(arg);
  }
}
