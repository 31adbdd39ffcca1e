import { createFlow, createMemoryStore, type Entry, type Flow, type Run } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { lateStore } from '../support/late-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('undo');

const fail = (message: string) => () => {
  throw new Error(message);
};

test('has the input, the output, why the run ended, and the keys', async () => {
  const { clock, engine } = virtualEngine();
  const seen: unknown[] = [];
  const flow = createFlow('order')
    .task('reserve', { perform: () => 'seat 7' })
    .task('charge', {
      dependsOn: ['reserve'],
      perform: () => ({ id: 'c1' }),
      compensate: ({ input, output, deps, status, error, reason, runId, taskId, attempt, ...keys }) => {
        const { idempotencyKey, undoKey } = keys;
        const { name, message } = error ?? {};
        seen.push([input, output, deps, status, name, message, reason, runId, taskId, attempt]);
        seen.push([idempotencyKey, undoKey]);
      },
    })
    .task('ship', { dependsOn: ['charge'], perform: fail('no stock') });
  const run = await engine.start(flow, 'given', { id: 'r' });
  await clock.run(run.settled());
  assert.equal(seen, [
    ['given', { id: 'c1' }, { reserve: 'seat 7' }, 'done', 'Error', 'no stock', undefined, 'r', 'charge', 1],
    ['r/charge', 'r/#undo/charge'],
  ]);
});

test('has the reason of a cancel, and is not touched by commands or the limit of the run', async () => {
  const { clock, engine } = virtualEngine();
  const seen: unknown[] = [];
  const flow = createFlow('order', { totalTimeoutMs: 50 })
    .task('charge', {
      perform: () => 'c1',
      compensate: async ({ reason, error, signal }) => {
        await clock.sleep(100, signal);
        seen.push([reason, error]);
      },
    })
    .task('ship', { dependsOn: ['charge'], perform: ({ signal }) => clock.sleep(1_000, signal) });
  const run = await engine.start(flow);
  await clock.advance(10);
  run.cancel('changed my mind');
  const settled = run.settled();
  await clock.advance(10);
  assert.is(run.view().status, 'compensating');
  assert.is(run.actor.getSnapshot().value, 'compensating');
  for (const command of ['pause', 'resume', 'cancel'] as const) run[command]();
  engine.run(`${run.id}/#undo#1`).then((undo) => undo?.cancel());
  await clock.advance(10);
  assert.is(run.view().status, 'compensating');
  const view = await clock.run(settled);
  assert.equal([view.status, view.reason, view.endedAt], ['cancelled', 'changed my mind', 110]);
  assert.equal(seen, [['changed my mind', undefined]]);
  assert.equal(
    run
      .entries()
      .map(({ type }) => type)
      .filter((type) => type.startsWith('run.')),
    ['run.started', 'run.cancelling', 'run.compensating', 'run.cancelled'],
  );
});

test('undoes nothing in a run that is done, and says so of none', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('order')
    .task('a', { perform: () => 1, compensate: fail('called') })
    .task('b', { perform: fail('b'), optional: true });
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  assert.is(view.status, 'done');
  assert.not('compensation' in view);
});

test('undoes a run whose output was refused', async () => {
  const { clock, engine } = virtualEngine();
  const undone: unknown[] = [];
  const flow = createFlow('order')
    .task('a', { perform: () => 1, compensate: ({ error, reason }) => undone.push(error?.message, reason) })
    .output(fail('no output'));
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.cause, view.reason], ['failed', 'output', 'no output']);
  assert.equal(undone, ['no output', 'no output']);
  const last = run.entries().at(-1);
  assert.is(last?.type === 'run.failed' && last.error?.message, 'no output');
});

