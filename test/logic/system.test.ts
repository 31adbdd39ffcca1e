// What topple changes of an actor system, beside what XState's own does: the canary for those internals.

import * as assert from 'uvu/assert';
import { type AnyActorRef, createActor, fromCallback, type InspectionEvent, setup, spawnChild } from 'xstate';
import { parentOf, stopChild } from '../../src/logic/internals.ts';
import {
  inspectFromStart,
  isInspected,
  nameInSystem,
  offerNames,
  withdrawNames,
} from '../../src/logic/system.ts';
import { spec } from '../spec.ts';
import { inspected, listening } from './listening.ts';

const test = spec('actor systems');

const nobody = { find: () => undefined, findAll: () => [] };

/** What an inspector is told, with actors by their ids. */
function told(event: InspectionEvent): object {
  const shown = Object.entries(event).map(([key, value]) => {
    if (key === 'rootId') return [key, value === rootOf(event.actorRef as AnyActorRef).sessionId];
    return [key, key.endsWith('Ref') ? value?.id : value];
  });
  return Object.fromEntries(shown);
}

function rootOf(actor: AnyActorRef): AnyActorRef {
  const parent = parentOf(actor);
  return parent === undefined ? actor : rootOf(parent);
}

/** Its life has every kind of inspection event. */
const busy = setup({ actors: { child: fromCallback(() => {}) }, actions: { act: () => {} } }).createMachine({
  id: 'busy',
  initial: 'a',
  entry: 'act',
  states: {
    a: {
      on: {
        go: {
          target: 'b',
          actions: [{ type: 'act', params: { n: 1 } }, spawnChild('child', { id: 'child' })],
        },
      },
    },
    b: { type: 'final' },
  },
});

test('who inspects a system from its start is told what the option of XState tells', () => {
  const [byOption, fromStart]: InspectionEvent[][] = [[], []];
  const one = createActor(busy, { id: 'root', inspect: (event) => byOption?.push(event) });
  const other = createActor(busy, { id: 'root' });
  inspectFromStart(other, (event) => fromStart?.push(event));
  for (const actor of [one, other]) {
    actor.start();
    actor.send({ type: 'go' });
  }
  const types = new Set(byOption?.map(({ type }) => type));
  assert.equal([...types].sort(), [
    '@xstate.action',
    '@xstate.actor',
    '@xstate.event',
    '@xstate.microstep',
    '@xstate.snapshot',
  ]);
  const simple = (events: InspectionEvent[] | undefined) => JSON.parse(JSON.stringify(events?.map(told)));
  assert.equal(simple(fromStart), simple(byOption));
  assert.is(new Set(fromStart).size, fromStart?.length);
});

test('whoever inspected a system before it was changed goes on being told', () => {
  const { actor, seen } = inspected();
  offerNames(actor, 'one/', nobody);
  const late: InspectionEvent[] = [];
  actor.system.inspect((event: InspectionEvent) => late.push(event));
  seen.length = 0;
  actor.send({ type: 'hello' });
  assert.is(late.length, 2);
  assert.equal(seen.map(told), late.map(told));
  assert.is(seen[0]?.rootId, actor.sessionId);
});

test('an inspector may be an observer, may be there twice, and may go while it is told', () => {
  const { actor } = listening();
  offerNames(actor, 'one/', nobody);
  const seen: string[] = [];
  const observer = {
    name: 'observer',
    next({ type }: InspectionEvent) {
      seen.push(`${this.name} ${type}`);
    },
  };
  const twice = ({ type }: InspectionEvent): unknown => seen.push(type);
  const first = actor.system.inspect(twice);
  const second = actor.system.inspect(twice);
  actor.system.inspect(observer);
  actor.system.inspect({});
  actor.send({ type: 'hello' });
  assert.equal(seen, [
    ...['@xstate.event', '@xstate.event', 'observer @xstate.event'],
    ...['@xstate.snapshot', '@xstate.snapshot', 'observer @xstate.snapshot'],
  ]);
  seen.length = 0;
  first.unsubscribe();
  actor.system.inspect(() => second.unsubscribe());
  actor.send({ type: 'hello' });
  assert.equal(seen, ['@xstate.event', 'observer @xstate.event', 'observer @xstate.snapshot']);
});

