import { isThenable, showValue } from '../model/check.ts';
import type { Caller } from './caller.ts';
import { showArguments } from './show-arguments.ts';
import { SimulatedError } from './simulated-error.ts';
import type { Stage, Told } from './stage.ts';

/** The call of an asynchronous method, as it is made. */
export interface MadeCall {
  readonly stage: Stage;
  readonly caller: Caller;
  /** The service, and the method in it. */
  readonly service: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly mayFail: boolean;
  /** Calls the method itself. */
  readonly effect: () => unknown;
}

/** A call in two points: when its effect happens, and when its answer comes; and the fault that it has, if any. */
export class Call {
  readonly #made: MadeCall;
  readonly #key: string;
  /** The kind of its fault, and the wait of one that takes its time. */
  readonly #fault: string;
  readonly #waitMs: number;
  readonly #result = Promise.withResolvers<unknown>();

  constructor(made: MadeCall) {
    const { stage, caller, service, method, mayFail } = made;
    this.#made = made;
    this.#key = stage.nameOf(`${caller.name} ${service}.${method}`);
    const fault = mayFail ? stage.callFault(this.#key) : undefined;
    if (fault !== undefined) caller.hasFault = true;
    const [kind = '', waitMs] = (fault ?? '').split(' ');
    this.#fault = kind;
    this.#waitMs = Number(waitMs);
  }

  /** Makes the call. Returns the promise of its answer. */
  begin(): Promise<unknown> {
    const { stage, caller, service, args } = this.#made;
    caller.calls.add(this.#key);
    heed(signalIn(args), (reason) => this.#settle(false, reason));
    stage.tell(() => ({ from: caller.name, to: service, text: this.#what, kind: 'call' }));
    const point = (): void => stage.add(`${this.#key} effect`, caller.life, () => this.#takeEffect());
    if (this.#fault === 'late') stage.later(this.#waitMs, caller.life, point);
    else point();
    return this.#result.promise;
  }

  #takeEffect(): void {
    const { stage, service, method, effect } = this.#made;
    if (this.#fault === 'fails') {
      this.#tell('fault', () => `fails before ${method} has any effect`);
      return this.#settle(false, new SimulatedError(`${service}.${method} fails`));
    }
    if (this.#fault === 'hangs') return this.#hang(`hangs: ${method} has no effect and no answer`);
    const isFault = this.#fault === 'late';
    stage.tell(() => ({
      from: service,
      to: service,
      text: `${this.#what} takes effect`,
      kind: 'effect',
      isFault,
    }));
    let result: unknown;
    try {
      result = effect();
    } catch (error) {
      return this.#returned(false, error);
    }
    if (!isThenable(result)) return this.#returned(true, result);
    result.then(
      (value) => this.#returned(true, value),
      (error) => this.#returned(false, error),
    );
  }

  /** The method has returned or thrown: its answer is to come. */
  #returned(isGood: boolean, value: unknown): void {
    const { stage, caller, service, method } = this.#made;
    if (this.#fault === 'silent') return this.#hang(`never answers ${method}`);
    const isLost = this.#fault === 'lost';
    const point = (): void =>
      stage.add(`${this.#key} answer`, caller.life, () => {
        if (isLost) {
          this.#tell('answer', () => `the answer of ${method} is lost`, true);
          this.#settle(false, new SimulatedError(`the answer of ${service}.${method} is lost`));
        } else {
          this.#tell('answer', () => `${isGood ? 'answers' : 'fails:'} ${showValue(value)}`);
          this.#settle(isGood, value);
        }
      });
    if (this.#fault === 'slow') stage.later(this.#waitMs, caller.life, point);
    else point();
  }

  #hang(text: string): void {
    this.#made.caller.hung.add(this.#key);
    this.#tell('fault', () => text);
  }

  #settle(isGood: boolean, value: unknown): void {
    const { calls, hung } = this.#made.caller;
    calls.delete(this.#key);
    hung.delete(this.#key);
    if (isGood) this.#result.resolve(value);
    else this.#result.reject(value);
  }

  #tell(kind: Told['kind'], text: () => string, isFault = false): void {
    const { stage, caller, service } = this.#made;
    stage.tell(() => ({ from: service, to: caller.name, text: text(), kind, isFault }));
  }

  get #what(): string {
    return `${this.#made.method}(${showArguments(this.#made.args)})`;
  }
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
