import { relative, resolve } from 'node:path';
import { count } from '../../model/duration.ts';
import { exitCode, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import { inputFile } from './read-input.ts';
import { SupervisedRun } from './supervise.ts';
import { WatchedFiles } from './watched-files.ts';

/**
 * Runs a flow's file again each time it, one of its imports or the file of its input has changed. Loaded modules cannot
 * be reloaded, so each run has its own process: this command line without `--watch`. A run that is under way at a
 * change is ended first.
 */
export async function watchFlow(path: string, input: string | undefined, io: Io): Promise<number> {
  const inputPath = inputFile(input);
  if (path === '-' || inputPath === '-')
    throw new UsageError('`--watch` needs files: standard input is read only once.');
  const files = new WatchedFiles(runAgain);
  files.add(resolve(io.cwd, path));
  if (inputPath !== undefined) files.add(resolve(io.cwd, inputPath));

  let run: SupervisedRun | undefined;
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
    run = new SupervisedRun(io, ['--watch'], (loaded) => files.add(loaded));
    void run.ended.then(onEnd);
  }

  function onEnd(): void {
    run = undefined;
    if (code !== undefined) return finish();
    if (isChanged) return start();
    tell(io, `watching ${count(files.size, 'file')} for changes; Ctrl-C ends`);
  }

  function runAgain(changed: string): void {
    isChanged = true;
    tell(io, `${relative(io.cwd, changed)} has changed`);
    if (run === undefined) start();
    else run.signal('SIGTERM');
  }

  function end(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', endCode: number): void {
    code ??= endCode;
    if (run === undefined) finish();
    else run.signal(signal);
  }
}
