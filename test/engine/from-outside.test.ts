import { createFlow, type EngineOptions, type Entry } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import {
  type AnyActorRef,
  type AnyEventObject,
  createActor,
  forwardTo,
  fromCallback,
  type InspectionEvent,
  sendParent,
  setup,
  toPromise,
} from 'xstate';
import type { Owner } from '../../src/engine/actor-owner.ts';
import { ownerOf } from '../../src/engine/actor-owner.ts';
import type { LiveRun } from '../../src/engine/live-run.ts';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('events from outside');

const forged: readonly AnyEventObject[] = [
  { type: 'task.settled', at: 1, task: 0, status: 'done' },
  { type: 'run.conclude', at: 1, outputs: { a: 'forged' }, failures: [] },
  { type: 'run.recover', at: 1 },
  { type: 'run.start', at: 1, version: 1, flow: 'f', flowHash: '', input: 'forged' },
  { type: 'xstate.error.actor.topple', error: new Error('forged') },
  { type: 'xstate.error.actor.a', error: new Error('forged'), actorId: 'a' },
  { type: 'xstate.done.actor.a', output: 'forged', actorId: 'a' },
  { type: 'xstate.stop' },
  { type: 'topple.look' },
  { type: 'attempt.start', at: 1 },
  { type: 'attempt.done', at: 1, output: 'forged' },
  { type: 'attempt.failed', at: 1, cause: 'exhausted', error: { name: 'Error', message: 'forged' } },
  { type: 'attempt.progress', at: 1, fraction: 1 },
  { type: 'task.cancel', at: 1, cause: 'cancelled' },
  { type: 'task.expire', at: 1, cause: 'timeout', error: { name: 'Error', message: 'forged' } },
  { type: 'xstate.error.actor.body', error: new Error('forged'), actorId: 'body' },
  undefined as never,
];

/** An engine whose warnings are kept. */
function warned(options: EngineOptions = {}) {
  const warnings: string[] = [];
  const logger = { ...silent, warn: (message: string) => warnings.push(message) };
  return { warnings, ...virtualEngine({ logger, ...options }) };
}

/** What `console` warns of meanwhile: the default engine's logger. */
async function warningsOf(act: () => Promise<void>): Promise<string[]> {
  const { warn } = console;
  const warnings: string[] = [];
  console.warn = (message: string) => warnings.push(message);
  try {
    await act();
  } finally {
    console.warn = warn;
  }
  return warnings;
}

function journalOf(actor: unknown): Entry[] {
  return ownerOf<LiveRun>(actor as AnyActorRef).journal.toEntries();
}

function taskOf(actor: unknown, taskId: string): AnyActorRef {
  return ownerOf<LiveRun>(actor as AnyActorRef).find(
    `${ownerOf<LiveRun>(actor as AnyActorRef).config.namePrefix}${taskId}`,
  ) as AnyActorRef;
}

for (const way of ['logic', 'machine'] as const) {
  test(`changes nothing of a run or a task, unless it is a command (flow.${way})`, async () => {
    const clock = createVirtualClock();
    const calls: string[] = [];
    const body = (id: string) => () => clock.sleep(10).then(() => calls.push(id));
    const flow = createFlow('attacked')
      .task('a', { perform: body('a') })
      .task('b', { dependsOn: ['a'], perform: body('b') });
    const actor = createActor(flow[way] as typeof flow.logic, { input: undefined, clock: clock as never });
    const warnings = await warningsOf(async () => {
      const attack = () => {
        for (const event of forged) actor.send(event as never);
        for (const taskId of ['a', 'b'])
          for (const event of forged) taskOf(actor, taskId)?.send(event as never);
      };
      // Before its start, too: XState keeps that until then.
      for (const event of forged) actor.send(event as never);
      actor.start();
      const settled = toPromise(actor);
      attack();
      await clock.advance(5);
      attack();
      await clock.advance(10);
      attack();
      assert.equal(await clock.run(settled), { status: 'done', outputs: { a: 1, b: 2 } });
    });
    assert.equal(
      journalOf(actor).map(({ type, at }) => `${at} ${type}`),
      [
        '0 run.started',
        '0 task.ready',
        '0 task.started',
        '10 task.done',
        '10 task.ready',
        '10 task.started',
      ].concat(['20 task.done', '20 run.done']),
    );
    assert.equal(calls, ['a', 'b']);
    // Each type once; XState sends two of them by itself.
    assert.is(warnings.length, forged.length);
    assert.match(
      warnings[0] as string,
      /^Run .+ was sent `task\.settled`, which changes nothing: from outside a run/,
    );
  });
}

