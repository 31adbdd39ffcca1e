import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { showCount, showDuration } from '../../model/duration.ts';
import { exitCode } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { tell } from '../tell.ts';
import { Questions } from './questions.ts';
import { type Fact, factsDescriptor, type Question, supervisedVariable } from './supervisor.ts';

/** The interval between requests for an answer. */
const againMs = 1_000;

/** Time to give the terminal back; then the process is stopped anyway. */
const suspendMs = 500;

/** Maximum number of running tasks that are named. */
const maxNamed = 10;

/** The maximum of Node's timers, 24 days; nobody waits so long for a run that is stuck. */
const maxTimeoutMs = 2 ** 31 - 1;

/** Signals that ask a run to end, each with its exit code. */
const endings = { SIGINT: exitCode.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

type Ending = keyof typeof endings;

/** Whether a debugger waits for this process. */
export function isDebugged(env: Io['env']): boolean {
  return /--inspect/.test([...process.execArgv, env.NODE_OPTIONS].join(' '));
}

/** Runs this command line in another process, supervised, and resolves with its exit code. */
export async function superviseRun(io: Io): Promise<number> {
  const run = new SupervisedRun(io);
  const stops = (Object.keys(endings) as Ending[]).map((name) => io.onSignal(name, () => run.signal(name)));
  const code = await run.ended;
  for (const stop of stops) stop();
  return code;
}

/**
 * This command line, run by another process. Signals are passed on to it. If a body blocks its thread, so that it
 * handles no signals, it is killed: at the second signal, or once the grace has passed after a time limit or an
 * aborting signal.
 */
export class SupervisedRun {
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  readonly #io: Io;
  readonly #child: ChildProcess;
  /** Tasks whose bodies are running. */
  readonly #running = new Set<string>();
  readonly #questions: Questions<Question['topple']>;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stops: readonly (() => void)[];
  /** `undefined` until the run begins. */
  #graceMs: number | undefined;
  /** The first signal's exit code. */
  #code: number | undefined;
  #signals = 0;
  #isDeaf = false;
  #killedAfter: string | undefined;

  /**
   * @param without words of the command line to leave out
   * @param loaded called with each file that a module loads
   */
  constructor(io: Io, without: readonly string[] = [], loaded?: (path: string) => void) {
    this.#io = io;
    const words = process.argv.slice(1).filter((word) => !without.includes(word));
    this.#child = spawn(process.execPath, [...process.execArgv, ...words], {
      cwd: io.cwd,
      env: { ...process.env, [supervisedVariable]: loaded === undefined ? 'run' : 'watch' },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'],
    });
    // A message to a process that has just ended is useless, so its error is ignored.
    this.#questions = new Questions((topple) => this.#child.send({ topple } satisfies Question, () => {}));
    eachLine(this.#child.stdio[factsDescriptor] as Readable, (line) => this.#take(JSON.parse(line), loaded));
    this.#stops = [
      io.onSignal('SIGTSTP', () => this.#suspend()),
      io.onSignal('SIGCONT', () => this.#child.kill('SIGCONT')),
    ];
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', (error) => this.#child.pid === undefined && reject(error));
      this.#child.on('close', (code, signal) => resolve(this.#end(code, signal)));
    });
  }

  signal(name: Ending): void {
    this.#code ??= endings[name];
    this.#signals++;
    // A module may listen as well. A signal of the terminal has already reached both.
    if (process.platform !== 'win32' && !(name === 'SIGINT' && process.stdin.isTTY)) this.#child.kill(name);
    const isLoading = this.#graceMs === undefined;
    const graceMs = this.#graceMs ?? 0;
    if (this.#signals === 1 && !isLoading) {
      this.#questions.ask(name, () => this.#tellDeaf());
      // The first interrupt sets no limit to what is running.
      if (name !== 'SIGINT') this.#after(graceMs, () => this.#insist(`${name} and ${graceOf(graceMs)}`));
      return;
    }
    const why = isLoading ? name : 'the second signal';
    if (this.#isDeaf) return this.#kill(why);
    this.#questions.ask(name, () => this.#kill(why));
    this.#after(graceMs, () => this.#insist(`${why} and ${graceOf(graceMs)}`));
  }

  /** Requires answers from it until it ends. */
  #insist(why: string): void {
    this.#questions.ask(
      'ping',
      () => this.#kill(why),
      () => this.#after(againMs, () => this.#insist(why)),
    );
  }

  #after(ms: number, callback: () => void): void {
    if (ms > maxTimeoutMs) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }

  #take(fact: Fact, loaded: ((path: string) => void) | undefined): void {
    switch (fact.type) {
      case 'loaded':
        return loaded?.(fact.path);
      case 'begun':
        return void this.#running.add(fact.taskId);
      case 'ended':
        return void this.#running.delete(fact.taskId);
      case 'heard':
        this.#isDeaf = false;
        return this.#questions.answer();
      case 'started':
        return this.#start(
          fact.graceMs ?? Number.POSITIVE_INFINITY,
          fact.limitMs ?? Number.POSITIVE_INFINITY,
        );
    }
  }

  #start(graceMs: number, limitMs: number): void {
    this.#graceMs = graceMs;
    const why = `its time limit of ${showDuration(limitMs)} and ${graceOf(graceMs)}`;
    this.#after(limitMs + graceMs, () => this.#insist(why));
  }

  /** Stops the process once it has given the terminal back, or does not answer. */
  async #suspend(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#questions.ask('SIGTSTP', () => {}, resolve);
      this.#after(suspendMs, resolve);
    });
    this.#child.kill('SIGSTOP');
  }

  #tellDeaf(): void {
    if (this.#signals > 1) return;
    this.#isDeaf = true;
    const signal =
      'a task blocks the thread, so the signal is not handled; a second one ends the run by force';
    tell(this.#io, `${signal}; ${runningIn(this.#running)}`);
  }

  #kill(why: string): void {
    this.#killedAfter ??= why;
    this.#child.kill('SIGKILL');
  }

  async #end(code: number | null, signal: NodeJS.Signals | null): Promise<number> {
    this.#questions.close();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const stop of this.#stops) stop();
    if (signal === null) return code ?? exitCode.failed;
    const { restore } = await import('../terminal/live-area.ts');
    if (this.#io.stderr.isTTY) this.#io.stderr.write(restore);
    const ended = this.#killedAfter === undefined ? `by ${signal}` : `by force after ${this.#killedAfter}`;
    tell(this.#io, `the run was ended ${ended}; ${runningIn(this.#running)}`);
    if (this.#killedAfter === undefined) return this.#code ?? 128 + constants.signals[signal];
    return this.#code ?? exitCode.timeLimit;
  }
}

/** Calls back with each line, without its line break. */
function eachLine(stream: Readable, callback: (line: string) => void): void {
  let begun = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (begun + text).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) callback(line);
  });
}

function graceOf(graceMs: number): string {
  return `a grace of ${showDuration(graceMs)}`;
}

function runningIn(taskIds: ReadonlySet<string>): string {
  if (taskIds.size === 0) return 'no task was running';
  const some = [...taskIds].slice(0, maxNamed).map((id) => `\`${id}\``);
  const more = taskIds.size - some.length;
  return `running: ${some.join(', ')}${more > 0 ? ` and ${showCount(more)} more` : ''}`;
}
