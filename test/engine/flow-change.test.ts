// A run goes on with another version of its flow: at each cut of a journal, on each kind of store.

import {
  createFlowFromGraph,
  createMemoryStore,
  type Engine,
  type Entry,
  type FlowError,
  type GraphTask,
  type Run,
  type Store,
} from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { checkJournal } from '../../src/model/check-journal.ts';
import { RunFold } from '../../src/model/fold.ts';
import { isSettled, type SettledStatus, type TaskStatus } from '../../src/model/status.ts';
import { TaskTimes } from '../../src/model/task-times.ts';
import { decide, seenBit } from '../../src/model/trigger-rule.ts';
import { spec } from '../spec.ts';
import { lateStore } from '../support/late-store.ts';
import { tempFile } from '../support/sqlite.ts';
import { appendOf } from '../support/stores.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('a change of the flow');

type Tasks = Readonly<Record<string, GraphTask>>;
type Call = readonly [taskId: string, deps: object];

/** A flow whose bodies note their calls; those of tasks that fail throw each time. */
function flowOf(tasks: Tasks, calls: Call[] = []) {
  return createFlowFromGraph({ name: 'f', tasks }, ({ taskId, deps }) => {
    calls.push([taskId, { ...deps }]);
    if (tasks[taskId]?.fails !== undefined) throw new Error(`${taskId} fails`);
    return `${taskId} done`;
  });
}

const before: Tasks = {
  a: {},
  b: { dependsOn: ['a'] },
  c: { dependsOn: ['a'], fails: 'always', optional: true, retry: { maxAttempts: 2, backoff: 10 } },
  d: { dependsOn: ['b', 'c'], triggerRule: 'all_settled' },
  e: { dependsOn: ['d'] },
};

function without(...ids: string[]): Tasks {
  const rest = Object.entries(before).filter(([id]) => !ids.includes(id));
  const keep = (needs: readonly string[] = []) => needs.filter((id) => !ids.includes(id));
  return Object.fromEntries(rest.map(([id, task]) => [id, { ...task, dependsOn: keep(task.dependsOn) }]));
}

const { a, b, c, d, e } = before as Record<'a' | 'b' | 'c' | 'd' | 'e', GraphTask>;
const versions: Readonly<Record<string, Tasks>> = {
  'a task added at the head': { new: {}, ...before, a: { dependsOn: ['new'] } },
  'a task added at the head that nobody needs': { new: {}, ...before },
  'a task added in the middle': {
    ...before,
    new: { dependsOn: ['b'] },
    d: { ...d, dependsOn: ['new', 'c'] },
  },
  'a task added at the tail': { ...before, new: { dependsOn: ['e'] } },
  'the head removed': without('a'),
  'a task in the middle removed': without('b'),
  'the tail removed': without('e'),
  'all removed but the head': without('b', 'c', 'd', 'e'),
  'all removed': {},
  'a task rewired onto the head': { ...before, e: { ...e, dependsOn: ['a'] } },
  'a task rewired onto a later one': { ...before, b: { dependsOn: ['c'], triggerRule: 'all_settled' } },
  'a task rewired onto one that waits': {
    a: {},
    c,
    d: { dependsOn: ['c'], triggerRule: 'always' },
    b: { dependsOn: ['d'] },
    e,
  },
  'a task freed of its dependencies': { ...before, e: {} },
  'a rule that skips': { ...before, d: { ...d, triggerRule: 'all_failed' } },
  'a rule that fails': { ...before, d: { ...d, triggerRule: 'all_success' } },
  'a rule that hurries': { ...before, d: { ...d, triggerRule: 'always' } },
  'a task renamed': { a, second: b, c, d: { ...d, dependsOn: ['second', 'c'] }, e },
  'another order': { e, d, c, b, a },
  'another order of dependencies': { ...before, d: { ...d, dependsOn: ['c', 'b'] } },
  'a task that must not fail any more': { ...without('e'), c: { ...c, optional: false } },
  'more attempts, and a new task': { ...before, c: { ...c, retry: { maxAttempts: 4, backoff: 5 } }, new: {} },
  'every task replaced': { x: {}, y: { dependsOn: ['x'] } },
};

/** The whole journal of a run of the first version. */
async function journalOf(tasks: Tasks): Promise<readonly Entry[]> {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const run = await engine.start(flowOf(tasks), undefined, { id: 'r' });
  await clock.run(run.settled());
  return store.read('r');
}

const whole = await journalOf(before);

const stores: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => createMemoryStore(),
  'a late store': async () => lateStore(),
  SQLite: () => createSqliteStore(tempFile(), { synchronous: 'normal' }),
};

/** Puts the first entries of a run into a store, as an engine that died left them. */
async function leave(store: Store, entries: readonly Entry[]): Promise<void> {
  await store.append(appendOf('r', entries, 0, []));
  await (store as Partial<SqliteStore>).release?.(['r']);
  await store.keepFlow?.(flowOf(before).definition);
}

function foldOf(tasks: Tasks, entries: readonly Entry[]): RunFold {
  const fold = new RunFold('r', flowOf(tasks).definition);
  const times = new TaskTimes(fold);
  for (const entry of entries) times.apply(entry);
  return fold;
}

