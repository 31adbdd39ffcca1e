import { type ChildProcess, fork } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { exitCode, UsageError } from '../cli-error.ts';
import { count } from '../duration.ts';
import type { Io } from '../io.ts';
import { inputFile } from './read-input.ts';
import { WatchedFiles } from './watched-files.ts';

/** Tells a process that another one wants to know which files it loads. */
export const watchVariable = 'TOPPLE_WATCH';

/**
 * Runs a flow's file again and again: each time that it, a file that it imports or the file of its input has changed.
 * A module that was loaded stays as it was, so each run has a process of its own: this command line without `--watch`.
 * A run that is under way when something changes is ended first.
 */
export async function watchFlow(path: string, input: string | undefined, io: Io): Promise<number> {
  const inputPath = inputFile(input);
  if (path === '-' || inputPath === '-')
    throw new UsageError('`--watch` needs files: standard input is read only once.');
  const files = new WatchedFiles(runAgain);
  files.add(resolve(io.cwd, path));
  if (inputPath !== undefined) files.add(resolve(io.cwd, inputPath));

  let child: ChildProcess | undefined;
  let isChanged = false;
  let code: number | undefined;
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  const stops = [
    io.onSignal('SIGINT', () => end('SIGINT', exitCode.interrupted)),
    io.onSignal('SIGTERM', () => end('SIGTERM', 143)),
    io.onSignal('SIGHUP', () => end('SIGHUP', 129)),
  ];
  start();
  await promise;
  files.close();
  for (const stop of stops) stop();
  return code ?? exitCode.done;

  function start(): void {
    isChanged = false;
    child = fork(
      process.argv[1] as string,
      process.argv.slice(2).filter((word) => word !== '--watch'),
      {
        execArgv: process.execArgv,
        env: { ...process.env, [watchVariable]: '1' },
        cwd: io.cwd,
      },
    );
    child.on('message', (loaded) => files.add(String(loaded)));
    child.on('exit', onExit);
  }

  function onExit(): void {
    child = undefined;
    if (code !== undefined) return finish();
    if (isChanged) return start();
    io.stderr.write(`topple: watching ${count(files.size, 'file')} for changes; Ctrl-C ends\n`);
  }

  function runAgain(changed: string): void {
    isChanged = true;
    io.stderr.write(`topple: ${relative(io.cwd, changed)} has changed\n`);
    if (child === undefined) start();
    else child.kill('SIGTERM');
  }

  function end(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', endCode: number): void {
    code ??= endCode;
    if (child === undefined) return finish();
    // Ctrl-C reaches all processes of a terminal by itself; passed on, it would count twice.
    if (signal !== 'SIGINT' || !io.stdout.isTTY) child.kill(signal);
  }
}