test('undoes what an attempt may have done, under `started`', async () => {
  const { clock, engine } = virtualEngine();
  const undone: string[] = [];
  const compensate = {
    after: 'started',
    perform: ({ taskId, status, output }: { taskId: string; status: string; output: unknown }) =>
      undone.push(`${taskId} ${status} ${output}`),
  } as const;
  const flow = createFlow('order')
    .task('done', { perform: () => 'x', compensate })
    .task('failed', { perform: fail('no'), compensate })
    .task('never', { dependsOn: ['failed'], perform: () => 1, compensate })
    .task('cut', { perform: ({ signal }) => clock.sleep(100, signal), compensate })
    .task('plain', { perform: fail('no'), compensate: () => undone.push('plain') });
  const run = await engine.start(flow);
  await clock.advance(10);
  run.cancel();
  await clock.run(run.settled());
  assert.equal(undone.sort(), ['cut cancelled undefined', 'done done x', 'failed failed undefined']);
});

test('shows what could not be undone, and leaves what is upstream of that', async () => {
  const { clock, engine } = virtualEngine();
  const attempts: string[] = [];
  const note = ({ taskId, attempt }: { taskId: string; attempt: number }) =>
    attempts.push(`${taskId} ${attempt}`);
  const flow = createFlow('order')
    .task('a', { perform: () => 1, compensate: note })
    .task('b', {
      dependsOn: ['a'],
      perform: () => 1,
      compensate: {
        retry: { maxAttempts: 2, backoff: 10 },
        perform: (scope) => {
          note(scope);
          throw new Error('gone');
        },
      },
    })
    .task('c', { perform: () => 1, compensate: note })
    .task('d', { dependsOn: ['b', 'c'], perform: fail('no') });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const { compensation } = await clock.run(run.settled());
  const [failure] = compensation?.failures ?? [];
  assert.equal(compensation?.tasks, { a: 'blocked', b: 'failed', c: 'undone' });
  assert.equal(
    [compensation?.status, compensation?.runId, failure?.taskId, failure?.error.message, failure?.cause],
    ['failed', 'r/#undo#1', 'b', 'gone', 'exhausted'],
  );
  assert.equal(attempts.sort(), ['b 1', 'b 2', 'c 1']);
});

test('goes on after a stop, with what was not undone', async () => {
  const store = createMemoryStore();
  const undone: string[] = [];
  const flowOn = (clock: { sleep(ms: number, signal: AbortSignal): Promise<void> }) => {
    const compensate = async ({ taskId, signal }: { taskId: string; signal: AbortSignal }) => {
      await clock.sleep(100, signal);
      undone.push(taskId);
    };
    return createFlow('order')
      .task('a', { perform: () => 1, compensate })
      .task('b', { dependsOn: ['a'], perform: () => 1, compensate })
      .task('c', { dependsOn: ['b'], perform: fail('no') });
  };
  const before = virtualEngine({ store });
  const run = await before.engine.start(flowOn(before.clock), undefined, { id: 'r' });
  const settled = run.settled().catch((error: Error) => error.name);
  await before.clock.advance(150);
  assert.equal(undone, ['b']);
  await before.engine.stop();
  assert.is(await settled, 'EngineStoppedError');
  assert.is(store.list({ settled: false })[0]?.id, 'r');
  const after = virtualEngine({ store });
  await after.clock.advance(1_000);
  const [again] = await after.engine.recover([flowOn(after.clock)]);
  const view = await after.clock.run((again as Run).settled());
  assert.equal([view.status, view.compensation?.tasks], ['failed', { a: 'undone', b: 'undone' }]);
  assert.equal(undone, ['b', 'a']);
});

