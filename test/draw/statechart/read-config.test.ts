import * as assert from 'uvu/assert';
import { and, assign, fromPromise, not, or, raise, setup, stateIn } from 'xstate';
import { type Machine, pathOf } from '../../../src/draw/machine.ts';
import { readConfig } from '../../../src/draw/statechart/read-config.ts';
import { spec } from '../../spec.ts';

const test = spec('configs of XState machines');

const machine = setup({
  actors: { load: fromPromise(async () => 1) },
  guards: { isA: () => true, isB: () => true },
  actions: { click: () => {}, ring: (_, _params: { loud: boolean }) => {} },
  delays: { patience: 100 },
}).createMachine({
  id: 'shop',
  initial: 'open',
  entry: [assign({}), raise({ type: 'HELLO' })],
  on: {
    RESET: '.open.idle',
    FIRE: { target: '#burnt.ashes', guard: and(['isA', not(or(['isB', stateIn('open')]))]) },
  },
  states: {
    open: {
      initial: 'idle',
      onDone: 'shut',
      states: {
        idle: {
          entry: { type: 'ring', params: { loud: true } },
          exit: () => {},
          always: { guard: 'isA', target: 'busy' },
          after: { patience: 'end', 1500: { target: 'busy', actions: 'click' } },
          on: { LEAVE: '#shop.shut', STAY: {}, BOTH: { target: ['#x', '#shop.burnt.y.b'] } },
        },
        busy: {
          invoke: [
            { src: 'load', id: 'first', onDone: { target: 'end' }, onError: ['idle', { actions: 'click' }] },
            { src: 'load', id: 'second', onSnapshot: { actions: 'click' } },
          ],
        },
        end: { type: 'final' },
        before: { type: 'history', history: 'deep', target: 'busy' },
      },
    },
    shut: { tags: 'quiet', on: { OPEN: 'open.before' } },
    burnt: {
      id: 'burnt',
      type: 'parallel',
      states: { ashes: {}, x: { id: 'x' }, y: { initial: 'b', states: { b: {} } } },
    },
  },
});

/** Each transition as a line. */
function linesOf(described: Machine): string[] {
  return described.states.flatMap(({ transitions }, index) =>
    transitions.map(({ event, guard, targets, actions }) =>
      [
        `${pathOf(described, index)}: ${event}`,
        ...(guard === undefined ? [] : [`[${guard}]`]),
        ...(actions.length === 0 ? [] : [`/ ${actions.join()}`]),
        `> ${targets.map((target) => pathOf(described, target)).join(' & ')}`,
      ].join(' '),
    ),
  );
}

test('have states of every kind, in order, with what is said of them', () => {
  const described = readConfig(machine.config);
  assert.equal(
    described.states.map(({ name, kind, parent, initial }) => [name, kind, parent, initial]),
    [
      ['shop', 'compound', -1, 1],
      ['open', 'compound', 0, 2],
      ['idle', 'atomic', 1, undefined],
      ['busy', 'atomic', 1, undefined],
      ['end', 'final', 1, undefined],
      ['before', 'deep', 1, undefined],
      ['shut', 'atomic', 0, undefined],
      ['burnt', 'parallel', 0, undefined],
      ['ashes', 'atomic', 7, undefined],
      ['x', 'atomic', 7, undefined],
      ['y', 'compound', 7, 11],
      ['b', 'atomic', 10, undefined],
    ],
  );
  assert.equal(described.states[0]?.entry, ['assign', 'raise HELLO']);
  assert.equal([described.states[2]?.entry, described.states[2]?.exit], [['ring'], ['inline']]);
  assert.equal(described.states[3]?.invokes, ['load (first)', 'load (second)']);
  assert.equal(described.states[6]?.tags, ['quiet']);
});

test('have transitions of events, delays, invoked actors and none; targets by sibling, child, id and path', () => {
  assert.equal(linesOf(readConfig(machine.config)), [
    'shop: RESET > open.idle',
    'shop: FIRE [isA and not (isB or in open)] > burnt.ashes',
    'open: done > shut',
    'open.idle: LEAVE > shut',
    'open.idle: STAY > ',
    'open.idle: BOTH > burnt.x & burnt.y.b',
    'open.idle: after 1.5 s / click > open.busy',
    'open.idle: after patience > open.end',
    'open.idle: always [isA] > open.busy',
    'open.busy: done: first > open.end',
    'open.busy: error: first > open.idle',
    'open.busy: error: first / click > ',
    'open.busy: snapshot: second / click > ',
    'open.before:  > open.busy',
    'shut: OPEN > open.before',
  ]);
});

test('are read alike after they went through JSON, but for functions', () => {
  const sent = readConfig(JSON.parse(JSON.stringify(machine.config)));
  const whole = readConfig(machine.config);
  assert.equal(
    sent.states.map(({ name, parent, kind, initial }) => [name, parent, kind, initial]),
    whole.states.map(({ name, parent, kind, initial }) => [name, parent, kind, initial]),
  );
  assert.equal(
    linesOf(sent).map((line) => line.replace(/ \[.*]/, '')),
    linesOf(whole).map((line) => line.replace(/ \[.*]/, '')),
  );
});

test('that are cut lead to the last state on the way that is left', () => {
  const cut = readConfig({
    id: 'cut',
    initial: 'a',
    states: { a: { states: { b: '[...]' }, on: { GO: '.b.c.d', AWAY: '#other', BACK: '#cut.a.b.c' } } },
  });
  assert.equal(linesOf(cut), ['a: GO > a.b', 'a: AWAY > ', 'a: BACK > a.b']);
});

test('of any other shape are machines too, and one that contains itself ends', () => {
  for (const config of [
    undefined,
    null,
    7,
    'text',
    [],
    { states: 3, on: [], invoke: 'x', after: 1, entry: 5 },
  ])
    assert.is(readConfig(config).states.length, 1);
  const endless: { states: Record<string, unknown> } = { states: {} };
  endless.states.again = endless;
  assert.ok(readConfig(endless).states.length > 100);
});
