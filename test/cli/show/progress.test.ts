import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { logLine } from '../../../src/cli/show/happening.ts';
import { RunProgress } from '../../../src/cli/show/progress.ts';
import { spec } from '../../spec.ts';
import { progressAt } from '../../support/progress.ts';
import { virtualEngine } from '../../support/virtual.ts';

const test = spec('progress of a run');

const end = Number.POSITIVE_INFINITY;

test('tells running, waiting for slots and waiting between attempts apart', async () => {
  const { tasks } = await progressAt(
    end,
    [
      { id: 'first', durationMs: 1_000 },
      { id: 'second', durationMs: 300, fails: 1, retry: { maxAttempts: 2, backoff: 500 } },
      { id: 'third', durationMs: 900 },
    ],
    { concurrency: 1 },
  );
  // `second` runs from 1,000 to 1,300, is due at 1,800, and gets the slot that `third` leaves at 2,200.
  assert.equal(
    tasks.map(({ id, attempts, ranMs, slotMs, backoffMs, endedAt }) => [
      id,
      attempts,
      ranMs,
      slotMs,
      backoffMs,
      endedAt,
    ]),
    [
      ['first', 1, 1_000, 0, 0, 1_000],
      ['second', 2, 600, 1_400, 500, 2_500],
      ['third', 1, 900, 1_300, 0, 2_200],
    ],
  );
});

test('keeps at hand what is under way, and counts the rest', async () => {
  const progress = await progressAt(
    150,
    [
      { id: 'done', durationMs: 100 },
      { id: 'running', durationMs: 500 },
      { id: 'retrying', durationMs: 100, fails: 1, retry: { maxAttempts: 2, backoff: 1_000 } },
      { id: 'ready', durationMs: 100 },
      { id: 'later', dependsOn: ['running'] },
    ],
    { concurrency: 2, pools: {} },
  );
  const ids = (tasks: Iterable<{ id: string }>) => Array.from(tasks, ({ id }) => id);
  assert.equal(ids(progress.running), ['running', 'retrying']);
  assert.equal(ids(progress.ready), ['ready']);
  assert.equal(ids(progress.retrying), []);
  assert.equal(progress.counts, {
    pending: 2,
    running: 2,
    waiting: 0,
    retrying: 0,
    done: 1,
    failed: 0,
    skipped: 0,
    upstream_failed: 0,
    cancelled: 0,
  });
  assert.is(progress.settled, 1);
});

test('has nothing under way when the run has settled', async () => {
  const progress = await progressAt(end, [
    { id: 'a', fails: 'always', retry: { maxAttempts: 3, backoff: 10 } },
    { id: 'b', dependsOn: ['a'] },
    { id: 'c', skips: true },
  ]);
  assert.equal([progress.running.size, progress.retrying.size, progress.ready.size], [0, 0, 0]);
  assert.equal([progress.status, progress.settled, progress.endedAt], ['failed', 3, 20]);
});

test('forgets at a new attempt what the one before said of itself', async () => {
  const tasks = [
    { id: 'a', durationMs: 100, fails: 1, retry: { maxAttempts: 2 }, meta: [0.5, 'half'] },
  ] as const;
  const progress = await progressAt(50, tasks);
  assert.equal([progress.tasks[0]?.fraction, progress.tasks[0]?.note], [0.5, 'half']);
  progress.apply({ type: 'task.started', at: 60, attempt: 2, seq: 9, runId: 'r', taskId: 'a' });
  assert.equal([progress.tasks[0]?.fraction, progress.tasks[0]?.note], [undefined, undefined]);
});

test('forgets at a rerun how a task ended before, and how it spent its time', async () => {
  const { clock, engine } = virtualEngine({ concurrency: 1 });
  let isFixed = false;
  const flow = createFlow('demo')
    .task('kept', { perform: () => clock.sleep(100) })
    .task('again', {
      dependsOn: ['kept'],
      retry: { maxAttempts: 2, backoff: 40 },
      perform: async () => {
        await clock.sleep(200);
        if (!isFixed) throw new Error('broken');
      },
    })
    .task('behind', { dependsOn: ['again'], perform: () => clock.sleep(10) });
  const progress = new RunProgress(flow.definition);
  const run = await engine.start(flow);
  const follow = async (after = 0) => {
    for await (const entry of run.events({ after })) progress.apply(entry);
  };
  const rows = () =>
    progress.tasks.map(({ id, status, attempts, readyAt, endedAt, ranMs, slotMs, backoffMs, because }) =>
      [id, status, attempts, readyAt, endedAt, ranMs, slotMs, backoffMs, because].join(' '),
    );
  await clock.run(follow());
  const kept = 'kept done 1 0 100 100 0 0 ';
  assert.equal(rows(), [
    kept,
    'again failed 2 100 540 400 0 40 ',
    'behind upstream_failed 0  540 0 0 0 again',
  ]);
  assert.equal(
    [progress.status, progress.endedAt, progress.tasks[1]?.error?.message],
    ['failed', 540, 'broken'],
  );

  isFixed = true;
  await clock.advance(460);
  const { seq } = run;
  run.rerun();
  const followed = follow(seq);
  await clock.advance(50);
  assert.equal(rows(), [kept, 'again running 1 1000  0 0 0 ', 'behind pending 0   0 0 0 ']);
  assert.equal(
    [progress.status, progress.startedAt, progress.endedAt, progress.tasks[1]?.error],
    ['running', 0, null, undefined],
  );
  await clock.run(followed);
  assert.equal(rows(), [kept, 'again done 1 1000 1200 200 0 0 ', 'behind done 1 1200 1210 10 0 0 ']);
  assert.equal([progress.status, progress.endedAt, progress.settled], ['done', 1_210, 3]);
});

test('follows a change of the flow: what begins anew waits, and tasks that it lacks are ignored', () => {
  const flow = createFlow('f')
    .task('a', { perform: () => 1 })
    .task('b', { perform: () => 1 });
  const progress = new RunProgress(flow.definition);
  const facts = [
    { type: 'task.ready', taskId: 'gone' },
    { type: 'task.done', taskId: 'gone', attempt: 1, output: 1 },
    { type: 'task.ready', taskId: 'a' },
    { type: 'task.started', taskId: 'a', attempt: 1 },
    { type: 'task.done', taskId: 'b', attempt: 1, output: 1 },
    {
      type: 'run.flow_changed',
      flowHash: 'i',
      changes: ['`gone` was removed'],
      dropped: ['gone'],
      waiting: ['a'],
    },
  ];
  for (const [index, fact] of facts.entries()) {
    const entry = { ...fact, at: index, seq: index + 1, runId: 'r' } as never;
    progress.apply(entry);
    const line = logLine(progress, entry);
    if (index === 5) assert.match(line, /run\.flow_changed `gone` was removed$/);
  }
  assert.equal([progress.settled, progress.counts.pending, progress.running.size], [1, 1, 0]);
});
