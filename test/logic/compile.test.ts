import * as assert from 'uvu/assert';
import {
  type AnyActorRef,
  type AnyStateMachine,
  and,
  assign,
  cancel,
  createActor,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  log as logAction,
  not,
  type OutputFrom,
  or,
  raise,
  type SnapshotFrom,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
  toPromise,
  waitFor,
} from 'xstate';
import { CompileError, compile } from '../../src/logic/index.ts';
import { spec } from '../spec.ts';
import {
  compare,
  compiledStart,
  compiledStep,
  differenceOf,
  interpretStart,
  interpretStep,
} from './oracle.ts';
import { assertSame, type Log } from './side-by-side.ts';

const test = spec('compile: what is kept');
const refuses = spec('compile: what is refused');

interface Noted {
  readonly type: 'note';
  readonly note: string;
}

/** Implementations that note what they are given. */
function noting(log: Log) {
  return setup({
    types: {
      context: {} as { readonly count: number; readonly name?: string },
      events: {} as { readonly type: string; readonly by?: number },
      emitted: {} as Noted,
    },
    guards: {
      isBelow: ({ context }, { limit }: { readonly limit: number }) => context.count < limit,
      never: () => false,
      always: () => true,
      breaks: (): boolean => {
        throw new TypeError('this guard is broken');
      },
    },
    actions: {
      note: ({ context, event }, params: { readonly text: string }) => {
        log.push(['note', params, { ...context }, event]);
      },
      plain: (args, params: unknown) => {
        log.push(['plain', Object.keys(args), args.self.id, args.system.get('none'), params]);
      },
      break: () => {
        throw new TypeError('this action is broken');
      },
      add: assign(({ context, event }, params: { readonly by: number }) => ({
        count: context.count + params.by + (event.by ?? 0),
      })),
      reset: assign({ count: 0, name: ({ context }) => `was ${context.count}` }),
      breakInAssign: assign(() => {
        throw new TypeError('this assigner is broken');
      }),
      tell: emit(({ context }, params: { readonly note: string }) => ({
        type: 'note' as const,
        note: `${params.note} ${context.count}`,
      })),
      greet: emit({ type: 'note', note: 'hello' }),
    },
  });
}

const note = (text: string) => ({ type: 'note', params: { text } }) as const;
const add = (by: number) => ({ type: 'add', params: { by } }) as const;
const typesOf = (seen: Log, kind: string) =>
  seen.filter((entry) => Array.isArray(entry) && entry[0] === kind).map((entry) => (entry as unknown[])[1]);
const textsOf = (seen: Log) => typesOf(seen, 'note').map((params) => (params as { text: string }).text);

test("runs exit, transition and entry actions in order, the root's at the two ends", () => {
  const seen = assertSame(
    (log) =>
      noting(log).createMachine({
        id: 'order',
        context: { count: 0 },
        entry: [note('enter root'), add(1)],
        exit: note('leave root'),
        initial: { target: 'first', actions: [note('initial'), add(2)] },
        on: { end: { target: '.last', actions: [note('end'), add(8)] } },
        states: {
          first: {
            entry: [note('enter first'), add(4)],
            exit: [note('leave first'), add(16)],
            on: { go: { target: 'second', actions: [add(32), note('go')] } },
          },
          second: { entry: [add(64), note('enter second')], exit: [note('leave second'), add(128)] },
          last: {
            type: 'final',
            entry: [note('enter last'), add(256)],
            exit: [note('leave last'), add(512)],
          },
        },
        output: ({ context }) => context.count,
      }),
    { events: [{ type: 'go' }, { type: 'end' }, { type: 'go' }] },
  );
  assert.equal(textsOf(seen), [
    'enter root',
    'initial',
    'enter first',
    'leave first',
    'go',
    'enter second',
    'leave second',
    'end',
    'enter last',
    'leave last',
    'leave root',
  ]);
});

