import { writeSync } from 'node:fs';
import type { Signal } from '../signal.ts';

/** Tells a process that it is supervised; `watch` if it must report the files that it loads. */
export const supervisedVariable = 'TOPPLE_SUPERVISED';

/** The pipe to which a supervised process writes its facts; a write is complete when it returns. */
export const factsDescriptor = 4;

/** A line from a supervised process to its supervisor. */
export type Fact =
  | { readonly type: 'loaded'; readonly path: string }
  /** The run begins. Its bodies may need the grace to end. `Infinity` is `null` in JSON. */
  | {
      readonly type: 'started';
      readonly graceMs: number | null;
      readonly limitMs?: number | null | undefined;
    }
  /** A body is about to be called, or has ended. */
  | { readonly type: 'begun' | 'ended'; readonly taskId: string }
  /** A message was received: the event loop turns. */
  | { readonly type: 'heard' };

/** A message to a supervised process: a signal that the supervisor received, or a ping. */
export interface Question {
  readonly topple: Signal | 'ping';
}

/** The process that supervises this one. */
export class Supervisor {
  readonly wantsLoaded: boolean;
  #held = '';

  constructor(wantsLoaded: boolean) {
    this.wantsLoaded = wantsLoaded;
  }

  /** Reports at once, so that the fact is known whatever comes next, even an endless loop. */
  tell(fact: Fact): void {
    this.#held += `${JSON.stringify(fact)}\n`;
    this.#flush();
  }

  /** Reports with the next fact, or at the latest after the event loop's turn. */
  tellSoon(fact: Fact): void {
    if (this.#held === '') setImmediate(this.#flush);
    this.#held += `${JSON.stringify(fact)}\n`;
  }

  readonly #flush = (): void => {
    const lines = this.#held;
    this.#held = '';
    if (lines === '') return;
    try {
      writeSync(factsDescriptor, lines);
    } catch {
      // The supervisor is gone, which the channel reports too.
    }
  };
}

/**
 * Finds the supervisor of this process, if any. All signals come from it: those of a terminal reach both processes, and
 * each must count once.
 *
 * @param hear called with each signal, and with `SIGTERM` when the supervisor is gone
 */
export function findSupervisor(hear: (signal: Signal) => void): Supervisor | undefined {
  const { [supervisedVariable]: kind } = process.env;
  // Child processes of bodies are not supervised.
  delete process.env[supervisedVariable];
  if (kind === undefined || process.send === undefined) return undefined;
  // Hides the channel from modules that look for a parent process.
  delete process.send;
  const supervisor = new Supervisor(kind === 'watch');
  process.on('message', ({ topple }: Partial<Question>) => {
    if (topple === undefined) return;
    if (topple !== 'ping') hear(topple);
    supervisor.tell({ type: 'heard' });
  });
  process.on('disconnect', () => hear('SIGTERM'));
  // The channel must not keep an idle process alive.
  process.channel?.unref();
  return supervisor;
}
