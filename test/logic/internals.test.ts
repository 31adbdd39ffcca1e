// The canary: each of XState's internals that topple stands on. When an update of XState moves one, a test here says
// which, before anything stranger happens.

import * as assert from 'uvu/assert';
import {
  type ActorScope,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  and,
  assign,
  createActor,
  createMachine,
  emit,
  fromCallback,
  raise,
  SimulatedClock,
  setup,
} from 'xstate';
import {
  clockOf,
  deferOn,
  deliver,
  deliverFrom,
  emitFrom,
  guard,
  hasListeners,
  inspectAction,
  inspectMicrostep,
  isFollowed,
  parentOf,
  renewOnRead,
  sendFrom,
  stopChild,
  subscriberCount,
} from '../../src/logic/internals.ts';
import { spec } from '../spec.ts';
import { Registered } from '../support/registry.ts';
import { inspected, listening } from './listening.ts';

const test = spec('XState internals');

type Scope = ActorScope<never, AnyEventObject, AnyActorRef['system'], never>;

test('an inspector is told of microsteps, in an object of its own', () => {
  const { seen, scope, actor } = inspected();
  seen.length = 0;
  const taken = { eventType: 'go' };
  const snapshot = actor.getSnapshot();
  inspectMicrostep(scope, { type: 'go' }, snapshot, taken);
  inspectMicrostep(scope, { type: 'stay' }, snapshot, undefined);
  const told = { type: '@xstate.microstep', actorRef: actor, snapshot, rootId: actor.sessionId };
  assert.equal(seen, [
    { ...told, event: { type: 'go' }, _transitions: [taken] },
    { ...told, event: { type: 'stay' }, _transitions: [] },
  ] as never);
});

test('an inspector is told of actions, in an object of its own', () => {
  const { seen, scope, actor } = inspected();
  seen.length = 0;
  inspectAction(scope, 'first', { n: 1 });
  inspectAction(scope, 'second', undefined);
  const told = { type: '@xstate.action', actorRef: actor, rootId: actor.sessionId };
  assert.equal(seen, [
    { ...told, action: { type: 'first', params: { n: 1 } } },
    { ...told, action: { type: 'second', params: undefined } },
  ] as never);
});

test('telling nobody is no mistake', () => {
  const { scope, actor } = listening();
  inspectAction(scope, 'act', undefined);
  inspectMicrostep(scope, { type: 'go' }, actor.getSnapshot(), undefined);
});

test('an actor emits to its listeners from outside, at once', () => {
  const { actor } = listening();
  const heard: unknown[] = [];
  actor.on('news', (event: unknown) => heard.push(event));
  actor.on('*', (event: unknown) => heard.push(event));
  emitFrom(actor, { type: 'news', n: 1 });
  assert.equal(heard, [
    { type: 'news', n: 1 },
    { type: 'news', n: 1 },
  ]);
});

test('an actor knows whether anybody asked for its events, until it ends', () => {
  const { actor } = listening();
  assert.is(hasListeners(actor), false);
  actor.on('news', () => {});
  assert.is(hasListeners(actor), true);
  (actor as AnyActorRef & { stop(): void }).stop();
  assert.is(hasListeners(actor), false);
});

test('an event has its sender in the eyes of inspectors, and arrives', () => {
  const { seen, actor, got } = inspected();
  const child = createActor(
    fromCallback(() => {}),
    { id: 'child', parent: actor },
  );
  seen.length = 0;
  sendFrom(child, actor, { type: 'from the child' });
  const [event] = seen;
  assert.is(event?.type === '@xstate.event' && event.sourceRef, child);
  assert.is(got.at(-1), 'from the child');
});

test('a guarded actor gets what is delivered, and what others send or have sent goes elsewhere', () => {
  const got: string[] = [];
  const sent: unknown[] = [];
  const seen: unknown[] = [];
  const logic = fromCallback(({ receive }) => receive(({ type }) => got.push(type)));
  const actor = createActor(logic, {
    inspect: (event) => seen.push(event.type === '@xstate.event' ? event.sourceRef : event.type),
  });
  actor.send({ type: 'too early' });
  guard(actor, function (event) {
    sent.push([this === actor, (event as AnyEventObject).type]);
  });
  actor.start();
  actor.send({ type: 'from outside' });
  sendFrom(undefined, actor, { type: 'by a relay' });
  seen.length = 0;
  deliver(actor, { type: 'delivered' });
  assert.equal(seen, ['@xstate.snapshot']);
  deliverFrom(actor, actor, { type: 'with its sender' });
  assert.is(seen.length, 3);
  assert.is(seen[1], actor);
  assert.equal(got, ['delivered', 'with its sender']);
  assert.equal(sent, [
    [true, 'too early'],
    [true, 'from outside'],
    [true, 'by a relay'],
  ]);
  actor.stop();
  assert.is(actor.getSnapshot().status, 'stopped');
});