test("tries a state's own candidates first, then the root's, and stops at a forbidden one", () => {
  const seen = assertSame(
    (log) =>
      noting(log).createMachine({
        context: { count: 0 },
        initial: 'a',
        on: {
          own: { actions: note('root: own') },
          guarded: [{ guard: 'never', actions: note('root: never') }, { actions: note('root: guarded') }],
          forbidden: { actions: note('root: forbidden') },
          absent: { actions: note('root: absent') },
          none: { actions: note('root: none') },
        },
        states: {
          a: {
            on: {
              own: { actions: note('a: own') },
              guarded: [
                { guard: 'never', actions: note('a: never') },
                { guard: { type: 'isBelow', params: { limit: 0 } }, actions: note('a: below') },
              ],
              forbidden: {},
              absent: undefined,
              none: [],
              several: [
                { guard: 'never', actions: note('first') },
                { guard: 'always', actions: note('second') },
                { actions: note('third') },
              ],
            },
          },
        },
      }),
    { events: ['own', 'guarded', 'forbidden', 'absent', 'none', 'several'].map((type) => ({ type })) },
  );
  assert.equal(textsOf(seen), ['a: own', 'root: guarded', 'root: none', 'second']);
});

test('hands params to guards and actions, as they are or worked out of the context of that moment', () => {
  const seen = assertSame(
    (log) =>
      noting(log).createMachine({
        context: { count: 0 },
        initial: 'a',
        states: {
          a: {
            on: {
              go: [
                {
                  guard: {
                    type: 'isBelow',
                    params: ({ context, event }) => ({ limit: context.count + (event.by ?? 0) }),
                  },
                  actions: [
                    { type: 'note', params: ({ context }) => ({ text: `before ${context.count}` }) },
                    {
                      type: 'add',
                      params: ({ context, event }) => ({ by: context.count + (event.by ?? 0) }),
                    },
                    {
                      type: 'note',
                      params: ({ context, event }) => ({ text: `after ${context.count} ${event.type}` }),
                    },
                    { type: 'tell', params: ({ context }) => ({ note: `told ${context.count}` }) },
                    'reset',
                    {
                      type: 'note',
                      params: ({ context }) => ({ text: `then ${context.count} ${context.name}` }),
                    },
                    'plain',
                    { type: 'plain' },
                    { type: 'plain', params: undefined },
                  ],
                },
                { actions: note('otherwise') },
              ],
            },
          },
        },
      }),
    {
      events: [
        { type: 'go', by: 3 },
        { type: 'go', by: 0 },
      ],
    },
  );
  assert.equal(textsOf(seen), ['before 0', 'after 6 go', 'then 0 was 6', 'otherwise']);
});

test('leaves and enters a state again only where the transition says so', () => {
  const seen = assertSame(
    (log) =>
      noting(log).createMachine({
        id: 'again',
        context: { count: 0 },
        initial: 'a',
        on: {
          'root: target': { target: '.a', actions: note('root: target') },
          'root: none': { reenter: true, actions: note('root: none') },
        },
        states: {
          a: {
            entry: note('enter a'),
            exit: note('leave a'),
            on: {
              internal: { target: 'a', actions: note('internal') },
              'by id': { target: '#again.a', reenter: true, actions: note('by id') },
              external: { target: 'a', reenter: true },
              empty: { target: '', reenter: true, actions: note('empty') },
              list: { target: ['b'] },
            },
          },
          b: { entry: note('enter b') },
        },
      }),
    {
      events: ['internal', 'by id', 'external', 'empty', 'root: none', 'root: target', 'list'].map(
        (type) => ({ type }),
      ),
    },
  );
  assert.equal(textsOf(seen), [
    ...['enter a', 'internal'],
    ...['leave a', 'by id', 'enter a'],
    ...['leave a', 'enter a'],
    ...['empty', 'root: none'],
    ...['leave a', 'root: target', 'enter a'],
    ...['leave a', 'enter b'],
  ]);
});

test('assigns by a function, by key, and several times', () => {
  assertSame(
    (log) =>
      noting(log).createMachine({
        context: { count: 1 },
        initial: 'a',
        states: {
          a: {
            entry: [add(1), 'reset', add(5), note('entered')],
            on: { go: { actions: ['reset', add(2)] } },
          },
        },
      }),
    { events: [{ type: 'go', by: 2 }, { type: 'go' }] },
  );
});

