import type { Run } from '../../index.ts';
import { count } from '../../model/duration.ts';
import { exitCode } from '../cli-error.ts';
import type { Io } from '../io.ts';
import type { RunProgress } from '../show/progress.ts';
import type { Signal } from '../signal.ts';

/** The state of a run that somebody wants to end. */
export interface Interrupts {
  /** The exit code for the signals received. */
  readonly exitCode: number | undefined;
  /** Must be called after progress has taken an event: ends the run once it has nothing under way. */
  check(): void;
  /** Stops listening to signals. */
  close(): void;
}

const endings: readonly (readonly [name: Signal, code: number, reason: string])[] = [
  ['SIGTERM', 143, 'terminated'],
  ['SIGHUP', 129, 'the terminal was closed'],
  ['SIGPIPE', exitCode.done, 'nobody reads its output'],
];

/**
 * Listens for signals. The first SIGINT lets running attempts finish and starts no others; the second aborts these too;
 * a third ends the process, as without a listener. Other signals act like a second SIGINT.
 */
export function hearInterrupts(
  io: Io,
  run: Run,
  progress: RunProgress,
  note: (text: string) => void,
): Interrupts {
  let code: number | undefined;
  let isDraining = false;
  const stops = new Map<Signal, () => void>();
  stops.set('SIGINT', io.onSignal('SIGINT', interrupt));
  for (const [name, endCode, reason] of endings)
    stops.set(
      name,
      io.onSignal(name, () => end(name, endCode, reason)),
    );
  return {
    get exitCode() {
      return code;
    },
    check,
    close: () => {
      for (const stop of stops.values()) stop();
    },
  };

  function interrupt(): void {
    if (isDraining) return end('SIGINT', exitCode.interrupted, 'interrupted');
    code ??= exitCode.interrupted;
    isDraining = true;
    run.pause();
    const { size } = progress.running;
    if (size > 0) note(`finishing ${count(size, 'task')}; interrupt again to abort`);
  }

  /** Progress is as old as the last event it has taken: after `run.paused`, nothing starts. */
  function check(): void {
    if (isDraining && progress.status === 'paused' && progress.running.size === 0) run.cancel('interrupted');
  }

  function end(name: Signal, endCode: number, reason: string): void {
    stops.get(name)?.();
    code ??= endCode;
    run.cancel(reason);
  }
}
