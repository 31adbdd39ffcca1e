import type { Supervisor } from './run/supervisor.ts';
import type { Signal } from './signal.ts';

/** Where text goes. Node's streams are outputs; a test gives what collects it. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Of a terminal; `SIGWINCH` tells when they have changed. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/**
 * All that a command may touch of the process that it runs in. Commands use nothing of `process` and no `console`,
 * so that tests call them without spawning anything.
 */
export interface Io {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  /** For data, and for nothing else. */
  readonly stdout: Output;
  /** For talk. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Paths are relative to it. */
  readonly cwd: string;
  /**
   * Calls back at each signal of that name until the returned function is called. While a name has no listener, its
   * signal ends the process, calmly: 130 for `SIGINT`, 0 for `SIGPIPE`; `SIGWINCH` and `SIGCONT` then do nothing. What
   * the listeners of `SIGTSTP` return is waited for.
   */
  onSignal(name: Signal, listener: () => unknown): () => void;
  /**
   * Gives the listener what others in the process write, a body's `console.log` for one, instead of writing it, until
   * the returned function is called. What goes through `stdout` and `stderr` above is not concerned.
   */
  onForeignOutput(listener: (text: string) => void): () => void;
  /**
   * Calls back as the process ends, until the returned function is called; also where something was thrown that nobody
   * caught. What the listener does must be done when it returns; a number that it returns is the exit code.
   */
  onExit(listener: () => number | undefined): () => void;
  /**
   * Whether the process is there for this command alone, and may start another that it supervises; `supervisor` is that
   * of such a process. Functions that test a command have neither.
   */
  readonly isOwnProcess?: boolean | undefined;
  readonly supervisor?: Supervisor | undefined;
}
