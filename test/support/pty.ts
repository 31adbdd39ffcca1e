import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Screen } from './terminal.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** What a test waits for comes within that, on the slowest machine; else the test fails and says what was there. */
const limitMs = 60_000;

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Whether there is what opens a pseudo-terminal: `script` of util-linux, and `stty`, which tells it its size. */
export function hasPty(): boolean {
  try {
    return /util-linux/.test(execFileSync('script', ['--version'], { encoding: 'utf8' }));
  } catch {
    return false;
  }
}

/** topple in a pseudo-terminal of its own, and what its screen shows. */
export class Pty implements Disposable {
  readonly screen: Screen;
  /** All that was sent to the terminal. */
  raw = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #folder = mkdtempSync(join(tmpdir(), 'topple-pty-'));
  readonly #checks = new Set<() => void>();
  #code: number | undefined;

  constructor(args: readonly string[], { columns = 80, rows = 24, env = {} }: PtyOptions = {}) {
    this.screen = new Screen(columns, rows);
    const node = [
      process.execPath,
      '--conditions=topple-source',
      '--disable-warning=ExperimentalWarning',
      main,
    ];
    const command = [...node, ...args].map(quote).join(' ');
    const setUp = `echo $$ > ${quote(join(this.#folder, 'pid'))}; tty > ${quote(this.#ttyFile)}; stty cols ${columns} rows ${rows}`;
    const { CI: _, NO_COLOR: __, FORCE_COLOR: ___, ...inherited } = process.env;
    this.#child = spawn(
      'script',
      ['--quiet', '--flush', '--return', '--command', `${setUp}; exec ${command}`, '/dev/null'],
      {
        env: { ...inherited, TERM: 'xterm-256color', ...env },
      },
    );
    this.#child.stdout.on('data', (chunk: Buffer) => void this.#take(chunk));
    this.#child.on('close', (code) => {
      this.#code = code ?? 1;
      // What was shown last is on its way through the emulator.
      void this.screen.show('').then(() => this.#check());
    });
  }

  /** Resolves once the screen's text, or what was sent so far, is as the condition wants it. */
  async until(what: string | RegExp | (() => boolean)): Promise<void> {
    const isThere = typeof what === 'function' ? what : () => this.text.search(toRegExp(what)) >= 0;
    await this.#when(() => isThere(), String(what));
  }

  /** Resolves with the exit code. */
  async ended(): Promise<number> {
    await this.#when(() => this.#code !== undefined, 'its end');
    return this.#code as number;
  }

  /** All lines of the screen, those that have scrolled away first. */
  get text(): string {
    return this.screen.lines.join('\n');
  }

  /** Presses keys; `\u0003` is Ctrl-C. */
  press(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** The terminal gets another size, and tells the program so. */
  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    const tty = readFileSync(this.#ttyFile, 'utf8').trim();
    execFileSync('stty', ['-F', tty, 'cols', String(columns), 'rows', String(rows)]);
  }

  /**
   * Resolves once the process has been stopped, and `script`, which stops itself when it hears of that: what tells
   * them to go on is lost on one that is not stopped yet. Nothing tells of a stop, so it is looked for.
   */
  async stopped(): Promise<void> {
    for (const endsAt = Date.now() + limitMs; Date.now() < endsAt; await wait(10)) {
      if (this.#processes.every(isStopped)) return;
    }
    throw new Error(`Waited ${limitMs / 1_000} s for it to stop; the screen has:\n${this.text}`);
  }

  /** Goes on after it was stopped. */
  resume(): void {
    for (const pid of this.#processes) process.kill(pid, 'SIGCONT');
  }

  [Symbol.dispose](): void {
    if (this.#code === undefined) this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** `script` and topple. */
  get #processes(): readonly number[] {
    return [this.#child.pid as number, Number(readFileSync(join(this.#folder, 'pid'), 'utf8'))];
  }

  get #ttyFile(): string {
    return join(this.#folder, 'tty');
  }

  async #take(chunk: Buffer): Promise<void> {
    this.raw += chunk.toString('latin1');
    await this.screen.show(chunk);
    this.#check();
  }

  #check(): void {
    for (const check of this.#checks) check();
  }

  #when(isThere: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#checks.delete(check);
        reject(new Error(`Waited ${limitMs / 1_000} s for ${what}; the screen has:\n${this.text}`));
      }, limitMs);
      const check = (): void => {
        if (!isThere()) {
          if (this.#code === undefined) return;
          this.#checks.delete(check);
          clearTimeout(limit);
          return reject(
            new Error(`It ended with ${this.#code} before ${what}; the screen has:\n${this.text}`),
          );
        }
        this.#checks.delete(check);
        clearTimeout(limit);
        resolve();
      };
      this.#checks.add(check);
      check();
    });
  }
}

function isStopped(pid: number): boolean {
  return /\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

function toRegExp(what: string | RegExp): RegExp {
  return typeof what === 'string' ? new RegExp(what.replaceAll(/[\\^$.|+*?()[\]{}]/g, '\\$&')) : what;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
