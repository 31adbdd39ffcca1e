import { type ChildProcess, fork } from 'node:child_process';
import type { Job } from './plan.ts';
import type { Answer, Request, Sample } from './worker.ts';

/** The child process of a job. All jobs' have the same flags: those of this process, so `topple` leads to the sources. */
export class JobProcess {
  readonly #child: ChildProcess;
  readonly #job: string;

  constructor({ engine, workload, tasks }: Job) {
    this.#job = `${engine} ${workload} ${tasks}`;
    this.#child = fork(new URL('worker.ts', import.meta.url), [engine, workload, String(tasks)], {
      // Standard output is for results alone.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
  }

  /** Rejects where the tasks did not do what they should, or it takes too long. */
  async round(runs: number, limitMs: number): Promise<Sample> {
    const answer = await this.#ask({ runs }, limitMs);
    if (answer === 'order kept') throw new Error(`${this.#job} answered another question`);
    if ('error' in answer) throw new Error(`${this.#job}: ${answer.error}`);
    return answer.sample;
  }

  async checkOrder(limitMs: number): Promise<void> {
    const answer = await this.#ask('check order', limitMs);
    if (answer !== 'order kept')
      throw new Error(`${this.#job}: ${'error' in answer ? answer.error : 'no answer'}`);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask(request: Request, limitMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      const limit = setTimeout(() => leave(() => reject(new TooLongError(limitMs))), limitMs);
      const onAnswer = (answer: unknown): void => leave(() => resolve(answer as Answer));
      const onExit = (code: number | null, signal: string | null): void =>
        leave(() => reject(new Error(`${this.#job} ended with ${signal ?? `code ${code}`}`)));
      child.once('message', onAnswer).once('exit', onExit);
      child.send(request);

      function leave(settle: () => void): void {
        clearTimeout(limit);
        child.off('message', onAnswer).off('exit', onExit);
        settle();
      }
    });
  }
}

export class TooLongError extends Error {
  override readonly name = 'TooLongError';

  constructor(limitMs: number) {
    super(`took more than ${limitMs / 1_000} s`);
  }
}
