import { runCli } from '../../src/cli/cli.ts';
import type { Io, Output } from '../../src/cli/io.ts';
import type { Signal } from '../../src/cli/signal.ts';

/** What a command wrote and how it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An `Io` that collects what is written to it and sends signals when it is told to. */
export interface FakeIo extends Io {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  /** How many listeners heard it. */
  send(name: Signal): number;
}

export interface FakeOutput extends Output {
  readonly text: string;
}

export interface FakeIoOptions {
  readonly stdin?: string | undefined;
  readonly env?: Io['env'] | undefined;
  readonly cwd?: string | undefined;
  /** Standard output and standard error are a terminal of that size. */
  readonly terminal?: { columns: number; rows: number } | undefined;
}

export function fakeIo({ stdin = '', env = {}, cwd = process.cwd(), terminal }: FakeIoOptions = {}): FakeIo {
  const listeners = new Map<Signal, Set<() => void>>();
  return {
    stdin: (async function* () {
      yield Buffer.from(stdin);
    })(),
    stdout: fakeOutput(terminal),
    stderr: fakeOutput(terminal),
    env,
    cwd,
    onSignal: (name, listener) => {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(listener));
      return () => all.delete(listener);
    },
    onForeignOutput: () => () => {},
    onExit: () => () => {},
    send: (name) => {
      const all = [...(listeners.get(name) ?? [])];
      for (const listener of all) listener();
      return all.length;
    },
  };
}

/** Runs a command line to its end, in this process. */
export async function topple(args: readonly string[], options?: FakeIoOptions): Promise<Ended> {
  const io = fakeIo(options);
  const code = await runCli(args, io);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

function fakeOutput(terminal: FakeIoOptions['terminal']): FakeOutput {
  let text = '';
  return {
    get text() {
      return text;
    },
    write: (part) => {
      text += part;
      return true;
    },
    isTTY: terminal !== undefined,
    // Read anew each time: a test may change the size.
    get columns() {
      return terminal?.columns;
    },
    get rows() {
      return terminal?.rows;
    },
  };
}