test('an actor made with a parent is its child: in its system, with its clock, and stopped by it alone', () => {
  const clock = new SimulatedClock();
  const { actor } = listening({ clock });
  const other = listening().actor;
  const cleared: string[] = [];
  const child = createActor(
    fromCallback(() => () => cleared.push('child')),
    { parent: actor, systemId: 'the child' },
  ).start();
  assert.is(child.system, actor.system);
  assert.is(actor.system.get('the child'), child);
  assert.equal([parentOf(child), parentOf(actor)], [actor, undefined]);
  assert.equal([clockOf(child), clockOf(actor)], [clock, clock]);
  assert.throws(() => stopChild(other, child), /not a child/);
  stopChild(actor, child);
  assert.equal(cleared, ['child']);
  assert.is(child.getSnapshot().status, 'stopped');
  assert.is(actor.system.get('the child'), undefined);
  assert.is(actor.getSnapshot().status, 'active');
});

test('an actor counts its subscribers', () => {
  const { actor } = listening();
  assert.is(subscriberCount(actor), 0);
  const subscription = actor.subscribe(() => {});
  assert.is(subscriberCount(actor), 1);
  subscription.unsubscribe();
  assert.is(subscriberCount(actor), 0);
});

test('an actor is followed by those who hear of its snapshots, not by those who await its end', () => {
  const { actor } = listening();
  actor.subscribe({ complete: () => {}, error: () => {} });
  assert.not(isFollowed(actor));
  const subscription = actor.subscribe(() => {});
  assert.ok(isFollowed(actor));
  subscription.unsubscribe();
  assert.not(isFollowed(actor));
});

test('an event that is put into a mailbox is taken in its turn, and inspectors hear of the snapshot alone', () => {
  const { seen, actor, got } = inspected();
  seen.length = 0;
  actor.subscribe(() => {
    if (got.length === 2) actor.send({ type: 'later' });
  });
  deliver(actor, { type: 'now' });
  assert.equal(got, ['hello', 'now', 'later']);
  assert.equal(
    seen.map(({ type }) => type),
    ['@xstate.event', '@xstate.snapshot', '@xstate.snapshot'],
  );
});

test('a snapshot is renewed whenever it is read, and XState goes on from that', () => {
  const logic = {
    getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined, n: 0 }),
    transition: (last: { readonly n: number }) => ({ ...last, n: last.n + 10 }),
    getPersistedSnapshot: (last: object) => last,
  };
  const actor = createActor(logic as unknown as AnyActorLogic);
  const numberOf = (snapshot: unknown) => (snapshot as { readonly n: number }).n;
  let least = 1;
  renewOnRead(actor, (last) => (numberOf(last) < least ? { ...(last as object), n: least } : last));
  const first = actor.getSnapshot();
  assert.equal([numberOf(first), actor.getSnapshot()], [1, first]);
  least = 5;
  assert.is(numberOf(actor.start().getSnapshot()), 5);
  least = 7;
  const told: number[] = [];
  actor.subscribe((snapshot) => told.push(numberOf(snapshot)));
  actor.send({ type: 'go' });
  assert.equal([told, numberOf(actor.getSnapshot())], [[17], 17]);
  least = 20;
  assert.is(numberOf(actor.getPersistedSnapshot()), 20);
});

test('what an action defers is called when its transition is over, before subscribers hear of it', () => {
  const calls: string[] = [];
  const machine = setup({
    actions: {
      defer: ({ self }) => {
        deferOn(self, () => calls.push(`deferred, in ${self.getSnapshot().value}`));
        calls.push('done');
      },
    },
  }).createMachine({
    initial: 'a',
    states: { a: { on: { go: { target: 'b', actions: 'defer' } } }, b: {} },
  });
  const actor = createActor(machine).start();
  actor.subscribe(({ value }) => calls.push(`told of ${value}`));
  actor.send({ type: 'go' });
  assert.equal(calls, ['done', 'deferred, in b', 'told of b']);
});

test('an actor that ends leaves the maps of its system', () => {
  const { actor } = listening();
  const registered = new Registered(actor.system);
  const done = createMachine({ initial: 'a', states: { a: { on: { end: 'b' } }, b: { type: 'final' } } });
  const failing = fromCallback(() => {
    throw new Error('on purpose');
  });
  const child = createActor(done, { parent: actor, systemId: 'done' }).start();
  assert.is(registered.live, 1);
  child.send({ type: 'end' });
  createActor(failing, { parent: actor, systemId: 'failed' }).start();
  assert.equal([registered.total, registered.live], [2, 0]);
  assert.equal(actor.system.getAll(), {});
});

