import { Worker } from 'node:worker_threads';
import { StoreError, textOf } from '../../model/error.ts';
import { errorOf, type Refusal } from './failure.ts';
import {
  type AppendFields,
  appendWidth,
  type Calls,
  type FromThread,
  type ThreadEvent,
  type ThreadSettings,
  type ToThread,
} from './protocol.ts';

/** So many appends go to the thread at once, though it is busy: then it writes some while the next are made. */
const largeGroup = 128;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** The main thread's side of the thread with the connection. It keeps the process alive only while it is asked. */
export class ThreadLink {
  readonly #file: string;
  readonly #worker: Worker;
  readonly #onEvent: (event: ThreadEvent) => void;
  readonly #opened: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #ended: Promise<void>;
  readonly #calls = new Map<number, Waiting>();
  /** Appends that wait, oldest first, from `#settled` on. */
  #appends: Waiting[] = [];
  #settled = 0;
  #unsent: AppendFields = [];
  /** The number of appends that the thread has, and has not answered. */
  #sent = 0;
  #lastCall = 0;
  #isRef = true;
  /** Why nothing more can be asked. */
  #end: StoreError | undefined;

  constructor(settings: ThreadSettings, onEvent: (event: ThreadEvent) => void) {
    this.#file = settings.file;
    this.#onEvent = onEvent;
    this.#worker = new Worker(threadFile(), {
      name: 'topple sqlite',
      workerData: settings,
      // In that thread alone: `node:sqlite` is experimental to Node.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#die(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#die();
        resolve();
      });
    });
  }

  /** Resolves once the file is open; rejects if it cannot be. */
  opened(): Promise<void> {
    return this.#opened.promise;
  }

  /**
   * Adds an append. Those of a turn go to the thread together, unless they are many; while it writes some, the next are
   * gathered: each group costs a sync of the disk.
   */
  append(fields: Readonly<AppendFields>): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#unsent.length === 0 && this.#sent === 0) this.#flushLater();
    for (const field of fields) this.#unsent.push(field);
    if (this.#unsent.length >= largeGroup * appendWidth) this.#flush();
    this.#hold();
    return new Promise<unknown>((resolve, reject) =>
      this.#appends.push({ resolve, reject }),
    ) as Promise<void>;
  }

  /** Calls behind all appends up to now. */
  call<Name extends keyof Calls>(
    name: Name,
    ...args: Parameters<Calls[Name]>
  ): Promise<ReturnType<Calls[Name]>> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    this.#flush();
    this.#hold();
    const id = ++this.#lastCall;
    this.#post({ call: name, id, args });
    return new Promise<unknown>((resolve, reject) => this.#calls.set(id, { resolve, reject })) as Promise<
      ReturnType<Calls[Name]>
    >;
  }

  /** Ends the thread behind all that was asked. */
  async close(): Promise<void> {
    if (this.#end === undefined) {
      const closed = this.call('close');
      this.#end = new StoreError('closed', `Store \`${this.#file}\` is closed`);
      await closed.finally(() => this.#ended);
    } else await this.#ended;
  }

  /** Behind all microtasks of the turn. */
  #flushLater(): void {
    void Promise.resolve().then(() => process.nextTick(() => this.#flush()));
  }

  #flush(): void {
    if (this.#unsent.length === 0) return;
    this.#sent += this.#unsent.length / appendWidth;
    this.#post({ appends: this.#unsent });
    this.#unsent = [];
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromThread): void {
    switch (message.type) {
      case 'opened':
        this.#opened.resolve();
        break;
      case 'refused':
        this.#end = errorOf(message.refusal) as StoreError;
        this.#opened.reject(this.#end);
        break;
      case 'appended':
        this.#sent -= message.count;
        this.#settle(message.count, message.refused);
        if (this.#unsent.length > 0 && this.#sent === 0) this.#flushLater();
        break;
      case 'returned':
        this.#take(message.id)?.resolve(message.result);
        break;
      case 'threw':
        this.#take(message.id)?.reject(errorOf(message.refusal));
        break;
      default:
        this.#onEvent(message);
    }
    this.#letGo();
  }

  #settle(count: number, refused: readonly (readonly [index: number, refusal: Refusal])[]): void {
    const first = this.#settled;
    const refusals = new Map(refused);
    for (let index = 0; index < count; index++) {
      const { resolve, reject } = this.#appends[first + index] as Waiting;
      const refusal = refusals.get(index);
      if (refusal === undefined) resolve(undefined);
      else reject(errorOf(refusal));
    }
    this.#settled += count;
    if (this.#settled === this.#appends.length) {
      this.#appends = [];
      this.#settled = 0;
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#calls.get(id);
    this.#calls.delete(id);
    return waiting;
  }

  #die(error?: unknown): void {
    const reason = error === undefined ? '' : `: ${textOf(error)}`;
    const died = new StoreError(
      'worker_died',
      `The thread of store \`${this.#file}\` ended${reason}. Nothing that was acknowledged is lost: open the file with a new store`,
      error === undefined ? undefined : { cause: error },
    );
    this.#end ??= died;
    const end = this.#end;
    this.#opened.reject(end);
    const waiting = [...this.#appends.slice(this.#settled), ...this.#calls.values()];
    this.#appends = [];
    this.#settled = 0;
    this.#unsent = [];
    this.#calls.clear();
    for (const { reject } of waiting) reject(end);
  }

  #hold(): void {
    if (!this.#isRef) this.#worker.ref();
    this.#isRef = true;
  }

  #letGo(): void {
    // While it closes, its end is waited for.
    if (this.#end?.code === 'closed') return;
    if (this.#appends.length > 0 || this.#calls.size > 0) return;
    if (this.#isRef) this.#worker.unref();
    this.#isRef = false;
  }
}

/** The thread is a file of its own, in the sources as in the built package. */
function threadFile(): URL {
  const file = new URL('./thread.ts', import.meta.url);
  if (import.meta.url.endsWith('.js')) file.pathname = file.pathname.replace(/\.ts$/, '.js');
  return file;
}
