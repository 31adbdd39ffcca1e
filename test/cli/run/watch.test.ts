import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('topple run --watch');

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
// Within the checkout, where modules find `topple`.
const out = fileURLToPath(new URL('../../../out', import.meta.url));
mkdirSync(out, { recursive: true });
const folder = mkdtempSync(join(out, 'watch-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** What is waited for comes within that, on the slowest machine. */
const limitMs = 60_000;

function write(name: string, text: string): void {
  // As editors do: a new file takes the old one's place.
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

/** A command line in a process of its own, and what it has written so far. */
class Watching implements Disposable {
  text = '';
  readonly child: ChildProcess;
  #check: () => void = () => {};

  constructor(...args: string[]) {
    const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
    this.child = spawn(process.execPath, [...flags, main, 'run', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
        this.#check();
      });
    }
    this.child.on('exit', () => this.#check());
  }

  /** Resolves once there is that, after all that was waited for before. */
  until(what: RegExp): Promise<void> {
    return this.#when(what.source, () => {
      const found = what.exec(this.text);
      if (found !== null) this.text = this.text.slice(found.index + found[0].length);
      return found !== null;
    });
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    await this.#when('its end', () => this.child.exitCode !== null);
    return this.child.exitCode;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }

  #when(what: string, isThere: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`Waited too long for ${what}; there is:\n${this.text}`)),
        limitMs,
      );
      this.#check = () => {
        if (!isThere()) return;
        this.#check = () => {};
        clearTimeout(limit);
        resolve();
      };
      this.#check();
    });
  }
}

test('runs again when the module, what it imports or the input has changed', async () => {
  write('word.ts', `export const word = 'one';`);
  write('input.json', '"first"');
  const flow = (name: string) => `
    import { createFlow } from 'topple';
    import { word } from './word.ts';
    export const flow = createFlow('${name}').task('say', { perform: ({ input }) => console.log(word, input) });`;
  write('flow.ts', flow('before'));
  using watching = new Watching('flow.ts', '--watch', '--input', '@input.json');
  await watching.until(/one first/);
  await watching.until(/before is done/);
  await watching.until(/watching 3 files for changes; Ctrl-C ends/);
  write('word.ts', `export const word = 'two';`);
  await watching.until(/word\.ts has changed/);
  await watching.until(/two first[\s\S]*watching 3 files/);
  write('input.json', '"second"');
  await watching.until(/two second[\s\S]*watching 3 files/);
  write('flow.ts', flow('after'));
  await watching.until(/after is done[\s\S]*watching 3 files/);
  assert.is(await watching.end('SIGINT'), 130);
});

test('goes on behind a file that is broken', async () => {
  write('graph.yaml', 'tasks: { a: {} }');
  using watching = new Watching('graph.yaml', '--watch');
  await watching.until(/graph is done[\s\S]*watching 1 file/);
  write('graph.yaml', 'tasks: { a: { needs: [b] } }');
  await watching.until(/graph\.yaml:1: .*[\s\S]*watching 1 file/);
  write('graph.yaml', 'tasks: { a: {}, c: {} }');
  await watching.until(/2 done[\s\S]*watching 1 file/);
  assert.is(await watching.end('SIGTERM'), 143);
});

test('ends a run that is under way, and starts the new one', async () => {
  write('long.json', '{ "tasks": { "long": { "duration": 60000 } } }');
  using watching = new Watching('long.json', '--watch');
  await watching.until(/task\.started long/);
  write('long.json', '{ "tasks": { "short": {} } }');
  await watching.until(/task\.cancelled long in attempt 1: terminated/);
  await watching.until(/task\.done short[\s\S]*watching 1 file/);
  assert.is(await watching.end('SIGINT'), 130);
});

test('finishes what runs when it is interrupted', async () => {
  write('slow.json', '{ "tasks": { "slow": { "duration": 1500 }, "next": { "needs": ["slow"] } } }');
  using watching = new Watching('slow.json', '--watch');
  await watching.until(/task\.started slow/);
  assert.is(await watching.end('SIGINT'), 130);
  await watching.until(/task\.done slow[\s\S]*task\.cancelled next interrupted/);
});

test('refuses what can be read only once', async () => {
  const { code, stderr } = await topple(['run', '-', '--watch']);
  assert.is(code, 2);
  assert.is(stderr, 'topple: `--watch` needs files: standard input is read only once.\n');
});
