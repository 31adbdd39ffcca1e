import { createFlow, type Flow } from 'topple';
import { orchestratorMachine, taskMachine } from 'topple/machines';
import * as assert from 'uvu/assert';
import { runPath, taskPath } from '../../../src/inspector/page/run/machine-path.ts';
import { reasonOf } from '../../../src/inspector/page/run/reasons.ts';
import type { Recording } from '../../../src/inspector/page/run/recording.ts';
import { undoOf } from '../../../src/inspector/page/run/undo.ts';
import { showInstant, textOf } from '../../../src/inspector/page/run/words.ts';
import { barsOf } from '../../../src/inspector/page/time/bars.ts';
import { spec } from '../../spec.ts';
import { recordFlow } from './recorded.ts';

const test = spec('waits and undo in the page');

function reasons(recording: Recording, now: number, place?: number): Record<string, string> {
  const { ids } = recording.graph;
  const given = { recording, moment: recording.moment(place), now };
  return Object.fromEntries(ids.map((id, task) => [id, textOf(reasonOf(given, task), ids)]));
}

function bars(recording: Recording, id: string, now: number, undoRun?: Recording) {
  return barsOf(recording, recording.graph.indexOf(id), now, undoRun).map(
    ({ kind, startedAt, endedAt, status }) => [kind, startedAt, endedAt, status],
  );
}

const waiting = createFlow('waits')
  .waitFor('approval', { timeoutMs: 60_000 })
  .waitFor('forever', {})
  .waitFor('late', { dependsOn: ['approval'] })
  .waitFor('gone', { timeoutMs: 5, onTimeout: 'skip' })
  .waitFor('given', { timeoutMs: 5, onTimeout: { value: 1 } })
  .sleep('settle', { ms: 90_000 })
  .sleep('nap', { ms: 7 })
  .task('no', { when: () => false, perform: () => 1 })
  .task('asks', { when: () => new Promise<boolean>(() => {}), perform: () => 1 })
  .task('throws', {
    optional: true,
    when: () => {
      throw new Error('who knows');
    },
    perform: () => 1,
  })
  .task('ship', { dependsOn: ['settle'], perform: () => 1 }) as unknown as Flow<never>;

const halfway = () =>
  recordFlow(waiting, async (run, clock) => {
    await clock.advance(10);
    await run.deliver('late', 'early');
    await run.deliver('forever', 'v', { key: 'k' });
    await clock.advance(10);
  });

test('a waiting task says for what and until when, and how its wait ended', async () => {
  const { recording, now } = await halfway();
  const at = recording.firstAt;
  const until = (ms: number) => showInstant(at + ms, now);
  assert.equal(reasons(recording, now), {
    approval: `waiting: for a value from outside, until ${until(60_000)} (another 1 min)`,
    forever: 'done: a value came after 10 ms',
    late: 'pending: waits for `approval`, which waits for a value; its value has come already',
    gone: 'skipped: no value came in time',
    given: 'done: no value came within 5 ms, so it has the one for this case',
    settle: `waiting: sleeps until ${until(90_000)} (another 1 min 30 s)`,
    nap: 'done: it slept for 7 ms',
    no: 'skipped: its condition said no',
    asks: 'pending: its condition is being asked',
    throws: 'failed: Error: who knows; its condition threw',
    ship: 'pending: waits for `settle`, which sleeps',
  });
});

test('a wait is a bar of its own, over or under way', async () => {
  const { recording, now } = await halfway();
  const at = recording.firstAt;
  assert.equal(bars(recording, 'nap', now), [['wait', at, at + 7, 'wait']]);
  assert.equal(bars(recording, 'approval', now), [['wait', at, now, 'wait']]);
  assert.equal(bars(recording, 'ship', now), []);
});

test('the path of a task that waits or asks goes along transitions of its machine', async () => {
  const { recording, now } = await halfway();
  assertPaths(recording, now);
  const states = (id: string) => {
    const task = recording.graph.indexOf(id);
    return taskPath(recording, recording.moment(), task, now).taken.map(({ event, to }) => `${event} ${to}`);
  };
  assert.equal(states('forever'), ['task.ready planning', 'wait.planned waiting', 'wait.delivered done']);
  assert.equal(states('given'), ['task.ready planning', 'wait.planned waiting', 'wait.over done']);
  assert.equal(states('gone'), ['task.ready planning', 'wait.planned waiting', 'task.skip skipped']);
  assert.equal(states('no'), ['task.ready asking', 'condition.false skipped']);
  assert.equal(states('throws'), ['task.ready asking', 'condition.threw failed']);
  assert.equal(states('asks'), ['task.ready asking']);
});

