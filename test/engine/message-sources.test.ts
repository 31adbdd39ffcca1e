import { createFlow, FatalError } from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import {
  type AnyActorLogic,
  type AnyActorRef,
  createActor,
  fromPromise,
  type InspectionEvent,
  setup,
  toPromise,
} from 'xstate';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('messages, as an inspector draws them');

/** The arrows of a sequence diagram, by the actors' ids; `-` where nobody is known. */
class Arrows {
  readonly seen: string[] = [];

  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.event') return;
    const { sourceRef, actorRef } = event;
    this.seen.push(`${nameOf(sourceRef)} → ${nameOf(actorRef)} ${event.event.type}`);
  };

  get withoutSource(): string[] {
    return this.seen.filter((arrow) => arrow.startsWith('-'));
  }
}

function nameOf(ref: unknown): string {
  return ref === undefined ? '-' : (ref as AnyActorRef).id;
}

test('go from the run to its tasks, from a task to itself and to its run', async () => {
  const arrows = new Arrows();
  const { clock, engine } = virtualEngine({ inspect: arrows.inspect });
  const flow = createFlow('two')
    .task('a', { perform: () => 1 })
    .task('b', { dependsOn: ['a'], perform: () => 2 });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal(arrows.seen, [
    '- → r xstate.init',
    'r → r run.start',
    'r → a xstate.init',
    'r → a task.ready',
    'r → a attempt.start',
    'a → a attempt.done',
    'a → r task.settled',
    'r → b xstate.init',
    'r → b task.ready',
    'a → r xstate.done.actor.a',
    'r → b attempt.start',
    'b → b attempt.done',
    'b → r task.settled',
    'r → r run.conclude',
    'b → r xstate.done.actor.b',
  ]);
});

/** Tasks that end in every way, by every kind of message. */
function motley(clock: VirtualClock) {
  const fails = () => {
    throw new FatalError('no');
  };
  return createFlow('motley')
    .task('retries', {
      retry: { maxAttempts: 2, backoff: 5 },
      perform: ({ attempt, progress }) => {
        progress(0.5);
        if (attempt === 1) throw new Error('once');
      },
    })
    .task('late', { totalTimeoutMs: 10, graceMs: 0, perform: () => clock.sleep(50) })
    .task('never', { dependsOn: ['late'], perform: () => 1 })
    .task('skipped', { dependsOn: ['retries'], triggerRule: 'all_failed', perform: () => 1 })
    .task('body', { actor: fromPromise(() => clock.sleep(15)) })
    .task('broken', { actor: fromPromise(async () => fails()) })
    .task('cancelled', { graceMs: 0, perform: () => clock.sleep(1_000) });
}

const told = [
  ...['r → retries attempt.start', 'retries → retries attempt.progress', 'retries → retries attempt.due'],
  ...[
    'late → late task.expire',
    'r → never task.fail_upstream',
    'r → skipped task.skip',
    'r → cancelled task.cancel',
  ],
  ...[
    'body → body attempt.done',
    'broken → broken attempt.failed',
    'cancelled → r task.settled',
    'r → r run.conclude',
  ],
];

test('come from nobody only where a user sends them', async () => {
  const arrows = new Arrows();
  const { clock, engine } = virtualEngine({ inspect: arrows.inspect });
  const run = await engine.start(motley(clock), undefined, { id: 'r', paused: true });
  run.resume();
  await clock.advance(30);
  run.cancel();
  await clock.run(run.settled());
  assert.equal(arrows.withoutSource, [
    '- → r xstate.init',
    '- → r run.pause',
    '- → r run.resume',
    '- → r run.cancel',
  ]);
  assert.equal(
    told.filter((arrow) => !arrows.seen.includes(arrow)),
    [],
  );
});

for (const way of ['logic', 'machine'] as const) {
  test(`have their sources where the run is invoked, too (flow.${way})`, async () => {
    const arrows = new Arrows();
    const { clock } = virtualEngine();
    const flow = motley(clock);
    const parent = setup({ actors: { flow: flow[way] as AnyActorLogic } }).createMachine({
      initial: 'running',
      states: { running: { invoke: { id: 'r', src: 'flow', onDone: 'over' } }, over: { type: 'final' } },
    });
    const actor = createActor(parent, { id: 'p', clock: clock as never, inspect: arrows.inspect }).start();
    await clock.advance(30);
    (actor.getSnapshot().children.r as AnyActorRef).send({ type: 'run.cancel' });
    await clock.run(toPromise(actor));
    assert.equal(arrows.withoutSource, ['- → p xstate.init', '- → r run.cancel']);
    assert.equal(
      told.filter((arrow) => !arrows.seen.includes(arrow)),
      [],
    );
  });
}

test('have their sources for an inspector that comes later', async () => {
  const arrows = new Arrows();
  const { clock, engine } = virtualEngine();
  const run = await engine.start(motley(clock), undefined, { id: 'r', totalTimeoutMs: 40 });
  await clock.advance(1);
  (run.actor as unknown as AnyActorRef).system.inspect(arrows.inspect);
  await clock.run(run.settled());
  assert.equal(arrows.withoutSource, []);
  assert.equal(
    ['r → r run.cancel', 'r → cancelled task.cancel', 'cancelled → r task.settled'].filter(
      (arrow) => !arrows.seen.includes(arrow),
    ),
    [],
  );
});
