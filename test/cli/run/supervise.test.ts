import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { hasPty } from '../../support/pty.ts';

const test = spec('topple run as a supervised process');

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const spin = fileURLToPath(new URL('flows/spin.ts', import.meta.url));
const lone = fileURLToPath(new URL('flows/lone.ts', import.meta.url));
const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];

/** A command line in a process of its own, and what it has written so far. */
class Running {
  text = '';
  readonly child: ChildProcess;
  readonly closed: Promise<unknown[]>;
  #check = (): void => {};

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [...flags, main, 'run', ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
        this.#check();
      });
    }
    this.closed = once(this.child, 'close');
  }

  /** Resolves with what matches, once it has been written. The test's own limit ends the waiting. */
  until(what: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      this.#check = () => {
        const found = what.exec(this.text);
        if (found !== null) resolve(found);
      };
      this.#check();
    });
  }

  async ended(): Promise<{ code: unknown; lastLine: string | undefined }> {
    const [code] = await this.closed;
    return { code, lastLine: this.text.trimEnd().split('\n').at(-1) };
  }
}

test('ends a body that holds the thread, when the time limit and the grace are over', async () => {
  for (const HOLD of ['loop', 'system']) {
    const run = new Running([spin, '--timeout', '200ms'], { HOLD });
    assert.equal(await run.ended(), {
      code: 124,
      lastLine:
        'topple: the run was ended by force after its time limit of 200 ms and a grace of 100 ms; running: `waits`, `spins`',
    });
  }
});

test('ends a body that holds the thread, at the second signal', async () => {
  for (const [first, second, code] of [
    ['SIGINT', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 130],
  ] as const) {
    const run = new Running([spin]);
    await run.until(/spinning/);
    run.child.kill(first);
    await run.until(
      /topple: a task blocks the thread, so the signal is not handled; a second one ends the run by force; running: `waits`, `spins`\n/,
    );
    run.child.kill(second);
    assert.equal(await run.ended(), {
      code,
      lastLine: 'topple: the run was ended by force after the second signal; running: `waits`, `spins`',
    });
  }
});

test('ends a body that holds the thread, at one signal that aborts, when the grace is over', async () => {
  const run = new Running([spin]);
  await run.until(/spinning/);
  run.child.kill('SIGTERM');
  assert.equal(await run.ended(), {
    code: 143,
    lastLine:
      'topple: the run was ended by force after SIGTERM and a grace of 100 ms; running: `waits`, `spins`',
  });
});

test('says what was running where something else ends the process', async () => {
  const run = new Running([lone]);
  const [, pid] = await run.until(/pid (\d+)/);
  process.kill(Number(pid), 'SIGKILL');
  assert.equal(await run.ended(), {
    code: 137,
    lastLine: 'topple: the run was ended by SIGKILL; running: `waits`',
  });
});

test('ends calmly when its supervisor is gone', async () => {
  const run = new Running([lone]);
  await run.until(/pid \d+/);
  run.child.kill('SIGKILL');
  // Both its outputs are closed once the run's own process has ended too.
  await run.closed;
  assert.match(run.text, 'task.cancelled waits in attempt 1: terminated');
});

test('shows modules nothing of its supervisor, and ends when nothing is left to do', async () => {
  const run = new Running([lone], { WAIT: 'nothing' });
  assert.equal(await run.ended(), {
    code: 1,
    lastLine: "topple: the process ended before the run had settled: a task's code ended it",
  });
  assert.match(run.text, /^pid \d+, undefined, undefined$/m);
});

test('hears one signal once, and lets what runs finish at the first', async () => {
  const run = new Running([lone]);
  await run.until(/pid \d+/);
  run.child.kill('SIGINT');
  await run.until(/finishing 1 task; interrupt again to abort/);
  run.child.kill('SIGINT');
  const { code } = await run.ended();
  assert.is(code, 130);
  assert.match(run.text, 'task.cancelled waits in attempt 1: interrupted');
  assert.not.match(run.text, 'by force');
});

// Elsewhere there is nothing that opens a pseudo-terminal without being compiled first.
(hasPty() ? test : test.skip)('gives a terminal back as it was, by force too', () => {
  const command = [process.execPath, ...flags, main, 'run', spin, '--timeout', '200ms'].join(' ');
  const shown = execFileSync(
    'script',
    ['--quiet', '--return', '--command', `${command}; echo "code $?"; stty -a`, '/dev/null'],
    {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm', CI: '', RAW: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  assert.match(shown, 'code 124');
  assert.match(shown, / icanon/);
  assert.ok(shown.lastIndexOf('\u001b[?25h') > shown.lastIndexOf('\u001b[?25l'));
  assert.ok(shown.lastIndexOf('\u001b[?7h') > shown.lastIndexOf('\u001b[?7l'));
});
