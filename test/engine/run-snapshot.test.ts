import {
  createEngine,
  createFlow,
  createFlowFromGraph,
  createMemoryStore,
  type Entry,
  type RunView,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { createActor, type InspectionEvent, setup, toPromise, waitFor } from 'xstate';
import { RunFold } from '../../src/model/fold.ts';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('snapshots of a run');

/** Two tasks one after the other, of which the first fails once. */
function pair(clock: VirtualClock) {
  return createFlow('pair')
    .task('a', {
      retry: { maxAttempts: 2, backoff: 50 },
      perform: async ({ attempt }) => {
        await clock.sleep(10);
        if (attempt === 1) throw new Error('once');
        return 'A';
      },
    })
    .task('b', { dependsOn: ['a'], perform: async ({ deps }) => clock.sleep(10).then(() => `${deps.a}B`) });
}

function world(options: { readonly store?: ReturnType<typeof createMemoryStore> } = {}) {
  const clock = createVirtualClock();
  const engine = createEngine({ clock, logger: silent, random: () => 0.5, ...options });
  const flow = pair(clock);
  const actorOf = () => createActor(engine.logic(flow), { input: undefined, clock: clock as never });
  return { clock, engine, flow, actorOf };
}

const statuses = ({ tasks }: RunView): string =>
  Object.values(tasks)
    .map(({ status }) => status)
    .join(' ');

/** What two tasks show from commit to commit. */
const course = [
  'pending pending',
  'running pending',
  'retrying pending',
  'running pending',
  'done pending',
  'done running',
  'done done',
];

/** Leaves out what is the same as before. */
function changes(values: readonly string[]): string[] {
  return values.filter((value, index) => value !== values[index - 1]);
}

test('let somebody wait for a task that runs', async () => {
  const { clock, actorOf } = world();
  const actor = actorOf();
  const running = waitFor(actor, ({ context }) => context.tasks.a?.status === 'running');
  actor.start();
  const { context } = await clock.run(running);
  assert.equal([context.tasks.a?.attempts, context.tasks.b?.status], [1, 'pending']);
  assert.is(clock.now(), 0);
  actor.stop();
});

test('come one for each commit to whoever subscribes, and one as the run begins, and stay what they were', async () => {
  const store = createMemoryStore();
  const { clock, flow, actorOf } = world({ store });
  const actor = actorOf();
  const seen: { readonly snapshot: ReturnType<typeof actor.getSnapshot>; readonly text: string }[] = [];
  const commits: string[] = [];
  actor.subscribe((snapshot) => {
    const { context } = snapshot;
    assert.is(actor.getSnapshot(), snapshot);
    // Told is kept: it shows what the store has, all of it and no more.
    const fold = new RunFold(context.id, flow.definition);
    const entries = store.read(context.id);
    for (const entry of entries) fold.apply(entry);
    assert.equal(context, fold.view());
    if (seen.at(-1)?.snapshot === snapshot) return;
    seen.push({ snapshot, text: JSON.stringify(snapshot) });
    commits.push(`${snapshot.value} ${entries.length}`);
  });
  actor.start();
  await clock.run(toPromise(actor));
  assert.equal(changes(seen.map(({ snapshot }) => statuses(snapshot.context))), course);
  assert.equal(commits.slice(0, 3), ['opening 0', 'running 0', 'running 2']);
  assert.equal(commits, [...new Set(commits)]);
  for (const { snapshot, text } of seen) assert.is(JSON.stringify(snapshot), text);
  assert.is(new Set(seen.map(({ snapshot }) => snapshot)).size, seen.length);
  // As the run begins nothing has been kept yet.
  assert.is(new Set(seen.map(({ snapshot }) => snapshot.context)).size, seen.length - 1);
});

/** An actor that is made of the flow, and one of a run that its engine has started. */
const makers = [
  async ({ actorOf }: ReturnType<typeof world>) => actorOf().start(),
  async ({ engine, flow }: ReturnType<typeof world>) => (await engine.start(flow)).actor,
];

test('are the same as long as nothing was kept, and another once something was, with nobody subscribed', async () => {
  for (const make of makers) {
    const here = world();
    const actor = await make(here);
    const seen: { readonly snapshot: object; readonly text: string }[] = [];
    while (actor.getSnapshot().status === 'active') {
      const snapshot = actor.getSnapshot();
      assert.is(actor.getSnapshot(), snapshot);
      assert.is(snapshot.context, snapshot.context);
      if (seen.at(-1)?.snapshot !== snapshot) seen.push({ snapshot, text: JSON.stringify(snapshot) });
      assert.is(seen.at(-1)?.text, JSON.stringify(snapshot));
      await here.clock.advance(5);
    }
    for (const { snapshot, text } of seen) assert.is(JSON.stringify(snapshot), text);
    const shown = seen.map(({ text }) => statuses(JSON.parse(text).context));
    assert.equal(shown, [course[0], ...course.slice(1, 4), 'done running'].slice(-shown.length));
  }
});

/** What `useSyncExternalStore` with a selector does: looks again at each call, and shows what has changed. */
function select<Snapshot, Value>(
  actor: { getSnapshot(): Snapshot; subscribe(listener: () => void): unknown },
  selector: (snapshot: Snapshot) => Value,
): Value[] {
  const shown = [selector(actor.getSnapshot())];
  actor.subscribe(() => {
    const value = selector(actor.getSnapshot());
    if (!Object.is(value, shown.at(-1))) shown.push(value);
  });
  return shown;
}

test('are what a selector needs: it hears of each change of what it selects, and of nothing else', async () => {
  for (const make of makers) {
    const here = world();
    const actor = await make(here);
    const status = select(actor, ({ context }) => context.tasks.a?.status);
    const task = select(actor, ({ context }) => context.tasks.b);
    const dependsOn = select(actor, ({ context }) => context.tasks.b?.dependsOn);
    const selected: (string | undefined)[] = [];
    actor.select(({ context }) => context.tasks.a?.status).subscribe((value) => selected.push(value));
    await here.clock.run(toPromise(actor as never));
    assert.equal(status, ['pending', 'running', 'retrying', 'running', 'done']);
    assert.equal(selected, status.slice(1));
    // Pending, ready, running, done.
    assert.equal([task.length, dependsOn.length], [4, 1]);
  }
});

test('come to a parent that syncs them, from commit to commit; of the last it hears by `onDone`', async () => {
  const { clock, engine, flow } = world();
  const seen: string[] = [];
  const results: unknown[] = [];
  const parent = setup({ actors: { flow: engine.logic(flow) } }).createMachine({
    initial: 'on',
    states: {
      on: {
        invoke: {
          src: 'flow',
          input: undefined,
          onSnapshot: { actions: ({ event }) => seen.push(statuses(event.snapshot.context as RunView)) },
          onDone: { target: 'off', actions: ({ event }) => results.push(event.output) },
        },
      },
      off: { type: 'final' },
    },
  });
  await clock.run(toPromise(createActor(parent, { clock: clock as never }).start()));
  assert.equal(changes(seen), course.slice(0, -1));
  assert.equal(results, [{ status: 'done', outputs: { a: 'A', b: 'AB' } }]);
});

test('are told to inspectors, one for each commit at least', async () => {
  const { clock, flow } = world();
  const courses: string[][] = [];
  const inspect = () => {
    const seen: string[] = [];
    courses.push(seen);
    return (event: InspectionEvent): void => {
      if (event.type !== '@xstate.snapshot') return;
      const { context } = event.snapshot as unknown as { readonly context: RunView };
      if ('tasks' in context) seen.push(statuses(context));
    };
  };
  const engine = createEngine({ clock, logger: silent, random: () => 0.5, inspect: inspect() });
  const run = await engine.start(flow);
  await clock.run(run.settled());
  const actor = createActor(engine.logic(flow), {
    input: undefined,
    clock: clock as never,
    inspect: inspect(),
  });
  await clock.run(toPromise(actor.start()));
  for (const seen of courses) assert.equal(changes(seen), course);
});

test('cost a run nothing that nobody watches', async () => {
  const { clock, engine } = virtualEngine();
  const tasks = Object.fromEntries(
    Array.from({ length: 50 }, (_, task) => [`t${task}`, { dependsOn: task === 0 ? [] : [`t${task - 1}`] }]),
  );
  const logic = engine.logic(createFlowFromGraph({ name: 'chain', tasks }, () => 1));
  const { transition } = logic;
  const stepsOf = async (watch: boolean): Promise<number> => {
    let steps = 0;
    logic.transition = (...args) => {
      steps++;
      return transition.apply(logic, args);
    };
    const actor = createActor(logic, { input: undefined, clock: clock as never });
    if (watch) actor.subscribe(() => {});
    await clock.run(toPromise(actor.start()));
    return steps;
  };
  // Its start, and its end, which comes within a step and again after it; whoever awaits the end does not watch.
  assert.is(await stepsOf(false), 3);
  assert.ok((await stepsOf(true)) > 100);
});

test('show a command at once, by `value` and by context, and it has been kept by then', async () => {
  const store = createMemoryStore();
  const { clock, actorOf } = world({ store });
  const actor = actorOf().start();
  await clock.advance(5);
  const heard: string[] = [];
  actor.subscribe(({ value, context }) => {
    heard.push(`${value} ${context.status} ${store.read(context.id).at(-1)?.type}`);
  });
  const told: unknown[] = [];
  actor.on('*', ({ type }) => told.push([type, actor.getSnapshot().value]));
  actor.send({ type: 'run.pause' });
  assert.equal([actor.getSnapshot().value, actor.getSnapshot().context.status], ['paused', 'paused']);
  actor.send({ type: 'run.resume' });
  actor.send({ type: 'run.cancel', reason: 'enough' });
  const { value, context } = actor.getSnapshot();
  assert.equal([value, context.status, context.reason], ['cancelling', 'cancelling', 'enough']);
  assert.equal(heard.slice(0, 3), [
    'paused paused run.paused',
    'running running run.resumed',
    'cancelling cancelling run.cancelling',
  ]);
  await clock.run(toPromise(actor));
  assert.equal(told.slice(0, 3), [
    ['run.paused', 'paused'],
    ['run.resumed', 'running'],
    ['run.cancelling', 'cancelling'],
  ]);
  assert.equal(told.at(-1), ['run.cancelled', 'cancelled']);
});

test('show an event to whoever hears of it', async () => {
  const { clock, actorOf } = world();
  const actor = actorOf();
  const seen: string[] = [];
  const note = ({ type }: Entry) => {
    const { status, context } = actor.getSnapshot();
    seen.push(`${type} ${status} ${statuses(context)}`);
  };
  for (const type of ['task.started', 'task.retrying', 'task.done', 'run.done'] as const)
    actor.on(type, note);
  await clock.run(toPromise(actor.start()));
  assert.equal(seen, [
    'task.started active running pending',
    'task.retrying active retrying pending',
    'task.started active running pending',
    'task.done active done pending',
    'task.started active done running',
    'task.done done done done',
    'run.done done done done',
  ]);
});

test('show a command that a listener sends, and it is heard of at once', async () => {
  const { clock, actorOf } = world();
  const actor = actorOf();
  const heard: string[] = [];
  actor.on('*', ({ type }) => heard.push(`${type} ${actor.getSnapshot().value}`));
  actor.on('task.retrying', () => {
    actor.send({ type: 'run.pause' });
    heard.push(`sent ${actor.getSnapshot().value} ${actor.getSnapshot().context.status}`);
  });
  actor.start();
  await clock.advance(10);
  // XState tells those who hear of all events last.
  assert.equal(heard.slice(-3), ['sent paused paused', 'task.retrying paused', 'run.paused paused']);
  actor.stop();
});

test('come in the same order to all, though one of them sends a command', async () => {
  const { clock, actorOf } = world();
  const actor = actorOf();
  const orders: string[][] = [[], [], []];
  for (const order of orders) {
    actor.subscribe(({ value, context }) => {
      order.push(`${value} ${statuses(context)}`);
      if (order === orders[1] && context.tasks.a?.status === 'retrying' && value === 'running')
        actor.send({ type: 'run.pause' });
    });
  }
  actor.start();
  await clock.advance(1_000);
  assert.is(actor.getSnapshot().value, 'paused');
  assert.equal(
    orders.map(changes),
    [orders, orders, orders].map(([first]) => changes(first as string[])),
  );
  assert.is(orders[0]?.at(-1), 'paused retrying pending');
  actor.stop();
});

test('show the last that was kept when the actor was stopped, and its result whatever comes after', async () => {
  const { clock, engine, flow, actorOf } = world();
  const actor = actorOf().start();
  actor.stop();
  assert.equal([actor.getSnapshot().status, actor.getSnapshot().context.startedAt], ['stopped', 0]);

  const run = await engine.start(flow);
  await clock.run(run.settled());
  const done = run.actor;
  const snapshot = done.getSnapshot();
  run.rerun(['b']);
  await clock.run(run.settled());
  assert.is(done.getSnapshot(), snapshot);
  assert.is(snapshot.context.tasks.b?.endedAt, 80);
  assert.is(run.actor.getSnapshot().context.tasks.b?.endedAt, 90);
});

test('read alike of a run of many tasks, and cost about what has changed', async () => {
  const clock = createVirtualClock();
  const engine = createEngine({ clock, logger: silent });
  const size = 700;
  const tasks = Object.fromEntries(
    Array.from({ length: size }, (_, task) => [
      `t${task}`,
      { dependsOn: task === 0 ? [] : [`t${task - 1}`] },
    ]),
  );
  const run = await engine.start(createFlowFromGraph({ name: 'chain', tasks }, ({ taskId }) => taskId));
  const seen: RunView[] = [];
  run.actor.subscribe(({ context }) => {
    assert.ok(context.tasks[`t${size - 1}`]);
    seen.push(context);
  });
  await clock.run(run.settled());
  assert.ok(seen.length > size);
  assert.equal(seen.at(-1), run.view());
  const done = seen.map((view) => Object.values(view.tasks).filter(({ status }) => status === 'done').length);
  assert.equal(
    done,
    done.toSorted((one, other) => one - other),
  );
  const [one, other] = [seen[100], seen[101]] as [RunView, RunView];
  const same = Object.keys(one.tasks).filter((id) => one.tasks[id] === other.tasks[id]);
  assert.ok(same.length >= size - 2);
});
