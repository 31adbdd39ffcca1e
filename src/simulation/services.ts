import { isThenable, showValue } from '../model/check.ts';
import { Call } from './call.ts';
import { type Caller, callers, world } from './caller.ts';
import { showArguments } from './show-arguments.ts';
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
    const effect = (): unknown => this.#effect(method, target, args, caller);
    if (!isAsync) return this.#atOnce(args, caller, effect);
    const mayFail = this.#options.faults !== false;
    return new Call({
      stage,
      caller,
      service: this.#service.name,
      method: this.#name,
      args,
      mayFail,
      effect,
    }).begin();
  }

  /** A method that returns at once is one point, which is not chosen. */
  #atOnce(args: unknown[], caller: Caller, effect: () => unknown): unknown {
    const stage = this.#stage;
    const { name } = this.#service;
    stage.tell(() => ({ from: caller.name, to: name, text: `${this.#name}(${showArguments(args)})` }));
    const result = effect();
    // This schedule is played again, with what was learned.
    if (isThenable(result)) stage.learn(`${name}.${this.#name}`);
    return result;
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