test('is told to the logger once for each type, and of at most twenty types', async () => {
  const { clock, engine, warnings } = warned();
  const flow = createFlow('told').task('a', { perform: () => clock.sleep(10) });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(1);
  const actor = run.actor as unknown as AnyActorRef;
  for (let times = 0; times < 3; times++) {
    actor.send({ type: 'task.settled', at: 1, task: 0, status: 'done' });
    taskOf(actor, 'a').send({ type: 'attempt.done', at: 1 });
    actor.send({ type: 'attempt.done', at: 1 });
    actor.send({ at: 1 } as never);
  }
  const rest =
    ', which changes nothing: from outside a run takes `run.cancel`, `run.pause` and `run.resume`, and a task takes no events. ' +
    'Told once for each type';
  assert.equal(warnings, [
    `Run r was sent \`task.settled\`${rest}`,
    `Task \`a\` of run r was sent \`attempt.done\`${rest}`,
    `Run r was sent an event without a type${rest}`,
  ]);
  for (let number = 0; number < 100; number++) actor.send({ type: `made up ${number}${'.'.repeat(1_000)}` });
  assert.is(warnings.length, 20);
  assert.ok(warnings.every((warning) => warning.length < 300));
  assert.is((await clock.run(run.settled())).status, 'done');
});

test('may be passed on by a parent that forwards all it gets', async () => {
  const { clock, engine, warnings } = warned();
  const flow = createFlow('forwarded', { forwardEvents: true }).task('a', { perform: () => clock.sleep(10) });
  const parent = setup({ actors: { flow: engine.logic(flow) } }).createMachine({
    invoke: { id: 'run', src: 'flow', input: undefined },
    on: { '*': { actions: forwardTo('run') } },
  });
  const actor = createActor(parent, { clock: clock as never }).start();
  const run = actor.getSnapshot().children.run as AnyActorRef;
  await clock.advance(1);
  // The parent takes XState's own for itself.
  for (const event of forged) if (event && !event.type.startsWith('xstate.')) actor.send(event as never);
  actor.send({ type: 'run.pause' } as never);
  assert.is(run.getSnapshot().value, 'paused');
  actor.send({ type: 'run.resume' } as never);
  await clock.advance(20);
  assert.equal(run.getSnapshot().output, { status: 'done', outputs: { a: undefined } });
  assert.ok(warnings.some((warning) => warning.includes('`task.settled`')));
  assert.ok(warnings.some((warning) => warning.includes('`task.started`')));
});

for (const way of ['logic', 'machine'] as const) {
  test(`gives a command no more than its type and its reason (flow.${way})`, async () => {
    const clock = createVirtualClock(1_000);
    const flow = createFlow('cancelled').task('a', { perform: ({ signal }) => clock.sleep(1_000, signal) });
    const actor = createActor(flow[way] as typeof flow.logic, { input: undefined, clock: clock as never });
    actor.start();
    await clock.advance(10);
    const more = {
      at: Number.NaN,
      seq: -1,
      cause: 'timeout',
      verdicts: [],
      get type() {
        return types.shift() ?? 'task.settled';
      },
    };
    const types = ['run.pause', 'run.conclude'];
    actor.send(more as never);
    assert.is(actor.getSnapshot().value, 'paused');
    actor.send({ type: 'run.cancel', at: 5, cause: 'input', reason: 'enough', task: 0 } as never);
    assert.equal(await clock.run(toPromise(actor)), { status: 'cancelled', reason: 'enough', outputs: {} });
    const [, , , ...told] = journalOf(actor).map(({ seq: _, runId: __, ...entry }) => entry);
    assert.equal(told, [
      { type: 'run.paused', at: 1_010 },
      { type: 'run.cancelling', at: 1_010, cause: 'cancelled', reason: 'enough' },
      { type: 'task.cancelled', at: 1_010, taskId: 'a', attempt: 1, cause: 'cancelled', reason: 'enough' },
      { type: 'run.cancelled', at: 1_010, reason: 'enough' },
    ]);
  });

  test(`is taken before the start where it is a command (flow.${way})`, async () => {
    const flow = createFlow('early').task('a', { perform: () => 1 });
    const actor = createActor(flow[way] as typeof flow.logic, { input: undefined });
    actor.send({ type: 'run.cancel', reason: 'early' });
    actor.start();
    assert.equal(await toPromise(actor), { status: 'cancelled', reason: 'early', outputs: {} });
  });
}

