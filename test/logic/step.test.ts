import * as assert from 'uvu/assert';
import {
  type AnyActorLogic,
  assign,
  createActor,
  createMachine,
  emit,
  fromPromise,
  initialTransition,
  setup,
} from 'xstate';
import { compile } from '../../src/logic/index.ts';
import { spec } from '../spec.ts';
import { add, errorOf, note, noting, textsOf, typesOf } from './noting.ts';
import { assertSame, type Log } from './side-by-side.ts';

const test = spec('steps of a compiled machine');

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

test('hands each function the same as XState, in an object that nobody writes to afterwards', () => {
  const kept: (readonly [who: string, args: { readonly context: unknown }])[] = [];
  const keep = (who: string) => (args: { readonly context: unknown }) => {
    kept.push([who, args]);
    return {};
  };
  const machine = setup({
    types: { context: {} as { readonly count: number } },
    guards: { guard: (args) => kept.push(['guard', args]) > 0 },
    actions: {
      assign: assign((args) => {
        kept.push(['assign', args]);
        return { count: args.context.count + 1 };
      }),
      emit: emit((args) => {
        kept.push(['emit', args]);
        return { type: 'news' };
      }),
      effect: (args) => kept.push(['effect', args]),
    },
  }).createMachine({
    context: { count: 0 },
    initial: 'a',
    states: {
      a: {
        on: {
          go: {
            guard: { type: 'guard', params: keep('guard params') },
            actions: ['assign', 'emit', 'effect', 'assign', 'effect', 'emit', 'assign', 'assign'].map(
              (type) => ({
                type: type as 'effect',
                params: keep(`${type} params`) as never,
              }),
            ),
          },
        },
      },
    },
  });
  const seenBy = (logic: AnyActorLogic) => {
    const actor = createActor(logic).start();
    actor.send({ type: 'go' });
    // An assigner can spawn, which is no key of what a compiled machine gives it.
    const keysOf = (args: object) =>
      Object.keys(args)
        .filter((key) => key !== 'spawn')
        .sort();
    return kept.splice(0).map(([who, args]) => [who, keysOf(args), args.context]);
  };
  assert.equal(seenBy(compile(machine).logic), seenBy(machine));
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

test('makes a context of its own of what a function returns', () => {
  class Given {
    count = 1;
    inherited() {}
  }
  for (const input of [{ count: 1 }, new Given(), null]) {
    const machine = setup({ types: { input: {} as unknown } }).createMachine({
      context: ({ input: given }) => given as object,
      initial: 'a',
      states: { a: {} },
    });
    const { context } = compile(machine).initial(input).state;
    assert.is.not(context, input);
    assert.equal(context, initialTransition(machine, input)[0].context);
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
