import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { blameBody } from '../../../src/cli/run/body-context.ts';
import { inBodyContexts } from '../../../src/cli/run/in-body-contexts.ts';
import { tellRunning } from '../../../src/cli/run/tell-running.ts';
import { ChildProgress } from '../../../src/cli/show/child-progress.ts';
import { taskLines } from '../../../src/cli/show/frame-tasks.ts';
import { RunProgress } from '../../../src/cli/show/progress.ts';
import { childLines } from '../../../src/cli/show/summary-children.ts';
import { flowOf } from '../../../src/flow.ts';
import { createFlow, type Entry } from '../../../src/index.ts';
import { spec } from '../../spec.ts';
import { topple } from '../../support/cli.ts';
import { virtualEngine } from '../../support/virtual.ts';

const schema = {
  '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
} as const;

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

test('prints as JSON the events of the whole tree, and a view with the counts of runs inside', async () => {
  const { stdout } = await topple(['run', 'flow.ts', '--json'], { cwd });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { view } = lines.pop();
  const byRun = Map.groupBy(lines, ({ runId }) => runId);
  assert.equal([...byRun.keys()].sort(), [view.id, `${view.id}/each#1`, `${view.id}/one#1`]);
  for (const events of byRun.values())
    assert.equal(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
  const paths = [...byRun.values()].map((events) => [...new Set(events.map(({ path }) => path?.join('/')))]);
  assert.equal(paths.flat().toSorted(), ['each', 'one', undefined]);
  assert.is(lines.findIndex(({ path }) => path !== undefined) > 0, true, 'behind the start of their task');
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

test('sums up the runs inside, folded, with their counts', () => {
  const flow = createFlow('outer').map('resize', { over: () => [1], perform: () => 1 });
  const progress = new RunProgress(flow.definition);
  const at = { at: 0, runId: 'r', seq: 0 };
  progress.apply({ ...at, type: 'task.started', taskId: 'resize', attempt: 1 });
  const below = (entry: object): void => progress.applyBelow(['resize'], { ...at, ...entry } as Entry);
  below({ type: 'run.started', input: new Array(1_000).fill(0) });
  for (let item = 0; item < 812; item++)
    below({ type: item < 2 ? 'task.failed' : 'task.done', taskId: `${item}` });
  const told = (width: number): string[] =>
    childLines(progress, 10, width).map((line) => line.map(([, text]) => text).join(''));
  assert.equal(told(80), ['Runs inside', '  ▶ resize  812/1,000, 2 failed']);
  const plain = new RunProgress(createFlow('plain').task('a', { perform: () => 1 }).definition);
  assert.equal(childLines(plain, 10, 80), []);
});

test('tells a supervisor of lists and inputs that are being made, with the path of their task', async () => {
  const facts: string[] = [];
  const tell = (fact: { type: string; taskId?: string }): void => {
    if (fact.taskId !== undefined) facts.push(`${fact.type} ${fact.taskId}`);
  };
  const inner = createFlow('inner', { input: schema }).task('x', { perform: () => 1 });
  const flow = createFlow('outer')
    .flow('one', { flow: inner, input: async () => 1 })
    .map('each', { dependsOn: ['one'], over: () => [7], perform: inner, input: () => 2 });
  const told = tellRunning(flow.definition, undefined, { tell, tellSoon: tell } as never);
  const { clock, engine } = virtualEngine();
  const run = await engine.start(flowOf(told.definition) as typeof flow);
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(facts, [
    ...['begun one', 'ended one', 'begun one/x', 'ended one/x', 'begun each', 'ended each'],
    ...['begun each/0', 'ended each/0', 'begun each/0/x', 'ended each/0/x'],
  ]);
});

test('blames the task for what its list left behind', async () => {
  let blamed: unknown;
  const flow = createFlow('outer').map('each', {
    over: () => {
      blamed = blameBody(new Error('late'), 'unhandledRejection');
      return [];
    },
    perform: () => 1,
  });
  const { clock, engine } = virtualEngine();
  const run = await engine.start(flowOf(inBodyContexts(flow.definition)) as typeof flow);
  await clock.run(run.settled());
  assert.match(String(blamed), 'task `each`: unexpected Error: late.');
});

test('draws the flows that tasks run inside these tasks with `--expand`, unless they are too many', async () => {
  const { stdout } = await topple(['graph', 'flow.ts', '--expand'], { cwd });
  assert.match(
    stdout,
    / {2}subgraph t1\["one<br\/><small>flow inner<\/small>"\]\n {4}t1_0\["a\/b"\]\n {2}end\n/,
  );
  const json = (expand: readonly string[]) =>
    topple(['graph', 'flow.ts', '--format', 'json', ...expand], { cwd });
  assert.is((await json(['--expand'])).stdout, (await json([])).stdout);
  writeFileSync(
    join(cwd, 'doubling.ts'),
    `import { createFlow } from ${topple_};
let flow = createFlow('leaf').task('x', { perform: () => 1 });
for (let level = 0; level < 40; level++) flow = createFlow('twice').flow('a', { flow }).flow('b', { flow });
export default flow;
`,
  );
  const { code, stderr } = await topple(['graph', 'doubling.ts', '--expand'], { cwd });
  assert.is(code, 2);
  assert.match(stderr, /`--expand` would draw [\d,]+ tasks, and draws at most 2,000/);
});