test('keeps what an assigner does not touch, and the very context where none runs', () => {
  const shared = { deep: { deeper: 1 } };
  const machine = setup({
    types: { context: {} as { shared: object; n: number; gone?: undefined } },
    actions: { nothing: assign(() => ({})), unset: assign({ gone: undefined }), skip: () => {} },
  }).createMachine({
    context: { shared, n: 0 },
    initial: 'a',
    states: {
      a: { on: { nothing: { actions: 'nothing' }, unset: { actions: 'unset' }, skip: { actions: 'skip' } } },
    },
  });
  const { state } = compile(machine).initial();
  const logic = compile(machine);
  assert.is(state.context, machine.config.context);
  assert.is(logic.step(state, { type: 'skip' }).state, state);
  const touched = logic.step(state, { type: 'nothing' }).state;
  assert.is.not(touched, state);
  assert.is(touched.context.shared, shared);
  assert.equal(Object.keys(logic.step(state, { type: 'unset' }).state.context), ['shared', 'n', 'gone']);
  assertSame(() => machine, { events: ['nothing', 'unset', 'skip'].map((type) => ({ type })) });
});

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

test("returns the machine's output, which gets the final state's own", () => {
  const outputOf = (output: unknown, own: unknown) => (log: Log) =>
    noting(log).createMachine({
      context: { count: 3 },
      initial: 'a',
      states: {
        a: { on: { end: 'end' } },
        end: { type: 'final', entry: add(4), exit: add(8), output: own as never },
      },
      output: output as never,
    });
  const outputs = (output: unknown, own: unknown) => {
    assertSame(outputOf(output, own), { events: [{ type: 'end', by: 1 }] });
    const logic = compile(outputOf(output, own)([]));
    const { state } = logic.step(logic.initial().state, { type: 'end', by: 1 });
    assert.is(state.status, 'done');
    return state.output;
  };
  const both = ({ context, event }: { context: { count: number }; event: object }) => [context.count, event];
  const done = (output: unknown) => ({ type: 'xstate.done.state.(machine).end', output });
  assert.equal(outputs(both, undefined), [8, done(undefined)]);
  assert.equal(outputs(both, 'own'), [8, done('own')]);
  assert.equal(
    outputs(both, ({ event }: { event: object }) => event),
    [8, done({ type: 'end', by: 1 })],
  );
  assert.equal(outputs({ fixed: 1 }, undefined), { fixed: 1 });
  assert.is(outputs(undefined, undefined), undefined);
});

test('asks a final state for its output even where the machine has none', () => {
  const machine = (log: Log) =>
    noting(log).createMachine({
      context: { count: 0 },
      initial: 'a',
      output: undefined as never,
      states: {
        a: { on: { end: 'end' } },
        end: {
          type: 'final',
          output: () => {
            throw new TypeError('this output is broken');
          },
        },
      },
    });
  const seen = assertSame(machine, { events: [{ type: 'end' }] });
  assert.equal(typesOf(seen, 'error'), ['TypeError: this output is broken']);
});

test('may start in a final state', () => {
  const seen = assertSame((log) =>
    noting(log).createMachine({
      context: { count: 1 },
      initial: 'end',
      entry: note('enter root'),
      exit: note('leave root'),
      states: {
        end: { type: 'final', entry: ['greet', note('enter end')], exit: note('leave end'), output: 2 },
      },
      output: ({ context, event }) => context.count + (event as { output: number }).output,
    }),
  );
  assert.equal(textsOf(seen), ['enter root', 'enter end', 'leave end', 'leave root']);
  assert.is(typesOf(seen, 'complete').length, 1);
});

test('ignores events that no state knows, and returns the same snapshot', () => {
  const machine = noting([]).createMachine({
    context: { count: 0 },
    initial: 'a',
    states: { a: { on: { known: {} } } },
  });
  assertSame(() => machine, {
    events: ['unknown', 'known', 'toString', '__proto__', 'constructor'].map((type) => ({ type })),
  });
  const logic = compile(machine);
  const { state } = logic.initial();
  for (const type of ['unknown', 'known', 'hasOwnProperty'])
    assert.equal(logic.step(state, { type }), { state, effects: [] });
});

