import * as assert from 'uvu/assert';
import {
  type AnyStateMachine,
  and,
  assign,
  cancel,
  createActor,
  createMachine,
  enqueueActions,
  log as logAction,
  not,
  type OutputFrom,
  or,
  raise,
  type SnapshotFrom,
  sendTo,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate';
import { CompileError, compile } from '../../src/logic/index.ts';
import { spec } from '../spec.ts';
import { counter } from './counter.ts';
import { errorOf } from './noting.ts';

const test = spec('compile');

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
  'an action that is no function': [() => withAction('other'), 'm.a.on.go.actions', 'is not a function'],
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
  test(`refuses ${what} and says where`, () => {
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
