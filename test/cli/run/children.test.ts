import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ChildProgress } from '../../../src/cli/show/child-progress.ts';
import { taskLines } from '../../../src/cli/show/frame-tasks.ts';
import { RunProgress } from '../../../src/cli/show/progress.ts';
import { createFlow, type Entry } from '../../../src/index.ts';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';

const test = spec('runs inside runs on the command line');

const cwd = mkdtempSync(join(tmpdir(), 'topple-'));
process.on('exit', () => rmSync(cwd, { recursive: true }));
const topple_ = JSON.stringify(new URL('../../../src/index.ts', import.meta.url).href);

writeFileSync(
  join(cwd, 'flow.ts'),
  `import { createFlow } from ${topple_};
const inner = createFlow('inner').task('a/b', { perform: ({ log }) => log('hello') });
export const flow = createFlow('outer')
  .map('each', {
    over: () => Array.from({ length: 40 }, (_, i) => i),
    perform: ({ item, log }) => {
      if (item === 3) log('three');
      if (item % 3 === 1) throw new Error('no ' + item);
    },
    tolerate: 30,
  })
  .flow('one', { flow: inner, dependsOn: ['each'] });
`,
);

test('tells failures and logs with the path of their task, and no more than a few of each map', async () => {
  const { code, stderr } = await topple(['run', 'flow.ts'], { cwd });
  assert.is(code, 0);
  const lines = stderr.split('\n').map((line) => line.replace(/^\S+Z /, ''));
  assert.ok(lines.includes('log each/3: three'));
  assert.ok(lines.includes('log one/a%2Fb: hello'));
  assert.equal(
    lines.filter((line) => line.startsWith('each')),
    [
      ...Array.from({ length: 10 }, (_, index) => `each/${index * 3 + 1} failed: no ${index * 3 + 1}`),
      'each: further failures inside are not shown',
    ],
  );
  assert.match(stderr, /task\.done each after .*, 40\/40, 13 failed\n/);
});

test('prints as JSON the events of the run alone, without gaps, and a view with the counts of runs inside', async () => {
  const { stdout } = await topple(['run', 'flow.ts', '--json'], { cwd });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { view } = lines.pop();
  assert.equal(
    lines.map(({ seq }) => seq),
    lines.map((_, index) => index + 1),
  );
  assert.ok(lines.every((line) => !('path' in line)));
  assert.equal(view.tasks.each.child, {
    runId: `${view.id}/each#1`,
    counts: { total: 40, done: 27, failed: 13, skipped: 0, upstream_failed: 0, cancelled: 0 },
  });
});

test('draws a map as one line that says how far it is', () => {
  const flow = createFlow('outer').map('resize', { over: () => [1], perform: () => 1 });
  const progress = new RunProgress(flow.definition);
  const at = { at: 0, runId: 'r', seq: 0 };
  progress.apply({ ...at, type: 'task.started', taskId: 'resize', attempt: 1 });
  const below = (entry: object): void => progress.applyBelow(['resize'], { ...at, ...entry } as Entry);
  below({ type: 'run.started', input: new Array(1_000).fill(0) });
  for (let item = 0; item < 812; item++)
    below({ type: item < 2 ? 'task.failed' : 'task.done', taskId: `${item}` });
  const [line] = taskLines([progress.task('resize')], 1_000, 80);
  const text = line?.map(([, part]) => part).join('') ?? '';
  assert.match(text, /resize +1\.0 s +━{8}── {2}81% {2}812\/1,000, 2 failed$/);
});

test('counts a task that runs again once', () => {
  const child = new ChildProgress(3);
  const apply = (type: string): void => child.apply({ type, taskId: 'x' } as never);
  for (const type of ['task.failed', 'task.rerun', 'task.done', 'task.started']) apply(type);
  assert.equal([child.settled, child.failed, `${child}`], [1, 0, '1/3']);
});