test('ends with the error of a child that nobody handles', () => {
  const machine = (log: Log) =>
    noting(log).createMachine({
      context: { count: 0 },
      initial: 'a',
      on: {
        'xstate.error.actor.known': { actions: note('handled') },
        'xstate.error.actor.forbidden': {},
        'xstate.error.actor.guarded': { guard: 'never', actions: note('not handled') },
      },
      states: { a: {} },
    });
  const fail = (name: string) => ({ type: `xstate.error.actor.${name}`, error: new Error(`${name} failed`) });
  const seen = assertSame(machine, {
    events: [fail('known'), fail('forbidden'), fail('guarded'), fail('known')],
  });
  assert.equal(textsOf(seen), ['handled']);
  assert.equal(typesOf(seen, 'error'), ['Error: guarded failed']);
  assertSame(machine, { events: [{ type: 'xstate.error.actor', error: 'text' }] });
});

test('fails as XState does where a guard throws', () => {
  const machine = (log: Log) =>
    noting(log).createMachine({
      id: 'guards',
      context: { count: 0 },
      initial: 'a',
      on: { root: { guard: { type: 'breaks' }, actions: note('never') } },
      states: {
        a: {
          on: {
            own: [{ guard: 'never' }, { guard: 'breaks' }],
            params: { guard: { type: 'isBelow', params: () => null as never } },
          },
        },
      },
    });
  const texts = ['own', 'root', 'params'].map((type) => {
    const seen = assertSame(machine, { events: [{ type }] });
    assert.is(typesOf(seen, 'can')[0], typesOf(seen, 'error')[0]);
    return typesOf(seen, 'error')[0];
  });
  const intro = (type: string) =>
    `Error: Unable to evaluate guard 'breaks' in transition for event '${type}' in state node`;
  assert.is(texts[0], `${intro('own')} 'guards.a':\nthis guard is broken`);
  assert.is(texts[1], `${intro('root')} 'guards':\nthis guard is broken`);
});

test('keeps what a guard threw as the cause, also where it is no error', () => {
  const thrown: unknown[] = ['a text', null, undefined, new RangeError('an error')];
  const machine = setup({
    guards: {
      breaks: (_, { index }: { readonly index: number }): boolean => {
        throw thrown[index];
      },
    },
  }).createMachine({
    id: 'thrown',
    initial: 'a',
    states: {
      a: {
        on: {
          go: { guard: { type: 'breaks', params: ({ event }) => ({ index: Reflect.get(event, 'index') }) } },
        },
      },
    },
  });
  const logic = compile(machine);
  const { state } = logic.initial();
  const errors = thrown.map((_, index) => errorOf(() => logic.step(state, { type: 'go', index } as never)));
  assert.equal(
    errors.map((error) => (error as Error).cause),
    thrown,
  );
  const last = (error: unknown) => (error as Error).message.split('\n').at(-1);
  assert.equal(errors.map(last), ['a text', 'null', 'undefined', 'an error']);
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

test("answers tags, meta and `can` as a machine does, the root's among them", () => {
  assertSame(
    (log) =>
      noting(log).createMachine({
        id: 'looks',
        context: { count: 0 },
        initial: 'a',
        tags: ['root'],
        meta: { of: 'root' },
        on: { always: { actions: note('always') }, nothing: {} },
        states: {
          a: {
            tags: ['busy', 'root'],
            meta: { of: 'a' },
            on: {
              go: { target: 'b', guard: { type: 'isBelow', params: { limit: 1 } } },
              no: { target: 'b', guard: 'never' },
              empty: { target: [] },
            },
          },
          b: { tags: 'idle', on: { go: 'end' } },
          end: { type: 'final', meta: { of: 'end' } },
        },
      }),
    {
      events: ['always', 'nothing', 'no', 'empty', 'unknown', 'go', 'go'].map((type) => ({ type })),
      stops: true,
    },
  );
  assertSame((log) => noting(log).createMachine({ context: { count: 0 }, initial: 'a', states: { a: {} } }));
});

test('takes input, and does without a context', () => {
  const withInput = setup({
    types: { context: {} as { name: string; self: string; keys: string[] }, input: {} as { name: string } },
  }).createMachine({
    context: (args) => ({ name: args.input.name, self: args.self.id, keys: Object.keys(args).sort() }),
    initial: 'a',
    states: { a: {} },
  });
  assertSame(() => withInput, { input: { name: 'Ada' } });
  assertSame(() => createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } }), {
    events: [{ type: 'go' }],
  });
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

const counter = setup({
  types: {
    context: {} as { readonly n: number },
    events: {} as { readonly type: 'add' } | { readonly type: 'end' } | { readonly type: 'break' },
    input: {} as { readonly n: number },
    output: {} as { readonly n: number },
    emitted: {} as { readonly type: 'added'; readonly n: number },
  },
  actions: {
    add: assign(({ context }) => ({ n: context.n + 1 })),
    tell: emit(({ context }) => ({ type: 'added' as const, n: context.n })),
    break: () => {
      throw new Error('it broke');
    },
  },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ n: input.n }),
  initial: 'counting',
  states: {
    counting: { on: { add: { actions: ['add', 'tell'] }, end: 'ended', break: { actions: 'break' } } },
    ended: { type: 'final' },
  },
  output: ({ context }) => ({ n: context.n }),
});