/** How each task must end: settled tasks as they are, the others by their rules and bodies. */
function expectedOf(tasks: Tasks, left: Readonly<Record<string, TaskStatus>>): Record<string, SettledStatus> {
  const { definition } = flowOf(tasks);
  const ended: Record<string, SettledStatus> = {};
  for (const id of definition.graph.order()) {
    const status = left[id] ?? 'pending';
    const { dependsOn, triggerRule } = definition.tasks[definition.graph.indexOf(id)] ?? {
      dependsOn: [],
      triggerRule: 'always',
    };
    const seen = dependsOn.reduce((bits, dep) => bits | seenBit[ended[dep] as SettledStatus], 0);
    const verdict = decide(triggerRule, seen, false);
    const ran = tasks[id]?.fails === undefined ? 'done' : 'failed';
    ended[id] = isSettled(status)
      ? status
      : verdict === 'run'
        ? ran
        : verdict === 'skip'
          ? 'skipped'
          : 'upstream_failed';
  }
  return ended;
}

async function adopted(store: Store, tasks: Tasks) {
  const calls: Call[] = [];
  const flow = flowOf(tasks, calls);
  const { clock, engine } = virtualEngine({ store });
  const [run] = await engine.recover([flow], { onFlowChange: 'adopt' });
  return { calls, flow, clock, engine, run: run as Run };
}

/** Checks a run that went on with a version after a cut. */
async function checkAt(cut: number, store: Store, tasks: Tasks): Promise<void> {
  const entries = whole.slice(0, cut);
  await leave(store, entries);
  const then = foldOf(before, entries).view().tasks;
  const left = Object.fromEntries(Object.entries(then).map(([id, { status }]) => [id, status]));
  const { calls, flow, clock, engine, run } = await adopted(store, tasks);
  const view = await clock.run(run.settled());

  const statuses = Object.fromEntries(Object.entries(view.tasks).map(([id, { status }]) => [id, status]));
  assert.equal(statuses, expectedOf(tasks, left));
  for (const [id, task] of Object.entries(then)) {
    const now = view.tasks[id];
    if (!isSettled(task.status) || now === undefined) continue;
    assert.equal({ ...now, dependsOn: [] }, { ...task, dependsOn: [] }, `${id} stays as it is`);
    assert.not.ok(
      calls.some(([called]) => called === id),
      `${id} is not called again`,
    );
  }
  for (const [id, deps] of calls) {
    const needs = flow.definition.tasks[flow.definition.graph.indexOf(id)]?.dependsOn ?? [];
    const outputs = needs
      .filter((dep) => view.tasks[dep]?.status === 'done')
      .map((dep) => [dep, view.tasks[dep]?.output]);
    const early = tasks[id]?.triggerRule === 'always';
    if (!early) assert.equal(deps, Object.fromEntries(outputs), `${id} gets what the new version says`);
  }

  const journal = await store.read('r');
  assert.equal(journal.slice(0, cut), entries);
  assert.equal(
    journal.filter(({ type }) => type === 'run.flow_changed').map(({ seq }) => seq),
    [cut + 1],
  );
  const place = { owner: 'Journal', runId: 'r', path: 'entries' };
  assert.is(checkJournal(flow.definition, 'r', journal, place), view.status);
  assert.equal(foldOf(tasks, journal).view(), view);
  for (let seq = 0; seq <= journal.length; seq++) foldOf(tasks, journal.slice(0, seq));
  await rereadAndRerun(store, engine, tasks, run);
}

/** Another engine reads the settled run as it is, and has it run again. */
async function rereadAndRerun(store: Store, engine: Engine, tasks: Tasks, run: Run): Promise<void> {
  const result = (held: Run) =>
    held.outputs().catch((error: FlowError & { failures: unknown }) => error.failures);
  const [outputs, view] = [await result(run), run.view()];
  await engine.stop();
  const { clock, engine: other } = virtualEngine({ store, flows: [flowOf(tasks)] });
  const read = (await other.run('r')) as Run;
  assert.equal([await result(read), read.view()], [outputs, view]);
  if (Object.keys(tasks).length === 0) return;
  read.rerun(Object.keys(tasks));
  const again = await clock.run(read.settled());
  const fresh = expectedOf(tasks, {});
  assert.equal(
    Object.fromEntries(Object.entries(again.tasks).map(([id, { status }]) => [id, status])),
    fresh,
  );
  await other.stop();
}

const cuts = Array.from({ length: whole.length - 1 }, (_, index) => index + 1);

for (const [index, [what, tasks]] of Object.entries(versions).entries()) {
  test(`is adopted wherever the run was cut, on each store: ${what}`, async () => {
    for (const cut of cuts) {
      for (const [name, create] of Object.entries(stores)) {
        // They take turns, so that versions and cuts meet each store.
        if ((cut + index) % (name === 'memory' ? 3 : 8) !== name.length % 3) continue;
        const store = await create();
        try {
          await checkAt(cut, store, tasks);
        } catch (error) {
          (error as Error).message += ` (cut at ${cut}, ${name})`;
          throw error;
        } finally {
          await (store as Partial<SqliteStore>).close?.();
        }
      }
    }
  });
}
