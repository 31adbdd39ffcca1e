import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';

const test = spec('topple run as a process');

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const exits = fileURLToPath(new URL('flows/exits.ts', import.meta.url));
const strays = fileURLToPath(new URL('flows/strays.ts', import.meta.url));
const typed = fileURLToPath(new URL('flows/typed.ts', import.meta.url));

function start(...args: string[]) {
  const flags = ['--conditions=topple-source', '--disable-warning=ExperimentalWarning'];
  return spawn(process.execPath, [...flags, main, 'run', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function run(...args: string[]) {
  const child = start(...args);
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

test('keeps standard output to JSON, whatever bodies print', async () => {
  const { code, stdout, stderr } = await run(typed, '--json', '--input', '{ "n": 4 }');
  assert.is(code, 0);
  for (const line of stdout.trimEnd().split('\n')) JSON.parse(line);
  assert.match(stderr, 'a body writes\n');
  assert.match(stderr, /said\nso/);
});

test('keeps standard output to what the flow returns, whatever bodies print', async () => {
  const { code, stdout, stderr } = await run(typed, '--input', '{ "n": 4 }');
  assert.equal([code, stdout], [0, '8\n']);
  assert.match(stderr, 'a body writes\n');
});

test('names the task that forgot to wait for what failed, and says what to look for', async () => {
  for (const [flow, task] of [
    ['forgets', 'for\\ngets'],
    ['promise', 'actor'],
    ['machine', 'machine'],
  ] as const) {
    const { code, stderr } = await run(strays, '--flow', flow);
    assert.is(code, 1);
    assert.is(
      stderr.trimEnd().split('\n').at(-1),
      `topple: task \`${task}\`: unexpected Error: late. Nothing waited for the promise that failed: look for a forgotten \`await\`.`,
    );
  }
});

test('shows the stack of what nobody caught if that is asked for', async () => {
  const { stderr } = await run(strays, '--flow', 'forgets', '--verbose');
  assert.match(stderr, /caused by Error: late\n {4}at late \(.*strays\.ts:9:9\)/);
});

test('does not end well where a body ends the process', async () => {
  const { code, stdout, stderr } = await run(exits, '--json');
  assert.is(code, 1);
  assert.is(stderr, "topple: the process ended before the run had settled: a task's code ended it\n");
  assert.match(stdout, '"type":"run.started"');
  assert.not.match(stdout, '"type":"view"');
});

test('is calm where nobody reads on', async () => {
  const child = start('-', '--json');
  child.stdin.end(JSON.stringify({ tasks: { a: {}, b: { duration: 60_000 } } }));
  const stderr = text(child.stderr);
  let told = '';
  while (!/"task\.done"/.test(told) || !/"task\.started".*"b"/.test(told))
    told += await once(child.stdout, 'data');
  child.stdout.destroy();
  // It only learns of it when it writes again: at the interrupt.
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  assert.is(await stderr, 'topple: finishing 1 task; interrupt again to abort\n');
  assert.is(code, 130);
});