test('has the types of its machine', () => {
  const { logic } = compile(counter);
  const actor = createActor(logic, { input: { n: 1 } });
  const n: number = actor.getSnapshot().context.n;
  const output: OutputFrom<typeof logic> | undefined = { n };
  const snapshot: SnapshotFrom<typeof logic> = actor.getSnapshot();
  actor.on('added', ({ n: added }: { readonly n: number }) => added);
  // @ts-expect-error: this machine knows no such event
  actor.send({ type: 'subtract' });
  // @ts-expect-error: its input is not optional
  createActor(logic);
  // @ts-expect-error: its output has no such key
  assert.is(output.m, undefined);
  assert.equal([snapshot.value, n], ['counting', 1]);
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

test('has no children of its own to hand a spawn to: that throws where it is used', () => {
  const spawning = setup({
    types: { context: {} as { ref: unknown } },
    actors: { child: fromPromise(async () => 1) },
    actions: { spawn: assign(({ spawn }) => ({ ref: spawn('child') })) },
  });
  const refused = /A compiled machine cannot spawn/;
  const late = compile(
    spawning.createMachine({
      context: { ref: 0 },
      initial: 'a',
      states: { a: { on: { go: { actions: 'spawn' } } } },
    }),
  );
  assert.throws(() => late.step(late.initial().state, { type: 'go' }), refused);
  const early = compile(
    spawning.createMachine({
      context: ({ spawn }) => ({ ref: spawn('child') }),
      initial: 'a',
      states: { a: {} },
    }),
  );
  assert.match(String(early.initial().state.error), refused);
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

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}

/** A machine of two states with something in it that a table cannot hold. */
const flat = { id: 'm', initial: 'a', states: { a: {}, b: {} } } as const;
const inA = (a: object) => ({ ...flat, states: { a, b: {} } });
const onGo = (transition: object) => inA({ on: { go: transition } });
const implementing = (implementations: object, config: object) =>
  createMachine(config as never, implementations as never);
const withAction = (action: unknown) => implementing({ actions: { act: action } }, onGo({ actions: 'act' }));
const withGuard = (guard: unknown) => implementing({ guards: { check: guard } }, onGo({ guard: 'check' }));

const refusals: Record<string, [machine: () => AnyStateMachine, place: string, found: string]> = {
  'nested states': [
    () => createMachine(inA({ initial: 'c', states: { c: {} } })),
    'm.a',
    'its type is compound',
  ],
  'a parallel state': [() => createMachine(inA({ type: 'parallel' })), 'm.a', 'its type is parallel'],
  'a parallel root': [
    () => createMachine({ id: 'm', type: 'parallel', states: { a: {} } }),
    'm',
    'its type is parallel',
  ],
  'a history state': [() => createMachine(inA({ type: 'history' })), 'm.a', 'its type is history'],
  'a machine without states': [() => createMachine({ id: 'm' }), 'm', 'it has no states'],
  after: [() => createMachine(inA({ after: { 10: 'b' } })), 'm.a.after', '`after`'],
  'after at the root': [() => createMachine({ ...flat, after: { 10: '.b' } } as never), 'm.after', '`after`'],
  always: [() => createMachine(inA({ always: 'b' })), 'm.a.always', '`always`'],
  'always at the root': [
    () => createMachine({ ...flat, always: { actions: 'x' } } as never),
    'm.always',
    '`always`',
  ],
  invoke: [() => createMachine(inA({ invoke: { src: 'x' } })), 'm.a.invoke', '`invoke`'],
  'invoke at the root': [
    () => createMachine({ ...flat, invoke: { src: 'x' } } as never),
    'm.invoke',
    '`invoke`',
  ],
  onDone: [() => createMachine(inA({ onDone: 'b' })), 'm.a.onDone', '`onDone`'],
  'onDone at the root': [
    () => createMachine({ ...flat, onDone: { actions: 'x' } } as never),
    'm.onDone',
    '`onDone`',
  ],
  'a route': [
    () => createMachine(inA({ id: 'here', route: {} })),
    'm.on.xstate.route.guard',
    'inline or composed',
  ],
  raise: [() => withAction(raise({ type: 'x' })), 'm.a.on.go.actions', 'action `act` is xstate.raise'],
  enqueueActions: [
    () => withAction(enqueueActions(() => {})),
    'm.a.on.go.actions',
    'is xstate.enqueueActions',
  ],
  sendTo: [() => withAction(sendTo('x', { type: 'x' })), 'm.a.on.go.actions', 'is xstate.sendTo'],
  log: [() => withAction(logAction('x')), 'm.a.on.go.actions', 'is xstate.log'],
  cancel: [() => withAction(cancel('x')), 'm.a.on.go.actions', 'is xstate.cancel'],
  spawnChild: [() => withAction(spawnChild('x')), 'm.a.on.go.actions', 'is xstate.spawnChild'],
  stopChild: [() => withAction(stopChild('x')), 'm.a.on.go.actions', 'is xstate.stopChild'],
  'a built-in action of another library': [
    () => withAction(Object.assign(() => {}, { resolve: () => {} })),
    'm.a.on.go.actions',
    'is a built-in action',
  ],
  'an emit that gives no event': [
    () => withAction(Object.assign(() => {}, { resolve: () => {}, type: 'xstate.emit' })),
    'm.a.on.go.actions',
    'is xstate.emit',
  ],
  'an action that is no function': [() => withAction('other'), 'm.a.on.go.actions', 'is no function'],
  and: [() => withGuard(and(['x'])), 'm.a.on.go.guard', 'guard `check` is composed'],
  or: [() => withGuard(or(['x'])), 'm.a.on.go.guard', 'guard `check` is composed'],
  not: [() => withGuard(not('x')), 'm.a.on.go.guard', 'guard `check` is composed'],
  stateIn: [() => withGuard(stateIn('b')), 'm.a.on.go.guard', 'guard `check` is composed'],
  'a composed guard in place': [
    () => createMachine(onGo({ guard: not('x') })),
    'm.a.on.go.guard',
    'inline or composed',
  ],
  'an inline guard': [
    () => createMachine(onGo({ guard: () => true })),
    'm.a.on.go.guard',
    'inline or composed',
  ],
  'an inline guard of a later candidate': [
    () => createMachine(onGo([{ target: 'b' }, { guard: () => true }])),
    'm.a.on.go[1].guard',
    'inline or composed',
  ],
  'a guard that nobody has implemented': [
    () => createMachine(onGo({ guard: 'missing' })),
    'm.a.on.go.guard',
    'guard `missing` is not implemented',
  ],
  'an inline action': [
    () => createMachine(onGo({ actions: () => {} })),
    'm.a.on.go.actions',
    'the action is inline',
  ],
  'an inline action among others': [
    () => createMachine(onGo({ actions: ['x', () => {}] })),
    'm.a.on.go.actions[1]',
    'the action is inline',
  ],
  'an inline assign': [
    () => createMachine(onGo({ actions: assign({}) })),
    'm.a.on.go.actions',
    'the action is inline',
  ],
  'an inline action on entry': [
    () => createMachine(inA({ entry: () => {} })),
    'm.a.entry',
    'the action is inline',
  ],
  'an inline action on entry of a target': [
    () => createMachine({ ...flat, states: { a: { on: { go: 'b' } }, b: { entry: () => {} } } }),
    'm.b.entry',
    'the action is inline',
  ],
  'an inline action on exit': [
    () => createMachine(inA({ exit: () => {}, on: { go: 'b' } })),
    'm.a.exit',
    'the action is inline',
  ],
  'an inline action on exit of a state that is never left': [
    () => createMachine(inA({ exit: () => {} })),
    'm.a.exit',
    'the action is inline',
  ],
  'an inline action on exit of a final state': [
    () => createMachine({ ...flat, states: { a: {}, b: { type: 'final', exit: () => {} } } }),
    'm.b.exit',
    'the action is inline',
  ],
  'an inline action on entry of a state that is never entered': [
    () => createMachine({ ...flat, states: { a: {}, b: { entry: () => {} } } }),
    'm.b.entry',
    'the action is inline',
  ],
  'an inline initial action': [
    () => createMachine({ ...flat, initial: { target: 'a', actions: () => {} } }),
    'm.initial',
    'the action is inline',
  ],
  'an inline action on entry of the root': [
    () => createMachine({ ...flat, entry: () => {} }),
    'm.entry',
    'inline',
  ],
  'an inline action on exit of the root': [
    () => createMachine({ ...flat, exit: () => {} }),
    'm.exit',
    'inline',
  ],
  'an inline action at the root': [
    () => createMachine({ ...flat, on: { go: { actions: () => {} } } }),
    'm.on.go.actions',
    'the action is inline',
  ],
  'a wildcard': [() => createMachine(inA({ on: { '*': 'b' } })), 'm.a.on.*', 'it is a wildcard'],
  'a partial wildcard': [() => createMachine(inA({ on: { 'a.*': 'b' } })), 'm.a.on.a.*', 'it is a wildcard'],
  'a wildcard at the root': [
    () => createMachine({ ...flat, on: { '*': '.b' } }),
    'm.on.*',
    'it is a wildcard',
  ],
  'several targets': [
    () => createMachine(onGo({ target: ['a', 'b'] })),
    'm.a.on.go',
    'it has several targets',
  ],
  'a transition to the root': [
    () => createMachine(onGo({ target: '#m' })),
    'm.a.on.go',
    'its target is the root',
  ],
  'a root that targets itself': [
    () => createMachine({ ...flat, on: { go: { target: '#m' } } }),
    'm.on.go',
    'its target is the root',
  ],
  'a root that is entered again': [
    () => createMachine({ ...flat, on: { go: { target: '.a', reenter: true } } }),
    'm.on.go',
    'it reenters the root',
  ],
};

for (const [what, [makeMachine, place, found]] of Object.entries(refusals)) {
  refuses(`refuses ${what} and says where`, () => {
    const machine = makeMachine();
    const error = errorOf(() => compile(machine));
    assert.instance(error, CompileError);
    const { name, message, place: named } = error as CompileError;
    assert.equal([name, named], ['CompileError', place]);
    assert.match(message, `Cannot compile ${place}: `);
    assert.match(message, found);
    assert.match(message, /\. [A-Z].*\.$/);
  });
}

test('is compared strictly: keys count, also where their value is undefined', () => {
  assert.is(compare({ a: [1, { b: undefined }] }, { a: [1, { b: undefined }] }, 'x'), undefined);
  assert.is(compare({ a: 1 }, { b: 1 }, 'x'), 'x.a is missing');
  assert.is(compare({ a: undefined }, {}, 'x'), 'x: {} was expected, but is {}');
  assert.is(compare([1, 2], [1, 3], 'x'), 'x.1: 2 was expected, but is 3');
});
