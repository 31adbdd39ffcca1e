import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as assert from 'uvu/assert';
import { spec } from './spec.ts';

const test = spec('test runner');

const specUrl = JSON.stringify(new URL('./spec.ts', import.meta.url).href);
const opening = `
  import { spec, specWithData } from ${specUrl};
  const test = spec('sample');
  const fail = () => { throw new Error('on purpose'); };
`;

/** What `npm test` does with a folder of these test files. */
async function runnerOn(files: Record<string, string>, { limitMs = 60_000, patterns = [] as string[] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'topple-spec-'));
  for (const [name, body] of Object.entries(files)) {
    await writeFile(join(folder, `${name}.test.ts`), opening + body);
  }
  const main = join(import.meta.dirname, 'main.ts');
  const args = [...process.execArgv, main, '--folder', folder, '--limitMs', `${limitMs}`, ...patterns];
  const runner = spawn(process.execPath, args, {
    env: { ...process.env, TOPPLE_DATA: join(folder, 'none') },
  });
  const ended = new Promise((resolve) => runner.once('exit', resolve));
  const output = await text(runner.stdout);
  const code = await ended;
  await rm(folder, { recursive: true });
  return { code, lastLine: output.trimEnd().split('\n').at(-1), output };
}

test('adds up what all files report', async () => {
  const { code, lastLine } = await runnerOn({
    one: `test('a', () => {}); test('b', async () => {}); test.skip('c', fail);`,
    two: `test('a', () => {}); spec('another')('b', () => {});`,
  });
  assert.equal({ code, lastLine }, { code: 0, lastLine: '4 passed, 0 failed, 1 skipped' });
});

test('counts tests that fail and shows why', async () => {
  const { code, lastLine, output } = await runnerOn({
    good: `test('a', () => {});`,
    bad: `test('a', () => {}); test('b', fail); test('c', async () => fail());`,
  });
  assert.equal({ code, lastLine }, { code: 1, lastLine: '2 passed, 2 failed, 0 skipped' });
  assert.match(output, 'on purpose');
  assert.match(output, 'bad.test.ts: 2 of 3');
});

test('runs tests that are defined after an await', async () => {
  const { lastLine } = await runnerOn({
    late: `await new Promise((resolve) => setTimeout(resolve, 5)); test('a', () => {}); test('b', fail);`,
  });
  assert.is(lastLine, '1 passed, 1 failed, 0 skipped');
});

test('fails a file that runs no test', async () => {
  const { code, lastLine, output } = await runnerOn({ empty: '' });
  assert.equal({ code, lastLine }, { code: 1, lastLine: '0 passed, 1 failed, 0 skipped' });
  assert.match(output, 'ran no test');
});

test('fails a file that throws, exits early or waits for nothing', async () => {
  const { code, lastLine } = await runnerOn({
    throws: `test('a', () => {}); fail();`,
    exits: `test('a', () => process.exit(0));`,
    waits: `test('a', () => new Promise(() => {}));`,
    hook: `test.before(fail); test('a', () => {});`,
  });
  assert.equal({ code, lastLine }, { code: 1, lastLine: '0 passed, 4 failed, 0 skipped' });
});

test('fails a file whose process breaks after its tests', async () => {
  const { code, lastLine, output } = await runnerOn({ later: `test('a', () => { setTimeout(fail, 50); });` });
  assert.equal({ code, lastLine }, { code: 1, lastLine: '1 passed, 1 failed, 0 skipped' });
  assert.match(output, 'after its tests had passed');
});

test('ends a file that hangs', async () => {
  const { code, lastLine, output } = await runnerOn(
    {
      hangs: `test('a', () => { for (;;); });`,
      lingers: `test('a', () => { setInterval(() => {}, 1000); });`,
    },
    { limitMs: 3000 },
  );
  assert.equal({ code, lastLine }, { code: 1, lastLine: '1 passed, 2 failed, 0 skipped' });
  assert.match(output, 'hangs.test.ts: did not end within 3 s');
  assert.match(output, 'lingers.test.ts: its tests ended, but something kept it running');
});

test('skips tests whose data is missing, and says so once', async () => {
  const body = `specWithData('cases', 'cases.json', (test) => test('a', fail)); test('b', () => {});`;
  const { code, lastLine, output } = await runnerOn({ one: body, two: body });
  assert.equal({ code, lastLine }, { code: 0, lastLine: '2 passed, 0 failed, 2 skipped' });
  assert.is(output.split('is missing').length, 2);
});

test('runs only the files that match', async () => {
  const files = { ledger: `test('a', () => {});`, graph: `test('a', fail);` };
  const some = await runnerOn(files, { patterns: ['ledger'] });
  assert.equal([some.code, some.lastLine], [0, '1 passed, 0 failed, 0 skipped']);
  const byPath = await runnerOn(files, { patterns: ['test/ledger.test.ts'] });
  assert.equal([byPath.code, byPath.lastLine], [0, '1 passed, 0 failed, 0 skipped']);
  const none = await runnerOn(files, { patterns: ['unknown'] });
  assert.equal([none.code, none.lastLine], [1, '0 passed, 0 failed, 0 skipped']);
});
