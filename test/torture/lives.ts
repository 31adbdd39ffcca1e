import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job, Message, Order } from './life.child.ts';

/** How long a process may take to say what it is waited for. */
const deadlineMs = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'topple-torture-'));
const living = new Set<ChildProcess>();
let files = 0;
let spare: Life | undefined;

process.once('exit', (code) => {
  for (const child of living) child.kill('SIGKILL');
  if (code === 0 || process.env.TORTURE_KEEP === undefined) rmSync(folder, { recursive: true, force: true });
  else console.error(`The files are in ${folder}`);
});

/** Paths of a store and a side file that do not exist yet; they go when this process ends. */
export function newFiles(): { readonly file: string; readonly notes: string } {
  const name = join(folder, `${++files}`);
  return { file: `${name}.sqlite`, notes: `${name}.notes` };
}

/** Deletes what `newFiles` gave. */
export function dropFiles({ file, notes }: { readonly file: string; readonly notes: string }): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`, notes]) rmSync(path, { force: true });
}

/** A process that does a job, seen from its parent. */
export class Life {
  /** How it ended: a signal or an exit code. */
  readonly ended: Promise<string | number>;
  readonly #child: ChildProcess;
  readonly #messages: Message[] = [];
  #read = 0;
  #hear: ((message: Message) => void) | undefined;
  #wake: () => void = () => {};
  #end: string | number | undefined;
  #output = '';
  #job: Job | undefined;

  private constructor() {
    this.#child = fork(join(import.meta.dirname, 'life.child.ts'), {
      silent: true,
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') },
    });
    living.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#child.on('message', (message: Message) => {
      this.#messages.push(message);
      this.#hear?.(message);
      this.#wake();
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      living.delete(this.#child);
      this.#end = signal ?? code;
      this.#wake();
      return signal ?? code;
    });
  }

  /**
   * Begins a job in a process that has been loaded meanwhile, and loads the next.
   *
   * @param hear is told all that the process says
   */
  static begin(job: Job, hear?: (message: Message) => void): Life {
    const life = spare ?? new Life();
    spare = new Life();
    life.#hear = hear;
    life.#job = job;
    life.order({ type: 'begin', job });
    return life;
  }

  /** Ends all processes, and the one that no job was left for. */
  static async end(): Promise<void> {
    spare = undefined;
    const ends = [...living].map((child) => once(child, 'close'));
    for (const child of living) child.kill('SIGKILL');
    await Promise.all(ends);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  order(order: Order): void {
    this.#child.send(order);
  }

  /**
   * The next message of a type; those before it are passed over. Rejects if the process ends before, or says nothing.
   * Ask for one at a time.
   */
  async next<Type extends Message['type']>(type: Type): Promise<Extract<Message, { type: Type }>> {
    const message = await this.#until(type, (said) => said.type === type);
    if (message !== undefined) return message as Extract<Message, { type: Type }>;
    throw new Error(`A process ended (${this.#end}) before it said \`${type}\`\n${this.#output}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Stops it as a whole; returns once it stands still. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
    while (!this.#isFrozen());
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  #isFrozen(): boolean {
    const path = `/proc/${this.pid}/stat`;
    return !existsSync(path) || /\) T /.test(readFileSync(path, 'utf8'));
  }

  async #until(what: string, isWanted: (message: Message) => boolean): Promise<Message | undefined> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(this.#silence(what)), deadlineMs);
    try {
      for (;;) {
        while (this.#read < this.#messages.length) {
          const message = this.#messages[this.#read++] as Message;
          if (message.type === 'failed') throw new Error(`A process failed: ${message.error}`);
          if (isWanted(message)) return message;
        }
        if (this.#end !== undefined) return undefined;
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await Promise.race([woken, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #silence(what: string): Error {
    const said = this.#messages.map(({ type }) => type).join(', ') || 'nothing';
    const since = this.#job === undefined ? '' : ` of ${this.#job.life} on ${this.#job.file}`;
    return new Error(
      `Process ${this.pid}${since} did not say \`${what}\` within ${deadlineMs} ms; it said ${said}\n${this.#output}`,
    );
  }
}