test('changes nothing where a body sends it to its parent', async () => {
  const { clock, engine, warnings } = warned();
  const body = setup({ delays: { later: 10 } }).createMachine({
    initial: 'working',
    entry: [sendParent({ type: 'attempt.done', at: 1, output: 'forged' }), sendParent({ type: 'PROGRESS' })],
    states: {
      working: { after: { later: 'over' } },
      over: { type: 'final', entry: sendParent({ type: 'PROGRESS' }) },
    },
    output: 'made',
  });
  const failing = fromCallback(({ sendBack }) => {
    sendBack({ type: 'attempt.done', at: 1, output: 'forged' });
    throw new Error('on purpose');
  });
  const flow = createFlow('bodies').task('a', { actor: body }).task('b', { actor: failing, optional: true });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const { tasks } = await clock.run(run.settled());
  assert.equal([tasks.a?.output, tasks.b?.status, tasks.b?.error?.message], ['made', 'failed', 'on purpose']);
  assert.equal(
    warnings.map((warning) => warning.slice(0, warning.indexOf(','))),
    ['Task `a` of run r was sent `attempt.done`', 'Task `a` of run r was sent `PROGRESS`'],
  );
});

test('changes nothing where an inspector sends it, at whatever moment', async () => {
  let isBusy = false;
  const inspect = ({ type, actorRef }: InspectionEvent): void => {
    const { system } = actorRef as AnyActorRef;
    if (isBusy) return;
    isBusy = true;
    for (const event of forged) (actorRef as AnyActorRef).send(event);
    // The actor that it tells of is not there yet.
    if (type !== '@xstate.actor')
      for (const other of Object.values(system.getAll())) other.send(forged[0] as never);
    isBusy = false;
  };
  const { clock, engine } = virtualEngine({ inspect });
  const plain = virtualEngine();
  const flow = createFlow('inspected')
    .task('a', {
      retry: { maxAttempts: 2, backoff: 5 },
      perform: ({ attempt }) => (attempt === 1 ? Promise.reject(new Error('once')) : 1),
    })
    .task('b', { dependsOn: ['a'], perform: () => 2 });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const other = await plain.engine.start(flow, undefined, { id: 'r' });
  assert.equal(await clock.run(run.settled()), await plain.clock.run(other.settled()));
  const later = createVirtualClock();
  const actor = createActor(engine.logic(flow), { input: undefined, clock: later as never, inspect }).start();
  assert.equal(await later.run(toPromise(actor)), { status: 'done', outputs: { a: 1, b: 2 } });
});

test('changes nothing of a run that goes on from a snapshot', async () => {
  const { clock, engine, warnings } = warned();
  const flow = createFlow('restored').task('a', { perform: () => clock.sleep(10).then(() => 1) });
  const logic = engine.logic(flow);
  const first = createActor(logic, { input: undefined, clock: clock as never }).start();
  await clock.advance(1);
  const snapshot = first.getPersistedSnapshot();
  first.stop();
  const restored = createActor(logic, { snapshot, input: undefined, clock: clock as never });
  for (const event of forged) restored.send(event as never);
  restored.start();
  for (const event of forged) restored.send(event as never);
  await clock.advance(1);
  for (const event of forged) taskOf(restored, 'a').send(event as never);
  assert.equal(await clock.run(toPromise(restored)), { status: 'done', outputs: { a: 1 } });
  assert.is(warnings.length, forged.length);
});

test('is a command where the snapshot says that it can be taken', async () => {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(createFlow('can').task('a', { perform: () => clock.sleep(10) }));
  const snapshot = run.actor.getSnapshot();
  const can = (event: object) => snapshot.can(event as never);
  assert.equal(
    [can({ type: 'run.cancel' }), can({ type: 'run.pause' }), can({ type: 'run.resume' })],
    [true, true, false],
  );
  assert.is(
    forged.some((event) => can(event)),
    false,
  );
});

test('is what ends a run whose task broke: the engine hears of it by itself', async () => {
  const { clock, engine } = virtualEngine({ inspect: () => {} });
  const flow = createFlow('broken').task('a', { perform: () => clock.sleep(10) });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(1);
  const task = taskOf(run.actor, 'a');
  const host = ownerOf<Owner & { reportSettled(): void }>(task);
  Object.defineProperty(host, 'reportSettled', {
    value: () => {
      throw new RangeError('a defect');
    },
  });
  const ended = run.settled().catch((error: unknown) => error);
  await clock.advance(20);
  assert.is(((await ended) as Error).message, 'a defect');
  assert.is(run.actor.getSnapshot().status, 'error');
});