test('has what is undone performed again by every rerun, under another key', async () => {
  const { clock, engine } = virtualEngine();
  const keys: string[] = [];
  let ships = false;
  let refunds = false;
  const note = ({ idempotencyKey }: { idempotencyKey: string }) => {
    keys.push(idempotencyKey);
  };
  const undo = ({ undoKey }: { undoKey: string }) => {
    keys.push(undoKey);
  };
  const flow = createFlow('order')
    .task('reserve', { perform: note, compensate: undo })
    .task('charge', {
      perform: note,
      compensate: (scope) => {
        undo(scope);
        if (!refunds) throw new Error('bank holiday');
      },
    })
    .task('label', { perform: note })
    .task('ship', {
      dependsOn: ['reserve', 'charge', 'label'],
      perform: (scope) => {
        note(scope);
        if (!ships) throw new Error('no stock');
      },
    });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal(keys.splice(0).slice(-2), ['r/#undo/reserve', 'r/#undo/charge']);
  refunds = true;
  run.rerun(['ship']);
  assert.not('compensation' in run.view());
  await clock.run(run.settled());
  // That whose undo failed stays as it was, and is undone once more.
  assert.equal(keys.splice(0), ['r/reserve#1', 'r/ship', 'r/#undo/reserve#1', 'r/#undo/charge']);
  ships = true;
  run.rerun();
  const view = await clock.run(run.settled());
  assert.equal(keys, ['r/reserve#2', 'r/charge#1', 'r/ship']);
  assert.equal([view.status, view.compensation], ['done', undefined]);
});

test('leaves a child run as it is while a retry of its task follows, and undoes it once none does', async () => {
  const { clock, engine } = virtualEngine();
  const told: string[] = [];
  const child = createFlow('child')
    .task('a', { perform: () => told.push('a'), compensate: () => told.push('undo a') })
    .task('b', {
      dependsOn: ['a'],
      perform: () => {
        told.push('b');
        throw new Error('b');
      },
    });
  const flow = createFlow('parent')
    .flow('child', { flow: child, optional: true, retry: { maxAttempts: 2, backoff: 10 } })
    .task('after', { dependsOn: ['child'], triggerRule: 'all_settled', perform: () => told.push('after') });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.equal(told, ['a', 'b', 'b', 'undo a', 'after']);
  assert.equal([view.status, view.compensation], ['done', undefined]);
  assert.is(view.tasks.child?.child?.undo, 'done');
  const below = (await engine.run('r/child#1'))?.view();
  assert.equal([below?.status, below?.compensation?.tasks], ['failed', { a: 'undone' }]);
});

test('blocks what is upstream of a child run that could not be undone before its task settled', async () => {
  const { clock, engine } = virtualEngine();
  let asked = 0;
  const child = createFlow('child')
    .task('a', {
      perform: () => 1,
      compensate: () => {
        asked++;
        throw new Error('stuck');
      },
    })
    .task('b', { dependsOn: ['a'], perform: fail('b') });
  const flow = createFlow('parent')
    .task('before', { perform: () => 1, compensate: fail('called') })
    .task('beside', { perform: () => 1, compensate: () => 'done' })
    .flow('child', { flow: child, dependsOn: ['before'] });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const { compensation } = await clock.run(run.settled());
  assert.equal(compensation?.tasks, { before: 'blocked', beside: 'undone', child: 'failed' });
  assert.is(asked, 1);
});

test('counts undo in keys at each level, over the lives of child runs', async () => {
  const { clock, engine } = virtualEngine();
  const keys: string[] = [];
  const note = ({ idempotencyKey }: { idempotencyKey: string }) => {
    keys.push(idempotencyKey);
  };
  let holds = true;
  const inner = createFlow('inner').task('x', { perform: note, compensate: () => {} });
  const child = createFlow('child')
    .task('a', { perform: note, compensate: () => {} })
    .task('stays', {
      perform: note,
      compensate: () => {
        if (holds) throw new Error('stays');
      },
    })
    .flow('inner', { flow: inner });
  let ends = false;
  const flow = createFlow('parent')
    .flow('child', { flow: child })
    .task('last', {
      dependsOn: ['child'],
      perform: () => {
        if (!ends) throw new Error('last');
      },
    });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const first = await clock.run(run.settled());
  assert.equal(first.compensation?.tasks, { child: 'failed' });
  assert.equal(keys.splice(0), ['r/child/a', 'r/child/stays', 'r/child/inner/x']);
  run.rerun(['child']);
  await clock.run(run.settled());
  // What was undone has another key, in the next life too; what was not has its own.
  assert.equal(keys.splice(0), ['r/child/a#1', 'r/child/stays', 'r/child/inner#1/x#1']);
  holds = false;
  run.rerun(['child']);
  const third = await clock.run(run.settled());
  assert.equal(keys.splice(0), ['r/child/a#2', 'r/child/stays', 'r/child/inner#2/x#2']);
  assert.equal(third.compensation?.tasks, { child: 'undone' });
  ends = true;
  run.rerun();
  await clock.run(run.settled());
  assert.equal(keys, ['r/child#1/a#3', 'r/child#1/stays#1', 'r/child#1/inner#3/x#3']);
});

