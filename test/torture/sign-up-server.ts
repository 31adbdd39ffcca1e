import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunView } from 'topple';

const file = join(import.meta.dirname, '../../examples/signup/serve.ts');
const token = 'a-token-of-the-torture';
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** A process of the sign-up server of the examples, on a store, seen from outside. */
export class SignUpServer {
  readonly url: string;
  /** Resolves once the process is gone. */
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #output: readonly string[];

  private constructor(child: ChildProcess, ended: Promise<unknown>, url: string, output: readonly string[]) {
    this.#child = child;
    this.ended = ended;
    this.url = url;
    this.#output = output;
  }

  /** Starts a server with that store, whose tasks write into that folder. */
  static async start(store: string, folder: string): Promise<SignUpServer> {
    const child = spawn(process.execPath, [...process.execArgv, file, 'node', folder], {
      env: { ...process.env, PORT: '0', TOPPLE_TOKEN: token, TOPPLE_STORE: store },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    living.add(child);
    const ended = once(child, 'close').then(() => living.delete(child));
    const output: string[] = [];
    const listening = Promise.withResolvers<string>();
    createInterface({ input: child.stderr }).on('line', (line) => output.push(line));
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.push(line);
      // The last line: from here on it hears signals.
      if (line.endsWith('Ctrl-C stops it.')) listening.resolve(urlIn(output));
    });
    void ended.then(() => listening.reject(new Error(`The server has not started:\n${output.join('\n')}`)));
    return new SignUpServer(child, ended, await listening.promise, output);
  }

  /** All that it has said. */
  get output(): string {
    return this.#output.join('\n');
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async signUp(email: string, key: string): Promise<{ readonly status: number; readonly runId?: string }> {
    const response = await fetch(`${this.url}/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ name: 'Ada', email, phone: '+44 7700 900123' }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  /** A run; `undefined` if there is none. */
  async viewOf(runId: string): Promise<RunView | undefined> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${this.url}/runs/${runId}`, { headers });
    return response.status === 200 ? ((await response.json()) as RunView) : undefined;
  }
}

function urlIn(output: readonly string[]): string {
  return /taken at (\S+)/.exec(output.join('\n'))?.[1] ?? '';
}
