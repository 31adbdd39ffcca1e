import { CancelledError, TimeoutError, viewError } from '../../model/error.ts';
import type { RunView } from '../../model/view.ts';
import type { AttemptEnding } from '../model/task-model.ts';
import { Difference } from './difference.ts';
import { misfit, unjudged } from './fits.ts';
import type { PathSays } from './path-says.ts';

/** Checks the reasons of signals. */
export class SignalCheck {
  readonly #says: PathSays;
  /** The expected reason of each aborted signal, set once: later endings do not change it. */
  readonly #reasons = new WeakMap<AbortSignal, object>();
  /** The signals of bodies that ended by themselves, with the task ids. */
  readonly #left = new Map<AbortSignal, string>();

  constructor(says: PathSays) {
    this.#says = says;
  }

  /** Checks an attempt that was told to end. Throws `Difference`. */
  check(task: number, id: string, signal: AbortSignal, ending: AttemptEnding, view: RunView): void {
    const expected = this.#reasons.get(signal) ?? this.#reasonOf(task, ending, view);
    this.#reasons.set(signal, expected);
    const { reason } = signal;
    const isTold = reason instanceof CancelledError || reason instanceof TimeoutError;
    const difference = isTold ? misfit(reason, expected) : viewError(reason).name;
    if (difference !== undefined) throw new Difference(`the reason of the signal of ${id} has ${difference}`);
  }

  /** Notes that a body has ended. */
  leave(id: string, signal: AbortSignal): void {
    if (!signal.aborted) this.#left.set(signal, id);
  }

  /** Checks that no signal of an ended body is aborted. Throws `Difference`. */
  checkLeft(): void {
    for (const [signal, id] of this.#left)
      if (signal.aborted) throw new Difference(`the signal of ${id} is aborted after its body has ended`);
  }

  #reasonOf(task: number, ending: AttemptEnding, { cause, reason }: RunView): object {
    const timeout = { name: 'TimeoutError', message: unjudged };
    if (ending === 'attempt') return { ...timeout, option: 'timeoutMs', limitMs: this.#says.attemptMs(task) };
    if (ending === 'task') return { ...timeout, option: 'totalTimeoutMs', limitMs: this.#says.taskMs(task) };
    if (cause !== 'timeout') return { name: 'CancelledError', message: unjudged, reason: this.#says.reason };
    // The run gives the same reason for its end.
    return { name: 'TimeoutError', message: reason, option: 'totalTimeoutMs', limitMs: this.#says.runMs() };
  }
}
