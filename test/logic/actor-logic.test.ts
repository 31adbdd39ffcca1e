import * as assert from 'uvu/assert';
import {
  type AnyActorLogic,
  type AnyActorRef,
  type AnyStateMachine,
  assign,
  createActor,
  createMachine,
  sendTo,
  setup,
  toPromise,
  waitFor,
} from 'xstate';
import { compile } from '../../src/logic/index.ts';
import { spec } from '../spec.ts';
import { counter } from './counter.ts';
import { add, errorOf, note, noting, textsOf, typesOf } from './noting.ts';
import { compiledStart, compiledStep, differenceOf, interpretStart, interpretStep } from './oracle.ts';
import { assertSame, type Log } from './side-by-side.ts';

const test = spec('actors of a compiled machine');

test('emits events, given or made, to listeners of their type and of all types', () => {
  const machine = noting([]).createMachine({
    context: { count: 7 },
    initial: 'a',
    entry: 'greet',
    states: { a: { on: { go: { actions: ['greet', { type: 'tell', params: { note: 'now' } }, add(1)] } } } },
  });
  assertSame(() => machine, { events: [{ type: 'go' }] });
  const heard: unknown[] = [];
  const actor = createActor(compile(machine).logic);
  actor.on('note', (event) => heard.push(event.note));
  actor.on('*', (event) => heard.push(event.type));
  actor.subscribe(({ context }) => heard.push(context.count));
  actor.start();
  assert.equal(heard.splice(0), ['hello', 'note', 7]);
  actor.send({ type: 'go' });
  assert.equal(
    heard,
    ['hello', 'note', 'now 7', 'note', 8],
    'listeners hear before subscribers, once the step is done',
  );
});

test('fails as XState does where an action throws, with what was done before it', () => {
  const machine = (log: Log) =>
    noting(log).createMachine({
      context: { count: 0 },
      initial: 'a',
      states: {
        a: {
          on: {
            effect: { target: 'b', actions: [add(1), note('before'), 'greet', 'break', note('after')] },
            assign: { actions: [note('before'), 'breakInAssign', note('after')] },
            params: { actions: [note('before'), { type: 'note', params: () => JSON.parse('{') }] },
            entry: 'c',
            done: 'd',
          },
        },
        b: {},
        c: { entry: ['greet', 'break'], tags: ['busy'], meta: { c: 1 } },
        d: { type: 'final', exit: 'break' },
      },
      output: ({ context }) => context.count,
    });
  for (const type of ['effect', 'assign', 'params', 'entry', 'done']) {
    const seen = assertSame(machine, { events: [{ type }] });
    assert.is(typesOf(seen, 'error').length, 1, type);
    assert.is(textsOf(seen).includes('after'), false);
  }
});

test('fails as XState does where the start throws', () => {
  const broken = (parts: object) => (log: Log) =>
    noting(log).createMachine({
      context: { count: 1 },
      initial: 'a',
      tags: 'root',
      states: { a: { entry: [note('entered'), add(1)] } },
      ...parts,
    });
  const machines = {
    context: broken({ context: () => JSON.parse('{') as { count: number } }),
    effect: broken({ entry: [add(1), note('before'), 'break', 'greet', note('after')] }),
    assign: broken({ entry: [add(1), note('before'), 'breakInAssign', note('after')] }),
    'assign after a context function': broken({
      context: () => ({ count: 5 }),
      entry: [add(1), 'breakInAssign'],
    }),
    output: broken({ initial: 'end', states: { end: { type: 'final' } }, output: () => JSON.parse('{') }),
  };
  for (const [name, machine] of Object.entries(machines)) {
    const seen = assertSame(machine);
    assert.is(typesOf(seen, 'error').length, 1, name);
    const expected = interpretStart(machine([]), undefined);
    assert.is(differenceOf(expected, compiledStart(compile(machine([])), undefined)), undefined, name);
  }
});

test('is restored from what it persisted, and from what a machine persisted', () => {
  const machine = (log: Log) =>
    noting(log).createMachine({
      id: 'kept',
      context: { count: 0 },
      initial: 'a',
      exit: note('leave root'),
      states: {
        a: { entry: note('enter a'), on: { go: { target: 'b', actions: add(1) } } },
        b: { entry: [note('enter b'), 'greet'], exit: note('leave b'), on: { go: 'c', back: 'a' } },
        c: { type: 'final', output: 'c' },
      },
      output: ({ context }) => context.count,
    });
  const persistedAfter = (
    events: readonly string[],
    logic: AnyStateMachine | ReturnType<typeof compile>['logic'],
  ) => {
    const actor: AnyActorRef = createActor(logic as AnyStateMachine).start();
    for (const type of events) actor.send({ type });
    return JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
  };
  for (const events of [[], ['go'], ['go', 'back'], ['go', 'go']]) {
    const fromMachine = persistedAfter(events, machine([]));
    const fromCompiled = persistedAfter(events, compile(machine([])).logic as never);
    assert.equal(fromCompiled, fromMachine);
    const seen = assertSame(machine, { snapshot: fromCompiled, events: [{ type: 'go' }, { type: 'go' }] });
    assert.is(textsOf(seen).includes('enter a'), false);
  }
});

