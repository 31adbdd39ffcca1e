import type { Engine } from '../../index.ts';
import { count } from '../../model/duration.ts';
import { exitCode } from '../cli-error.ts';
import type { Io } from '../io.ts';
import type { Signal } from '../signal.ts';
import type { Interrupts } from './interrupts.ts';

const endings: readonly (readonly [name: Signal, code: number])[] = [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGPIPE', exitCode.done],
];

/**
 * Listens for signals while runs of a store are under way. The first SIGINT lets running attempts finish and starts no
 * others; the second aborts these too, and they are made again when the run goes on. Either way the runs stay in their
 * store as they are. Other signals act like a second SIGINT.
 */
export function hearLeaving(
  io: Io,
  engine: Pick<Engine, 'stop'>,
  countRunning: () => number,
  note: (text: string) => void,
): Interrupts {
  let code: number | undefined;
  let isDraining = false;
  const stops = [
    io.onSignal('SIGINT', interrupt),
    ...endings.map(([name, endCode]) => io.onSignal(name, () => end(endCode))),
  ];
  return {
    get exitCode() {
      return code;
    },
    check: () => {},
    close: () => {
      for (const stop of stops) stop();
    },
  };

  function interrupt(): void {
    if (isDraining) return end(exitCode.interrupted);
    code ??= exitCode.interrupted;
    isDraining = true;
    const running = countRunning();
    if (running > 0) note(`finishing ${count(running, 'task')}; interrupt again to abort`);
    void engine.stop({ graceMs: Number.POSITIVE_INFINITY });
  }

  function end(endCode: number): void {
    code ??= endCode;
    void engine.stop();
  }
}