let isBankOpen = true;
const inner = createFlow('inner').task('box', { perform: () => 1, compensate: () => {} });
const order = createFlow('order')
  .task('reserve', { perform: () => 1, compensate: () => {} })
  .task('charge', {
    dependsOn: ['reserve'],
    perform: () => 1,
    compensate: {
      retry: { maxAttempts: 2, backoff: 5 },
      perform: () => {
        if (!isBankOpen) throw new Error('the bank is closed');
      },
    },
  })
  .flow('pack', { flow: inner, dependsOn: ['charge'] })
  .task('ship', {
    dependsOn: ['pack'],
    perform: () => {
      throw new Error('no van');
    },
  }) as unknown as Flow<never>;

test('each task that is undone says so, and its undo is drawn', async () => {
  isBankOpen = true;
  const { recording, now, below } = await recordFlow(order);
  const undo = undoOf(recording, recording.moment());
  assert.is(undo?.runId, 'run-1/#undo#1');
  assert.is(undo?.isOver, true);
  const at = recording.moment().task(0).undoneAt as number;
  assert.equal(undo?.marks.get(0), { status: 'undone', at });
  assert.equal(
    reasons(recording, now).reserve,
    `done: it returned after 0 ms; undone ${showInstant(at, now)}`,
  );
  assert.not.match(reasons(recording, now).ship as string, 'undo');
  const kinds = bars(recording, 'charge', now, await below('run-1/#undo#1')).map(([kind, , , status]) => [
    kind,
    status,
  ]);
  assert.equal(kinds, [
    ['attempt', 'done'],
    ['undo', 'done'],
  ]);
  assertPaths(recording, now);
  const inside = await below('run-1/pack#1');
  assert.equal(undoOf(inside, inside.moment())?.marks.get(0)?.status, 'undone');
  assert.equal(
    runPath(inside, inside.moment()).taken.map(({ to }) => to),
    ['reopened', 'done'],
  );
});

test('an undo that failed has its error, and what it holds back is not undone', async () => {
  isBankOpen = false;
  const { recording, now } = await recordFlow(order);
  const found = reasons(recording, now);
  assert.match(found.charge as string, /; it could not be undone \(Error: the bank is closed\)$/);
  assert.match(found.reserve as string, /; it was not undone, since something downstream could not be$/);
  assertPaths(recording, now);
});

test('before, during and after the undo each moment shows its own, and a rerun none', async () => {
  isBankOpen = true;
  const { recording } = await recordFlow(order, async (run, clock) => {
    await clock.run(run.settled());
    run.rerun();
    await clock.run(run.settled());
  });
  const seen = Array.from({ length: recording.length + 1 }, (_, place) => {
    const undo = undoOf(recording, recording.moment(place));
    return undo && [...undo.marks.values()].filter(({ status }) => status === 'undone').length;
  });
  const first = seen.indexOf(0);
  const rerun = Array.from(
    { length: recording.length },
    (_, place) => recording.entry(place + 1).type,
  ).indexOf('task.rerun');
  assert.ok(first > 0);
  assert.ok(seen.slice(0, first).every((count) => count === undefined));
  assert.equal([...new Set(seen.slice(first, rerun + 1))], [0, 1, 2, 3]);
  const second = seen.indexOf(0, rerun + 1);
  assert.ok(second > rerun);
  assert.ok(seen.slice(rerun + 1, second).every((count) => count === undefined));
  assert.is(undoOf(recording, recording.moment())?.runId, 'run-1/#undo#2');
});

/** Every way is one that the machines have, and leads to the status that the fold says. */
function assertPaths(recording: Recording, now: number): void {
  for (let place = 0; place <= recording.length; place++) {
    const moment = recording.moment(place);
    for (const task of recording.graph.ids.keys()) {
      const path = taskPath(recording, moment, task, moment.at || now);
      assertWays(taskMachine.config.states, path.taken);
      assert.equal(taskMachine.root.states[path.state]?.tags, [moment.task(task).status]);
    }
    const path = runPath(recording, moment);
    assertWays(orchestratorMachine.config.states, path.taken);
  }
}

function assertWays(given: unknown, taken: ReturnType<typeof runPath>['taken']): void {
  const states = given as Record<string, { readonly on?: Record<string, unknown> }>;
  for (const { from, event, to } of taken) {
    // `task.settled` and `run.cancel` lead on from several states at once.
    if (event === 'task.settled' || event === 'run.cancel') continue;
    const ways = [states[from]?.on?.[event] ?? []].flat() as { target?: string }[];
    assert.ok(
      ways.some(({ target }) => target === to),
      `${from} takes ${event} to ${to}`,
    );
  }
}
