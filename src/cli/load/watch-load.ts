import { Worker } from 'node:worker_threads';

/** A module took too long to load. */
export class LoadTimeoutError extends Error {
  override readonly name = 'LoadTimeoutError';
  readonly limitMs: number;

  constructor(limitMs: number) {
    super(`It was still loading after ${limitMs} ms`);
    this.limitMs = limitMs;
  }
}

/** A module called `process.exit` while it was loading. */
export class LoadExitError extends Error {
  override readonly name = 'LoadExitError';
  readonly code: unknown;

  constructor(code: unknown) {
    super(`\`process.exit(${code === undefined ? '' : String(code)})\` was called`);
    this.code = code;
  }
}

/**
 * Loads a module. Rejects if it throws, also outside its own promise, if it does not finish in time, even in an endless
 * loop, or if it calls `process.exit`. Output that it prints meanwhile goes to standard error, since standard output is
 * for data.
 */
export async function watchLoad<T>(load: () => Promise<T>, limitMs: number): Promise<T> {
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const isOver = new Int32Array(new SharedArrayBuffer(4));
  const timer = setTimeout(() => {
    Atomics.store(isOver, 0, 1);
    fail(new LoadTimeoutError(limitMs));
  }, limitMs);
  const watchdog = startWatchdog(limitMs, isOver);
  const release = takeProcess(fail);
  try {
    return await Promise.race([load(), failed]);
  } finally {
    Atomics.store(isOver, 0, 1);
    release();
    clearTimeout(timer);
    void watchdog.terminate();
  }
}

/** Intercepts the module's access to the process, until the returned function is called. */
function takeProcess(fail: (error: unknown) => void): () => void {
  const { exit, stdout, stderr } = process;
  const { write } = stdout;
  const errors = ['uncaughtException', 'unhandledRejection'] as const;
  const listeners = errors.map((name) => process.listeners(name as 'uncaughtException'));
  process.exit = (code?: unknown): never => {
    const error = new LoadExitError(code);
    fail(error);
    throw error;
  };
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  for (const name of errors) process.removeAllListeners(name).on(name, fail);
  return () => {
    process.exit = exit;
    stdout.write = write;
    for (const [index, name] of errors.entries()) {
      process.off(name, fail);
      for (const listener of listeners[index] ?? []) process.on(name as 'uncaughtException', listener);
    }
  };
}

/**
 * Starts a thread that breaks an endless loop of this one, as a debugger does. That ends the loop's turn at once, so
 * the timer above, which is due, gets its turn. If the timer has already run, nothing is interrupted.
 */
function startWatchdog(limitMs: number, isOver: Int32Array): Worker {
  const workerData = { waitMs: limitMs + 50, isOver };
  const watchdog = new Worker(breakIn, { eval: true, workerData, execArgv: [] });
  watchdog.on('error', () => {});
  watchdog.unref();
  return watchdog;
}

const breakIn = `
  const { Session } = require('node:inspector');
  const { waitMs, isOver } = require('node:worker_threads').workerData;
  setTimeout(() => {
    if (Atomics.load(isOver, 0) === 1) return;
    const session = new Session();
    session.connectToMainThread();
    session.post('Runtime.terminateExecution', () => session.disconnect());
  }, waitMs);
`;