test('performs again only what was undone, where a child run was undone in part', async () => {
  const { clock, engine } = virtualEngine();
  const keys: string[] = [];
  const note = ({ idempotencyKey }: { idempotencyKey: string }) => {
    keys.push(idempotencyKey);
  };
  const inner = createFlow('inner')
    .task('x', { perform: note, compensate: () => {} })
    .task('stays', { perform: note, compensate: fail('stays') });
  const child = createFlow('child').task('a', { perform: note }).flow('inner', { flow: inner });
  let ends = false;
  const flow = createFlow('parent')
    .flow('child', { flow: child })
    .task('last', {
      dependsOn: ['child'],
      perform: () => {
        if (!ends) throw new Error('last');
      },
    });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal(keys.splice(0), ['r/child/a', 'r/child/inner/x', 'r/child/inner/stays']);
  ends = true;
  run.rerun();
  const view = await clock.run(run.settled());
  assert.is(view.status, 'done');
  assert.equal(keys, ['r/child/inner/x#1']);
});

test('keeps what is to be undone before it is, and what is undone before it says so, where keeping takes time', async () => {
  const store = lateStore();
  const { clock, engine } = virtualEngine({ store });
  const lasts: (string | undefined)[] = [];
  const last = (id: string): Entry['type'] | undefined => store.memory.read(id).at(-1)?.type;
  const inner = createFlow('inner').task('x', { perform: () => 1, compensate: () => lasts.push(last('r')) });
  const flow = createFlow('order')
    .task('a', { perform: () => 1, compensate: () => lasts.push(last('r')) })
    .flow('inner', { flow: inner, dependsOn: ['a'] })
    .task('b', { dependsOn: ['inner'], perform: fail('no') });
  const run = await engine.start(flow as never as Flow, undefined, { id: 'r' });
  run.on('task.undone', ({ taskId }) => {
    const undo = store.memory.read('r/#undo#1');
    const isKept = undo.some((entry) => entry.type === 'task.done' && entry.taskId === taskId);
    lasts.push(`${taskId} ${isKept}`);
  });
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.compensation?.tasks], ['failed', { a: 'undone', inner: 'undone' }]);
  assert.equal(lasts, ['run.compensating', 'run.compensating', 'inner true', 'a true']);
  assert.is(last('r/inner#1'), 'run.compensated');
});

test('makes no more edges of what it leaves out than there were: a hub stays as a step', async () => {
  const { clock, engine } = virtualEngine();
  let flow = createFlow('hub') as never as Flow;
  const ids = (prefix: string) => Array.from({ length: 40 }, (_, index) => `${prefix}${index}`);
  for (const id of ids('up')) flow = flow.task(id, { perform: () => 1, compensate: () => {} }) as never;
  flow = flow.task('hub', { dependsOn: ids('up') as never, perform: () => 1 }) as never;
  flow = flow.task('pass', { dependsOn: ['hub'] as never, perform: () => 1 }) as never;
  for (const id of ids('down'))
    flow = flow.task(id, { dependsOn: ['pass'] as never, perform: () => 1, compensate: () => {} }) as never;
  flow = flow.task('last', { dependsOn: ids('down') as never, perform: fail('no') }) as never;
  const run = await engine.start(flow, undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.is(Object.values(view.compensation?.tasks ?? {}).filter((status) => status === 'undone').length, 80);
  const graph = (await engine.run('r/#undo#1'))?.definition.graph;
  assert.equal([graph?.size, graph?.edgeCount], [81, 80]);
});
