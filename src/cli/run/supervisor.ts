import { writeSync } from 'node:fs';
import type { Signal } from '../signal.ts';

/** Tells a process that another one supervises it; `watch` where that wants to know which files it loads. */
export const supervisedVariable = 'TOPPLE_SUPERVISED';

/** Where a supervised process writes its facts: a pipe, on which a write is over when it returns. */
export const factsDescriptor = 4;

/** A line that a supervised process writes to the one that supervises it. */
export type Fact =
  | { readonly type: 'loaded'; readonly path: string }
  /** The run begins. Its bodies may need the grace to end. JSON makes `null` of an `Infinity`. */
  | {
      readonly type: 'started';
      readonly graceMs: number | null;
      readonly limitMs?: number | null | undefined;
    }
  /** A body is about to be called, and has ended. */
  | { readonly type: 'begun' | 'ended'; readonly taskId: string }
  /** A message was taken: the event loop turns. */
  | { readonly type: 'heard' };

/** A message to a supervised process: a signal that the supervising one got, or nothing but the wish for an answer. */
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

  /** Tells at once, so that it is known whatever comes next, an endless loop included. */
  tell(fact: Fact): void {
    this.#held += `${JSON.stringify(fact)}\n`;
    this.#flush();
  }

  /** Tells with the next fact, or at the latest when the event loop has had its turn. */
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
      // It is gone, which the channel tells too.
    }
  };
}

/**
 * The supervisor of this process, if it has one. All signals come from it: those of a terminal reach both processes,
 * and each is to count once.
 *
 * @param hear takes each signal; `SIGTERM` too when the supervisor is gone
 */
export function findSupervisor(hear: (signal: Signal) => void): Supervisor | undefined {
  const { [supervisedVariable]: kind } = process.env;
  // Processes that bodies start are none of it.
  delete process.env[supervisedVariable];
  if (kind === undefined || process.send === undefined) return undefined;
  // Nor is there anybody for a module that looks for whoever started it.
  delete process.send;
  const supervisor = new Supervisor(kind === 'watch');
  process.on('message', ({ topple }: Partial<Question>) => {
    if (topple === undefined) return;
    if (topple !== 'ping') hear(topple);
    supervisor.tell({ type: 'heard' });
  });
  process.on('disconnect', () => hear('SIGTERM'));
  // It must keep no process that has nothing left to do.
  process.channel?.unref();
  return supervisor;
}
