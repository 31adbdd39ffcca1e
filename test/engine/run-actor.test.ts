import { createEngine, createFlow, createMemoryStore, type Run } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorRef, type InspectionEvent, toPromise } from 'xstate';
import { spec } from '../spec.ts';
import { storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('actor of a run');

/** What is to be seen of the actor, which is made if there was none. */
function seenOf(run: Run): readonly unknown[] {
  const { status, value, output, error } = run.actor.getSnapshot();
  return [status, value, output, (error as Error | undefined)?.message];
}

function slowFlow(clock: { sleep(ms: number): Promise<void> }) {
  return createFlow('slow')
    .task('a', { perform: () => clock.sleep(10) })
    .task('b', { dependsOn: ['a'], perform: () => clock.sleep(10).then(() => 'made') });
}

test('is there for whoever asks while the run is under way, and goes on with it', async () => {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(slowFlow(clock));
  await clock.advance(1);
  const { actor } = run;
  assert.is(run.actor, actor);
  assert.equal(seenOf(run as Run), ['active', 'running', undefined, undefined]);
  const heard: string[] = [];
  actor.on('task.done', ({ taskId }) => heard.push(taskId));
  const seen: string[] = [];
  actor.subscribe(({ context }) => seen.push(`${context.tasks.a?.status} ${context.tasks.b?.status}`));
  run.pause();
  assert.is(actor.getSnapshot().value, 'paused');
  actor.send({ type: 'run.resume' });
  const output = await clock.run(toPromise(actor as never));
  assert.equal(output, { status: 'done', outputs: { a: undefined, b: 'made' } });
  assert.equal(heard, ['a', 'b']);
  assert.equal(
    [seen.at(0), seen.includes('done pending'), seen.at(-1)],
    ['running pending', true, 'done done'],
  );
  assert.equal(await run.outputs(), { a: undefined, b: 'made' });
});

test('is there when the run has settled, too', async () => {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(slowFlow(clock));
  await clock.run(run.settled());
  const output = { status: 'done', outputs: { a: undefined, b: 'made' } };
  assert.equal(seenOf(run as Run), ['done', 'done', output, undefined]);
  assert.equal(run.actor.getSnapshot().context, run.view());
  assert.equal(await toPromise(run.actor as never), output);
});

test('is stopped with the run, or shows what broke it', async () => {
  const { clock, engine } = virtualEngine();
  const stopped = await engine.start(slowFlow(clock));
  await clock.advance(1);
  await engine.stop();
  assert.equal(seenOf(stopped as Run), ['stopped', 'running', undefined, undefined]);

  const store = createMemoryStore();
  let isFull = false;
  const append: typeof store.append = (given) => {
    if (isFull) throw new Error('disk full');
    store.append(given);
  };
  const other = createVirtualClock();
  const full = storeOver(store, { append });
  const broken = await createEngine({ clock: other, logger: silent, store: full }).start(slowFlow(other));
  const settled = broken.settled().catch(() => {});
  isFull = true;
  await other.advance(100);
  await settled;
  assert.equal(seenOf(broken as Run), ['error', 'running', undefined, 'disk full']);
  let told: unknown;
  broken.actor.subscribe({
    error: (error) => {
      told = error;
    },
  });
  assert.is((told as Error).message, 'disk full');
});

test('is made in the middle of a step, the last one too', async () => {
  const { clock, engine } = virtualEngine();
  const amid: unknown[] = [];
  const flow = createFlow('amid').task('a', {
    perform: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          amid.push(run.actor.getSnapshot().value);
          reject(signal.reason);
        });
      }),
  });
  const run = await engine.start(flow);
  await clock.advance(1);
  run.cancel('enough');
  await clock.run(run.settled());
  assert.equal(amid, ['cancelling']);
  assert.equal(seenOf(run as Run).slice(0, 2), ['done', 'cancelled']);

  const last = await engine.start(slowFlow(clock));
  let actor: AnyActorRef | undefined;
  const ended: unknown[] = [];
  last.on('run.done', () => {
    actor = last.actor as unknown as AnyActorRef;
    actor.subscribe({ complete: () => ended.push(actor?.getSnapshot().status) });
  });
  assert.is((await clock.run(last.settled())).status, 'done');
  assert.equal(ended, ['done']);
});

test('shows the run also where its last step threw', async () => {
  const store = createMemoryStore();
  const append: typeof store.append = (given) => {
    if (given.entries.some(({ type }) => type === 'run.done')) throw new Error('disk full');
    store.append(given);
  };
  const { clock, engine } = virtualEngine({ store: storeOver(store, { append }) });
  const run = await engine.start(slowFlow(clock));
  const { actor } = run;
  let told: Error | undefined;
  actor.subscribe({
    error: (error) => {
      told = error as Error;
    },
  });
  await clock.advance(100);
  assert.is(told?.message, 'disk full');
  const snapshot = actor.getSnapshot();
  assert.equal([snapshot.status, snapshot.context.tasks.b?.status], ['error', 'running']);
  assert.equal([snapshot.matches('running'), snapshot.hasTag('x'), snapshot.children], [true, false, {}]);
  assert.equal([snapshot.can({ type: 'run.pause' }), snapshot.getMeta()], [false, {}]);
  assert.is(JSON.parse(JSON.stringify(snapshot)).status, 'error');
});

test('is inspected from its first step on, where the engine is', async () => {
  const events: InspectionEvent[] = [];
  const { clock, engine } = virtualEngine({ inspect: (event) => events.push(event) });
  const run = await engine.start(createFlow('seen').task('a', { perform: () => 1 }));
  await clock.run(run.settled());
  const actions = events.flatMap((event) => (event.type === '@xstate.action' ? [event.action.type] : []));
  assert.equal(actions.slice(0, 3), ['openRun', 'announce', 'deliverVerdicts']);
});
