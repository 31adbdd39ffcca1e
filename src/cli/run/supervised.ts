import type { Io } from '../io.ts';

/**
 * Does work that calls bodies: in another process that this one supervises, which runs the same command line, or here if
 * this is that process, or one that a debugger waits for.
 */
export async function supervised(io: Io, work: () => Promise<number>): Promise<number> {
  if (!io.isOwnProcess) return work();
  const { isDebugged, superviseRun } = await import('./supervise.ts');
  return isDebugged(io.env) ? work() : superviseRun(io);
}
