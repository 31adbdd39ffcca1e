#!/usr/bin/env node
import { describeError, runCli } from './cli.ts';
import { exitCode } from './cli-error.ts';
import { divert, ownOutput } from './foreign-output.ts';
import type { Io } from './io.ts';
import { blameBody } from './run/body-context.ts';
import { findSupervisor } from './run/supervisor.ts';
import type { Signal } from './signal.ts';
import { tell } from './tell.ts';
import { refuseNode } from './version.ts';

const { stdin, stdout, stderr, env } = process;
// Kept here because `process.exit` is replaced while a module loads.
const exit = process.exit.bind(process);
const listeners = new Map<Signal, Set<() => unknown>>();
/** The exit code of the command, once that has ended. */
let code: number | undefined;
const exitListeners = new Set<() => number | undefined>();

/** The effect of a signal without a listener in the command. */
const endings: Readonly<Record<Signal, (() => void) | undefined>> = {
  SIGINT: () => exit(exitCode.interrupted),
  SIGTERM: () => exit(143),
  SIGHUP: () => exit(129),
  SIGPIPE: () => exit(code ?? exitCode.done),
  SIGWINCH: undefined,
  SIGTSTP: undefined,
  SIGCONT: undefined,
};

const supervisor = findSupervisor(pass);

const io: Io = {
  isOwnProcess: supervisor === undefined,
  supervisor,
  stdin,
  stdout: ownOutput(stdout),
  stderr: ownOutput(stderr),
  env,
  cwd: process.cwd(),
  onSignal: (name, listener) => {
    const all = listeners.get(name) ?? new Set();
    listeners.set(name, all.add(listener));
    return () => all.delete(listener);
  },
  onForeignOutput: (listener) => {
    const restore = [divert(stdout, listener), divert(stderr, listener)];
    return () => {
      for (const stop of restore) stop();
    };
  },
  onExit: (listener) => {
    exitListeners.add(listener);
    return () => exitListeners.delete(listener);
  },
};

// A supervisor passes these on itself.
const isHeard = supervisor === undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => isHeard && pass(name));
process.on('SIGWINCH', () => pass('SIGWINCH'));
if (process.platform !== 'win32') {
  process.on('SIGCONT', () => pass('SIGCONT'));
  process.on('SIGTSTP', async () => {
    if (!isHeard) return;
    await Promise.all(pass('SIGTSTP'));
    process.kill(process.pid, 'SIGSTOP');
  });
}
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A closed terminal gives EIO.
    if (error.code !== 'EPIPE' && error.code !== 'EIO') leave(error);
    else if (stream === stdout) pass('SIGPIPE');
  });
}

// Node's own warnings, such as that it strips types, are shown with `--verbose` only.
if (!process.argv.includes('--verbose')) process.removeAllListeners('warning');

// A flow's module, or a body, may leave behind work that fails after everybody has stopped waiting for it.
for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(name, (error) => leave(blameBody(error, name)));
}
process.on('exit', tidyUp);

const refusal = refuseNode(process.versions.node);
if (refusal === undefined) code = await runCli(process.argv.slice(2), io);
else {
  tell(io, refusal);
  code = exitCode.usage;
}
// Exits once everything is written, even if a flow's module has left something open that would keep the process alive.
stdout.write('', (error) => {
  if (error) stdout.emit('error', error);
  stderr.write('', () => exit(code));
});

/** Ends the process after an uncaught error. */
function leave(error: unknown): void {
  // Remove a live picture first, since it would be in the way.
  tidyUp();
  io.stderr.write(describeError(error, process.argv.includes('--verbose')));
  exit(exitCode.failed);
}

function tidyUp(): void {
  for (const listener of exitListeners) {
    exitListeners.delete(listener);
    process.exitCode = listener() ?? process.exitCode;
  }
}

function pass(name: Signal): unknown[] {
  const all = [...(listeners.get(name) ?? [])];
  if (all.length === 0) endings[name]?.();
  return all.map((listener) => listener());
}