test('a child of a child tells which actor the system was made for', () => {
  const { actor } = listening();
  const child = listening({ parent: actor } as object).actor;
  const grandchild = listening({ parent: child } as object).actor;
  offerNames(grandchild, 'one/', nobody);
  const seen: InspectionEvent[] = [];
  actor.system.inspect((event: InspectionEvent) => seen.push(event));
  grandchild.send({ type: 'hello' });
  assert.equal(
    seen.map(({ rootId }) => rootId),
    [actor.sessionId, actor.sessionId],
  );
});

test('a system says whether anybody inspects it, and tells nobody that it was asked', () => {
  const { actor, scope } = listening();
  const seen: InspectionEvent[] = [];
  assert.is(isInspected(scope), false);
  const subscription = actor.system.inspect((event: InspectionEvent) => seen.push(event));
  assert.is(isInspected(scope), true);
  subscription.unsubscribe();
  assert.is(isInspected(scope), false);
  assert.equal(seen, []);
});

test('an actor gets its name in the system when it starts, and gives it back when it ends', () => {
  const { actor } = listening();
  const child = createActor(
    fromCallback(() => {}),
    { parent: actor },
  );
  nameInSystem(child, 'the child');
  assert.is(actor.system.get('the child'), undefined);
  child.start();
  assert.is(actor.system.get('the child'), child);
  stopChild(actor, child);
  assert.is(actor.system.get('the child'), undefined);
});

test('an actor that a namer finds is in no map of its system', () => {
  const { actor } = listening();
  const child = createActor(
    fromCallback(() => {}),
    { parent: actor },
  );
  const others = createActor(
    fromCallback(() => {}),
    { parent: actor, systemId: 'one/other' },
  );
  const found: AnyActorRef[] = [];
  offerNames(actor, 'one/', { find: () => found[0], findAll: () => found });
  nameInSystem(child, 'one/a');
  child.start();
  others.start();
  assert.is(actor.system.get('one/a'), undefined);
  found.push(child);
  assert.is(actor.system.get('one/a'), child);
  assert.is(actor.system.get('one/other'), others);
  assert.equal(Object.keys(actor.system.getAll()), ['one/other', 'one/a']);
  stopChild(actor, child);
});

test('a system asks for names that it does not know, by what they begin with', () => {
  const { actor } = listening();
  const made = listening({ parent: actor } as object).actor;
  const asked: string[] = [];
  const namer = {
    find(systemId: string) {
      asked.push(systemId);
      return systemId === 'one/a' ? made : undefined;
    },
    findAll() {
      asked.push('all');
      return [];
    },
  };
  offerNames(actor, 'one/', namer);
  offerNames(made, 'two/', { ...namer, find: () => actor });
  const { system } = actor;
  assert.equal([system.get('one/a'), system.get('one/b/c'), system.get('two/a')], [made, undefined, actor]);
  assert.equal([system.get('a'), system.get('three/a')], [undefined, undefined]);
  assert.equal(asked, ['one/a', 'one/b/c']);
  assert.equal(system.getAll(), {});
  withdrawNames(actor, 'two/', namer);
  assert.is(system.get('two/a'), actor);
  withdrawNames(actor, 'one/', namer);
  assert.is(system.get('one/a'), undefined);
  assert.equal(asked, ['one/a', 'one/b/c', 'all', 'all']);
});

test('a system that asks for names knows its own, and who inspects it', () => {
  const { actor } = listening({ systemId: 'own/a' } as object);
  offerNames(actor, 'own/', nobody);
  assert.is(actor.system.get('own/a'), actor);
  assert.is(isInspected(actor), false);
  const seen: InspectionEvent[] = [];
  const subscription = actor.system.inspect((event: InspectionEvent) => seen.push(event));
  assert.is(isInspected(actor), true);
  actor.send({ type: 'hello' });
  assert.is(seen[0]?.type, '@xstate.event');
  const another = actor.system.inspect(() => {});
  for (const _ of [1, 2]) subscription.unsubscribe();
  assert.is(isInspected(actor), true);
  another.unsubscribe();
  assert.is(isInspected(actor), false);
  const inspectedFirst = inspected().actor;
  offerNames(inspectedFirst, 'own/', nobody);
  assert.is(isInspected(inspectedFirst), true);
});
