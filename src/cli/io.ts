import type { Supervisor } from './run/supervisor.ts';
import type { Signal } from './signal.ts';

/** A destination of text. Node's streams are outputs; a test passes one that collects the text. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Size of the terminal; `SIGWINCH` reports changes. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/**
 * Everything that a command may use of its process. Commands use neither `process` nor `console`, so that tests can
 * call them without spawning a process.
 */
export interface Io {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  /** For data only. */
  readonly stdout: Output;
  /** For messages to the user. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder to which paths are relative. */
  readonly cwd: string;
  /**
   * Calls back at each signal of that name until the returned function is called. Without a listener, a signal ends the
   * process quietly: 130 for `SIGINT`, 0 for `SIGPIPE`; `SIGWINCH` and `SIGCONT` do nothing. Waits for the promises
   * that listeners of `SIGTSTP` return.
   */
  onSignal(name: Signal, listener: () => unknown): () => void;
  /**
   * Diverts output of others in the process, such as a body's `console.log`, to the listener, until the returned
   * function is called. Writes to `stdout` and `stderr` above are not affected.
   */
  onForeignOutput(listener: (text: string) => void): () => void;
  /**
   * Calls back when the process ends, also after an uncaught error, until the returned function is called. The listener
   * must be synchronous; a number that it returns is the exit code.
   */
  onExit(listener: () => number | undefined): () => void;
  /**
   * Whether the process belongs to this command alone, so that it may start and supervise another. `supervisor` is the
   * one of such a supervised process. Tests that call commands have neither.
   */
  readonly isOwnProcess?: boolean | undefined;
  readonly supervisor?: Supervisor | undefined;
}
