import { type ChildProcess, fork } from 'node:child_process';
import type { Job } from './plan.ts';
import type { Answer, Request, Sample } from './worker.ts';

/** The child process of a job. It has the flags of this process, so `topple` resolves to the sources. */
export class JobProcess {
  /** Resolves once it has loaded its engine and made the tasks. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #job: string;

  constructor({ engine, workload, tasks }: Job) {
    this.#job = `${engine} ${workload} ${tasks}`;
    this.#child = fork(new URL('worker.ts', import.meta.url), [engine, workload, String(tasks)], {
      // Standard output is for results only.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.ready = this.#answer(startMs).then((answer) => this.#expect(answer, 'ready'));
    this.ready.catch(() => {});
  }

  /** Rejects if the tasks did not do what they should; TooLongError if it takes too long. */
  async round(runs: number, limitMs: number): Promise<Sample> {
    const answer = await this.#ask({ runs }, limitMs);
    if (typeof answer === 'object' && 'sample' in answer) return answer.sample;
    throw this.#unexpected(answer);
  }

  async checkOrder(limitMs: number): Promise<void> {
    this.#expect(await this.#ask('check order', limitMs), 'order kept');
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask(request: Request, limitMs: number): Promise<Answer> {
    const answer = this.#answer(limitMs);
    this.#child.send(request);
    return answer;
  }

  #answer(limitMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      const limit = setTimeout(() => leave(() => reject(new TooLongError(limitMs))), limitMs);
      const onAnswer = (answer: unknown): void => leave(() => resolve(answer as Answer));
      const onExit = (code: number | null, signal: string | null): void =>
        leave(() => reject(new Error(`${this.#job} ended with ${signal ?? `code ${code}`}`)));
      const onError = (error: Error): void => leave(() => reject(error));
      child.once('message', onAnswer).once('exit', onExit).once('error', onError);

      function leave(settle: () => void): void {
        clearTimeout(limit);
        child.off('message', onAnswer).off('exit', onExit).off('error', onError);
        settle();
      }
    });
  }

  #expect(answer: Answer, expected: Answer): void {
    if (answer !== expected) throw this.#unexpected(answer);
  }

  #unexpected(answer: Answer): Error {
    const isError = typeof answer === 'object' && 'error' in answer;
    return new Error(
      `${this.#job}: ${isError ? answer.error : `unexpected answer ${JSON.stringify(answer)}`}`,
    );
  }
}

/** Making a million tasks takes a while on a busy machine. */
const startMs = 120_000;

export class TooLongError extends Error {
  override readonly name = 'TooLongError';

  constructor(limitMs: number) {
    super(`took more than ${limitMs / 1_000} s`);
  }
}
