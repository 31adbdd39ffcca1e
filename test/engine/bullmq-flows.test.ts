import * as assert from 'uvu/assert';
import { type AnyFlow, createFlow, type RunView } from '../../src/index.ts';
import { specWithData } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

interface Cases {
  readonly cases: readonly { readonly id: string }[];
}

const fails = (message: string) => () => {
  throw new Error(message);
};

/** Runs a flow to its end, and gives its view and how long it took. */
async function ended(define: (clock: ReturnType<typeof virtualEngine>['clock']) => AnyFlow) {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(define(clock), undefined, { id: 'r' });
  const view: RunView = await clock.run(run.settled());
  return { view, tasks: view.tasks, endedAt: (view.endedAt ?? 0) - (view.startedAt ?? 0) };
}

/** BullMQ's parents wait for children; here a task waits for runs inside the flow, or its body is a run itself. */
const counterparts: Readonly<Record<string, () => Promise<void>>> = {
  'flow-1': async () => {
    const child = createFlow('child', {}).task('x', { perform: ({ runId }) => runId });
    const { tasks } = await ended(() =>
      createFlow('tree')
        .flow('c0', { flow: child })
        .flow('c1', { flow: child })
        .flow('c2', { flow: child })
        .task('parent', {
          dependsOn: ['c0', 'c1', 'c2'],
          perform: ({ deps }) => [deps.c0.x, deps.c1.x, deps.c2.x],
        }),
    );
    assert.equal(tasks.parent?.output, ['r/c0#1', 'r/c1#1', 'r/c2#1']);
  },
  // What is let go of here is the child's journal, once its task has settled.
  'flow-3': async () => {
    const child = createFlow('child').task('x', { perform: ({ runId }) => runId });
    const { tasks } = await ended((clock) =>
      createFlow('tree')
        .flow('child', { flow: child })
        .task('wait', { dependsOn: ['child'], perform: ({ signal }) => clock.sleep(1_000, signal) })
        .task('parent', { dependsOn: ['child', 'wait'], perform: ({ deps }) => deps.child.x }),
    );
    assert.is(tasks.parent?.output, 'r/child#1');
    assert.is(tasks.child?.child?.counts?.done, 1);
  },
  'flow-7': async () => {
    const { tasks, view } = await ended(() =>
      createFlow('tree')
        .map('children', { over: () => [0, 1, 2], perform: fails('no'), tolerate: 3 })
        .task('parent', { dependsOn: ['children'], perform: ({ deps }) => deps.children }),
    );
    assert.is(view.status, 'done');
    assert.equal(tasks.parent?.output, [undefined, undefined, undefined]);
    assert.equal([tasks.children?.child?.counts?.total, tasks.children?.child?.counts?.failed], [3, 3]);
  },
  'flow-9': async () => {
    let listed = 0;
    const { tasks } = await ended(() =>
      createFlow('tree')
        .task('before', { perform: () => [++listed, 2] })
        .map('added', {
          dependsOn: ['before'],
          over: ({ deps }) => deps.before,
          perform: ({ item }) => item * 10,
        })
        .task('after', { dependsOn: ['added'], perform: ({ deps }) => deps.added }),
    );
    assert.equal([tasks.after?.output, listed], [[10, 20], 1]);
  },
  'flow-11': async () => {
    const child = createFlow('child').task('x', { perform: fails('the child failed') });
    const { tasks } = await ended(() => createFlow('tree').flow('parent', { flow: child }));
    assert.is(tasks.parent?.status, 'failed');
    assert.match(tasks.parent?.error?.message ?? '', /task `x` failed with Error: the child failed/);
  },
  'flow-15': async () => {
    let parents = 0;
    const child = createFlow('child').task('x', {
      retry: { maxAttempts: 3, backoff: ({ attempt }) => attempt * 500 },
      perform: ({ attempt }) => (attempt === 1 ? fails('once')() : attempt),
    });
    const { tasks, endedAt } = await ended(() =>
      createFlow('tree')
        .flow('child', { flow: child })
        .task('parent', { dependsOn: ['child'], perform: () => ++parents }),
    );
    assert.equal([tasks.parent?.output, endedAt], [1, 500]);
  },
  'flow-20': async () => {
    const grandchild = createFlow('grandchild').task('g', { perform: fails('deep') });
    const child = createFlow('child').flow('grandchild', { flow: grandchild });
    const fine = createFlow('fine').task('x', { perform: () => 1 });
    const { view, tasks } = await ended(() =>
      createFlow('tree').flow('child', { flow: child }).flow('sibling', { flow: fine }),
    );
    assert.equal([view.status, tasks.child?.status, tasks.sibling?.status], ['failed', 'failed', 'done']);
    assert.match(
      tasks.child?.error?.message ?? '',
      /Run r\/child#1 of flow `child` ended failed: task `grandchild`/,
    );
    assert.is(tasks.child?.child?.counts?.failed, 1);
  },
  'flow-23': async () => {
    const grandchild = createFlow('grandchild').task('g', { perform: fails('deep') });
    const child = createFlow('child').flow('grandchild', { flow: grandchild, optional: true });
    const { view } = await ended(() =>
      createFlow('tree')
        .flow('child', { flow: child })
        .task('root', { dependsOn: ['child'], perform: () => 1 }),
    );
    assert.equal([view.status, view.tasks.root?.status], ['done', 'done']);
  },
  'flow-24': async () => {
    const child = createFlow('child').task('x', { perform: fails('on purpose') });
    const { tasks } = await ended(() =>
      createFlow('tree')
        .flow('child', { flow: child, optional: true })
        .task('parent', {
          dependsOn: ['child'],
          triggerRule: 'one_failed',
          perform: ({ outcomes }) => outcomes.child.error?.message,
        }),
    );
    assert.match(String(tasks.parent?.output), /on purpose/);
  },
  'flow-26': async () => {
    let starts = 0;
    const { tasks, endedAt } = await ended((clock) => {
      const failing = (ms: number) =>
        createFlow('child').task('x', {
          perform: async ({ signal }) => {
            await clock.sleep(ms, signal);
            throw new Error('no');
          },
        });
      return createFlow('tree')
        .flow('first', { flow: failing(10), optional: true })
        .flow('second', { flow: failing(20), optional: true })
        .task('parent', {
          dependsOn: ['first', 'second'],
          triggerRule: 'one_failed',
          perform: async ({ signal }) => {
            await clock.sleep(100, signal);
            return ++starts;
          },
        });
    });
    assert.equal([tasks.parent?.output, tasks.parent?.attempts, starts], [1, 1, 1]);
    assert.equal([tasks.second?.status, endedAt], ['failed', 110]);
  },
  'flow-28': async () => {
    const { tasks, endedAt } = await ended(() =>
      createFlow('tree')
        .map('children', { over: () => [], perform: () => 1 })
        .task('parent', { dependsOn: ['children'], perform: ({ deps }) => deps.children.length }),
    );
    assert.equal([tasks.children?.output, tasks.parent?.output, endedAt], [[], 0, 0]);
  },
  // A delay is a wait at the start of a body.
  'flow-30': async () => {
    const { tasks } = await ended((clock) =>
      createFlow('tree')
        .map('children', { over: () => [10, 40], perform: ({ item, signal }) => clock.sleep(item, signal) })
        .task('parent', {
          dependsOn: ['children'],
          perform: ({ signal }) => clock.sleep(500, signal),
        }),
    );
    assert.equal([tasks.parent?.startedAt, tasks.parent?.endedAt], [40, 540]);
  },
  'flow-32': async () => {
    const child = createFlow('child').task('x', { perform: fails('no') });
    const { tasks } = await ended(() =>
      createFlow('tree')
        .flow('child', { flow: child })
        .task('parent', { dependsOn: ['child'], perform: () => 1 }),
    );
    assert.is(tasks.parent?.status, 'upstream_failed');
  },
  // A child run is not removed while its root is there: it is cancelled.
  'flow-38': async () => {
    const { clock, engine } = virtualEngine();
    const child = createFlow('child').task('x', { perform: ({ signal }) => clock.sleep(1_000, signal) });
    const flow = createFlow('tree')
      .flow('first', { flow: child, optional: true })
      .flow('second', { flow: child, optional: true })
      .task('parent', {
        dependsOn: ['first', 'second'],
        triggerRule: 'all_settled',
        perform: ({ outcomes }) => [outcomes.first.status, outcomes.second.status],
      });
    const run = await engine.start(flow, undefined, { id: 'r' });
    await clock.advance(1);
    const cancel = async (id: string): Promise<void> => {
      await (await engine.run(id))?.cancel('removed');
      await clock.advance(1);
    };
    await cancel('r/first#1');
    const between = run.view().tasks;
    assert.equal([between.first?.status, between.parent?.status], ['failed', 'pending']);
    await cancel('r/second#1');
    const { tasks } = await clock.run(run.settled());
    assert.equal(tasks.parent?.output, ['failed', 'failed']);
    assert.is(tasks.parent?.endedAt, 2);
  },
};

/** What queues do with jobs that they keep, and a run does not: children that come, go or are removed while it runs. */
const without = ['flow-5', 'flow-13', 'flow-17', 'flow-19', 'flow-34', 'flow-36', 'flow-40'];

specWithData<Cases>('flows of BullMQ as runs inside runs', 'cases/bullmq_flows.json', (test, { cases }) => {
  test('each has a counterpart, or none for a reason', () => {
    assert.equal(cases.map(({ id }) => id).sort(), [...Object.keys(counterparts), ...without].sort());
  });
  for (const { id } of cases) {
    const holds = counterparts[id];
    if (holds !== undefined) test(`${id} holds`, holds);
  }
});