test('says which state a persisted snapshot is in that the machine does not have', () => {
  const logic = compile(createMachine({ id: 'kept', initial: 'a', states: { a: {} } }));
  const error = errorOf(() => logic.restoreSnapshot({ status: 'active', value: 'x', context: {} }));
  assert.is((error as Error).message, 'Machine `kept` has no state `x` to restore');
  const actor = createActor(logic.logic, { snapshot: { status: 'active', value: 'x' } as never });
  assert.is(actor.getSnapshot().status, 'error');
});

test('tells inspectors of actions that nobody has implemented', () => {
  const machine = createMachine({
    initial: 'a',
    states: { a: { entry: 'missing', on: { go: { actions: { type: 'missing', params: { n: 1 } } } } } },
  });
  assertSame(() => machine, { events: [{ type: 'go' }] });
  const { effects } = compile(machine).initial();
  assert.equal(effects, [{ type: 'missing', params: undefined }]);
});

test('tells inspectors that come when it is under way, until they leave', () => {
  const machine = noting([]).createMachine({
    context: { count: 0 },
    initial: 'a',
    states: { a: { on: { go: { actions: [add(1), note('went'), 'greet'] } } } },
  });
  const watched = (logic: AnyActorLogic) => {
    const actor = createActor(logic).start();
    const seen: unknown[] = [];
    actor.send({ type: 'go' });
    const subscription = actor.system.inspect(({ type }) => seen.push(type));
    actor.send({ type: 'go' });
    subscription.unsubscribe();
    actor.send({ type: 'go' });
    return seen;
  };
  const seen = watched(compile(machine).logic);
  assert.equal(seen, watched(machine));
  assert.equal(
    seen,
    ['event', 'action', 'action', 'microstep', 'snapshot'].map((kind) => `@xstate.${kind}`),
  );
});

test('takes events that its own actions send after the step', () => {
  const seen = assertSame(
    (log) =>
      setup({
        actions: {
          sendTwice: ({ self, event }) => {
            log.push(['note', { text: `${event.type} sends` }]);
            self.send({ type: 'second' });
            self.send({ type: 'third' });
            log.push(['note', { text: `${event.type} has sent` }]);
          },
          note: ({ event }) => log.push(['note', { text: event.type }]),
        },
      }).createMachine({
        initial: 'a',
        states: {
          a: { on: { first: { target: 'b', actions: 'sendTwice' } } },
          b: { on: { second: { actions: 'note' }, third: 'c' } },
          c: { type: 'final', entry: 'note' },
        },
      }),
    { events: [{ type: 'first' }] },
  );
  assert.equal(textsOf(seen), ['first sends', 'first has sent', 'second', 'third']);
});

test('stops, and is stopped, like a machine', () => {
  const machine = (log: Log) =>
    noting(log).createMachine({
      context: { count: 0 },
      initial: 'a',
      exit: note('leave root'),
      states: { a: { exit: note('leave a'), on: { go: 'b' } }, b: { tags: 'busy' } },
    });
  const seen = assertSame(machine, { events: [{ type: 'go' }], stops: true });
  assert.equal(textsOf(seen), ['leave a'], 'no exit actions run on stop');
  assert.is(typesOf(seen, 'complete').length, 1);
});

test('works with `toPromise` and `waitFor`', async () => {
  const actor = createActor(compile(counter).logic, { input: { n: 1 } }).start();
  const counted = waitFor(actor, ({ context }) => context.n === 3);
  const output = toPromise(actor);
  for (const type of ['add', 'add', 'end'] as const) actor.send({ type });
  assert.is((await counted).context.n, 3);
  assert.equal(await output, { n: 3 });

  const broken = createActor(compile(counter).logic, { input: { n: 1 } }).start();
  const failure = toPromise(broken).catch((error: unknown) => error);
  broken.send({ type: 'break' });
  assert.is(((await failure) as Error).message, 'it broke');
});