test('state nodes hold entry, exit and initial actions, transitions and what a table refuses', () => {
  const machine = createMachine({
    id: 'm',
    context: { n: 1 },
    entry: 'enter',
    initial: { target: 'a', actions: ['begin'] },
    output: 'output',
    on: { go: { target: '.b', reenter: true, actions: { type: 'act', params: { n: 1 } }, guard: 'check' } },
    states: {
      a: {
        exit: ['leave'],
        tags: 'tag',
        meta: { of: 'a' },
        always: { guard: 'check', target: 'b' },
        after: { 10: 'b' },
        invoke: { src: 'x' },
        onDone: 'b',
        on: { none: undefined, list: ['b', { target: 'a' }] },
      },
      b: { type: 'final', output: 'own' },
    },
  });
  const { root } = machine;
  const { a, b } = root.states;
  assert.equal([root.entry, root.exit, a?.tags, a?.meta], [['enter'], [], ['tag'], { of: 'a' }]);
  assert.equal(
    [root.type, a?.type, b?.type, a?.parent, root.parent],
    ['compound', 'atomic', 'final', root, undefined],
  );
  assert.equal([root.key, a?.key, a?.id, root.output, b?.output], ['m', 'a', 'm.a', 'output', 'own']);
  assert.equal([root.initial.target, root.initial.actions], [[a], ['begin']]);
  assert.equal([a?.after.length, a?.always?.length, a?.invoke.length, a?.config.onDone], [1, 1, 1, 'b']);
  assert.equal(
    [b?.after.length, b?.always, b?.invoke.length, b?.config.onDone],
    [0, undefined, 0, undefined],
  );
  assert.is(a?.exit[0], 'leave');
  const [go] = root.transitions.get('go') ?? [];
  const { target, source, reenter, actions, guard, eventType } = go ?? {};
  assert.equal([target, source, reenter, eventType, guard], [[b], root, true, 'go', 'check']);
  assert.equal(actions, [{ type: 'act', params: { n: 1 } }]);
  assert.equal(
    a?.transitions.get('none')?.map((transition) => transition.target),
    [undefined],
  );
  assert.equal(
    a?.transitions.get('list')?.map((transition) => transition.target),
    [[b], [a]],
  );
});

test('built-in actions and composed guards are functions that say what they are', () => {
  const assigner = () => ({});
  const event = { type: 'news' };
  const guard = () => true;
  const plain = () => {};
  const machine = setup({
    actions: {
      assign: assign(assigner),
      emit: emit(event as never),
      raise: raise({ type: 'x' } as never),
      plain,
    },
    guards: { guard, and: and([guard]) },
  }).createMachine({});
  const { actions, guards } = machine.implementations;
  const partsOf = (action: unknown) => {
    const { type, assignment, event: emitted, resolve } = action as Record<string, unknown>;
    return { type, assignment, emitted, isBuiltIn: typeof resolve === 'function' };
  };
  const none = { assignment: undefined, emitted: undefined, isBuiltIn: true };
  assert.equal(partsOf(actions.assign), { ...none, type: 'xstate.assign', assignment: assigner });
  assert.equal(partsOf(actions.emit), { ...none, type: 'xstate.emit', emitted: event });
  assert.equal(partsOf(actions.raise).isBuiltIn, true);
  assert.equal(partsOf(actions.raise).type, 'xstate.raise');
  assert.is(actions.plain, plain);
  assert.equal(
    [guards.guard, 'check' in (guards.guard ?? {}), 'check' in (guards.and ?? {})],
    [guard, false, true],
  );
});

test('the scope defers to the end of the step, and an actor tells its logic when it stops', () => {
  const calls: string[] = [];
  const logic = {
    getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }) as const,
    getPersistedSnapshot: (snapshot: unknown) => snapshot as never,
    transition: (
      snapshot: { status: 'active'; output: undefined; error: undefined },
      event: AnyEventObject,
      scope: Scope,
    ) => {
      scope.defer(() => calls.push(`after ${event.type}`));
      calls.push(event.type);
      return snapshot;
    },
  };
  const actor = createActor(logic as unknown as AnyActorLogic) as unknown as AnyActorRef & { stop(): void };
  actor.subscribe(() => calls.push('next'));
  actor.start();
  actor.send({ type: 'go' });
  actor.stop();
  assert.equal(calls, ['next', 'go', 'after go', 'next', 'xstate.stop', 'after xstate.stop', 'next']);
});

test('the last snapshot of an actor that threw is a spread of the one before', () => {
  class Snapshot {
    readonly status = 'active';
    readonly own = 1;
    get inherited() {
      return 2;
    }
  }
  const logic = {
    getInitialSnapshot: () => new Snapshot(),
    getPersistedSnapshot: (snapshot: unknown) => snapshot,
    transition: () => {
      throw new Error('on purpose');
    },
  };
  const actor = createActor(logic as unknown as AnyActorLogic) as unknown as AnyActorRef;
  actor.subscribe({ error: () => {} });
  actor.start();
  actor.send({ type: 'go' });
  const { error, ...rest } = actor.getSnapshot();
  assert.equal([error.message, rest], ['on purpose', { status: 'error', own: 1 }]);
});
