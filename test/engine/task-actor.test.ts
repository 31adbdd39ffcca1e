import { createFlow, type Run } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('actors of tasks');

function systemOf(run: Run): AnyActorRef['system'] {
  return (run.actor as unknown as AnyActorRef).system;
}

function idOf({ actorRef }: InspectionEvent): string {
  return (actorRef as AnyActorRef).id;
}

/** The ids of the tasks that have an actor by now. */
function embodied(events: readonly InspectionEvent[]): string[] {
  return events.flatMap((event) => (event.type === '@xstate.actor' ? [idOf(event)] : []));
}

test('are there for whoever asks, from the verdict until the task has settled', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('asked')
    .task('a', { perform: () => clock.sleep(10) })
    .task('b', { dependsOn: ['a'], perform: () => clock.sleep(10) });
  const run = await engine.start(flow, undefined, { id: '50 % of r%2F1' });
  const system = systemOf(run as Run);
  await clock.advance(1);
  const a = system.get('50 % of r%2F1/a') as AnyActorRef;
  assert.equal([a.getSnapshot().value, a.id, a === system.get('50 % of r%2F1/a')], ['running', 'a', true]);
  assert.equal(
    [system.get('50 % of r%2F1/b'), system.get('50 % of r%2F1/c'), system.get('other/a'), system.get('a')],
    [undefined, undefined, undefined, undefined],
  );
  const seen: string[] = [];
  a.subscribe({ next: ({ value }) => seen.push(value), complete: () => seen.push('complete') });
  await clock.advance(10);
  assert.equal(seen, ['done', 'complete']);
  assert.equal(Object.keys(system.getAll()), ['50 % of r%2F1/b']);
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(system.getAll(), {});
});

test('are made while their machine is in the middle of a step, too', async () => {
  const { clock, engine } = virtualEngine();
  let amid: AnyActorRef | undefined;
  const flow = createFlow('amid').task('a', {
    perform: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          amid = systemOf(run as Run).get(`${run.id}/a`);
          run.cancel('twice');
          reject(signal.reason);
        });
      }),
  });
  const run = await engine.start(flow);
  await clock.advance(1);
  run.cancel('once');
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.tasks.a?.status, view.reason], ['cancelled', 'cancelled', 'once']);
  assert.equal([amid?.getSnapshot().value, amid?.getSnapshot().status], ['cancelled', 'done']);
});

test('are shown to an inspector that comes later, each from its next step on', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('later')
    .task('quick', { perform: () => 1 })
    .task('slow', { dependsOn: ['quick'], perform: () => clock.sleep(10) })
    .task('last', { dependsOn: ['slow'], perform: () => 1 });
  const run = await engine.start(flow);
  await clock.advance(1);
  const events: InspectionEvent[] = [];
  systemOf(run as Run).inspect((event: InspectionEvent) => events.push(event));
  await clock.run(run.settled());
  assert.equal(embodied(events), ['slow', 'last']);
  const steps = events.flatMap((event) =>
    event.type === '@xstate.microstep' ? [`${idOf(event)} ${event.event.type}`] : [],
  );
  // The run takes its steps within that of the task, on whose last word they are.
  assert.equal(steps, [
    'last task.ready',
    `${run.id} task.settled`,
    'slow attempt.done',
    'last attempt.start',
    `${run.id} task.settled`,
    `${run.id} run.conclude`,
    'last attempt.done',
  ]);
});

test('fail the run if one of them throws', async () => {
  const clock = createVirtualClock();
  let isBroken = false;
  const whenIdle = (callback: () => void): void => {
    if (isBroken) throw new RangeError('the clock is broken');
    clock.whenIdle(callback);
  };
  const setTimeout = clock.setTimeout.bind(clock);
  const clearTimeout = clock.clearTimeout.bind(clock);
  const { engine } = virtualEngine({
    clock: { now: clock.now, whenIdle, setTimeout, clearTimeout },
    logger: silent,
  });
  const flow = createFlow('broken')
    .task('a', {
      perform: async () => {
        await clock.sleep(1);
        isBroken = true;
      },
    })
    .task('b', { dependsOn: ['a'], perform: () => 1 });
  const run = await engine.start(flow);
  const settled = run.settled().catch((error: unknown) => error);
  await clock.advance(10);
  const error = (await settled) as Error;
  assert.equal([error.name, error.message], ['RangeError', 'the clock is broken']);
});