/** A parent of a counter, which may be compiled or not. */
function parentOf(child: typeof counter, log: Log) {
  return setup({
    types: { context: {} as { readonly result: unknown }, events: {} as { readonly type: string } },
    actors: { child },
    actions: {
      record: assign((_, params: { readonly result: unknown }) => ({ result: params.result })),
      hear: (_, params: { readonly n: unknown }) => log.push(['heard', params.n]),
      spawn: assign(({ spawn }) => ({ result: spawn('child', { id: 'spawned', input: { n: 7 } }).id })),
    },
  }).createMachine({
    id: 'parent',
    context: { result: undefined },
    initial: 'working',
    states: {
      working: {
        invoke: {
          id: 'counter',
          src: 'child',
          systemId: 'the counter',
          input: { n: 40 },
          onSnapshot: { actions: { type: 'hear', params: ({ event }) => ({ n: event.snapshot.context.n }) } },
          onDone: {
            target: 'over',
            actions: { type: 'record', params: ({ event }) => ({ result: event.output }) },
          },
          onError: {
            target: 'over',
            actions: { type: 'record', params: ({ event }) => ({ result: String(event.error) }) },
          },
        },
        on: {
          add: { actions: sendTo('counter', { type: 'add' }) },
          end: { actions: sendTo('counter', { type: 'end' }) },
          break: { actions: sendTo('counter', { type: 'break' }) },
          leave: { target: 'over' },
          spawn: { actions: 'spawn' },
        },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.result,
  });
}

/** What is seen of a child, and of its parent at the end. */
function watchChild(child: typeof counter, events: readonly string[]): Log {
  const log: Log = [];
  const parent = createActor(parentOf(child, log), {
    id: 'parent',
    inspect: (event) => {
      const { id } = event.actorRef as AnyActorRef;
      if (id !== 'parent') log.push([event.type, id, 'event' in event && event.event.type]);
    },
  }).start();
  const found: AnyActorRef = parent.system.get('the counter');
  log.push(found.getSnapshot().context, Object.keys(parent.getSnapshot().children));
  for (const type of events) parent.send({ type });
  log.push(found.getSnapshot().status, parent.system.get('the counter'), parent.getSnapshot().output);
  return log;
}

test('is invoked and spawned by another machine', () => {
  const endings = {
    '{"n":42}': ['add', 'add', 'end'],
    '"Error: it broke"': ['add', 'break'],
    undefined: ['add', 'leave'],
    '"spawned"': ['spawn', 'leave'],
  };
  for (const [output, events] of Object.entries(endings)) {
    const seen = watchChild(compile(counter).logic as unknown as typeof counter, events);
    assert.equal(seen, watchChild(counter, events));
    assert.is(String(JSON.stringify(seen.at(-1))), output);
  }
});

test('notes effects in a pure step and carries none out', () => {
  const log: Log = [];
  const logic = compile(
    noting(log).createMachine({
      context: { count: 0 },
      initial: 'a',
      entry: 'plain',
      states: {
        a: { on: { go: { target: 'b', actions: [note('go'), 'greet', add(2)] } } },
        b: { entry: note('enter b') },
      },
    }),
  );
  const first = logic.initial();
  const second = logic.step(first.state, { type: 'go' });
  assert.equal(log, []);
  assert.equal(first.effects, [{ type: 'plain', params: undefined }]);
  assert.equal(second.effects, [
    { type: 'note', params: { text: 'go' } },
    { type: 'xstate.emit', params: { event: { type: 'note', note: 'hello' } } },
    { type: 'note', params: { text: 'enter b' } },
  ]);
  assert.equal(logic.step(first.state, { type: 'go' }), second, 'the same arguments give the same step');
  assert.equal([first.state.value, second.state.value, second.state.context.count], ['a', 'b', 2]);
});

test("steps on from snapshots that are over as XState's pure transition does", () => {
  const machine = noting([]).createMachine({
    id: 'over',
    context: { count: 1 },
    initial: 'a',
    exit: note('leave root'),
    on: {
      add: { actions: add(1) },
      look: { actions: note('look') },
      end: { target: '.end', actions: note('end') },
      back: { target: '.a', actions: note('back') },
      break: { actions: 'breakInAssign' },
    },
    states: {
      a: { exit: note('leave a') },
      end: {
        type: 'final',
        entry: note('enter end'),
        exit: [note('leave end'), add(10)],
        on: { own: { target: 'end', reenter: true }, inner: 'end' },
      },
      other: { type: 'final' },
    },
    output: ({ context }) => context.count,
  });
  const logic = compile(machine);
  const types = [
    'end',
    'back',
    'add',
    'look',
    'own',
    'inner',
    'unknown',
    'xstate.stop',
    'xstate.error.actor.x',
    'break',
  ];
  const walk = (
    expected: ReturnType<typeof interpretStart>,
    found: ReturnType<typeof compiledStart>,
    path: readonly string[],
  ) => {
    assert.is(differenceOf(expected, found), undefined, path.join(', '));
    if ('threw' in expected || 'threw' in found || path.length === 4) return;
    for (const type of types) {
      const event = { type, error: new Error('of a child') };
      walk(interpretStep(machine, expected.state, event), compiledStep(logic, found.state, event), [
        ...path,
        type,
      ]);
    }
  };
  walk(interpretStart(machine, undefined), compiledStart(logic, undefined), []);
});
