import * as assert from 'uvu/assert';
import { compile } from '../../src/logic/index.ts';
import { spec } from '../spec.ts';
import { add, note, noting } from './noting.ts';
import type { Log } from './side-by-side.ts';

const test = spec('cursors');

/** A machine with something to do at each end, and what it does. */
function counting(more: (text: string) => void = () => {}) {
  const log: Log = [];
  const machine = noting(log)
    .extend({ actions: { more: (_, { text }: { readonly text: string }) => more(text) } })
    .createMachine({
      id: 'counting',
      context: { count: 0 },
      entry: note('begin'),
      exit: note('leave root'),
      initial: 'low',
      states: {
        low: {
          exit: note('leave low'),
          on: {
            up: [
              { guard: { type: 'isBelow', params: { limit: 1 } }, actions: add(1) },
              { target: 'high', actions: [{ type: 'more', params: { text: 'up' } }, add(10)] },
            ],
            tell: { actions: [{ type: 'tell', params: { note: 'unheard' } }, 'reset'] },
            break: { target: 'high', actions: 'break' },
          },
        },
        high: {
          entry: note('enter high'),
          exit: note('leave high'),
          on: { end: 'over', more: { actions: { type: 'more', params: { text: 'more' } } } },
        },
        over: { type: 'final', exit: note('leave over') },
      },
    });
  const texts = () => log.map((entry) => ((entry as unknown[])[1] as { readonly text: string }).text);
  return { logic: compile(machine), texts };
}

test('does at once what is asked for where the machine starts', () => {
  const { logic, texts } = counting();
  const cursor = logic.cursor('me', undefined);
  assert.equal(texts(), ['begin']);
  assert.equal([cursor.self, cursor.system, cursor.isMoving], ['me', undefined, false]);
  assert.equal([cursor.snapshot().value, cursor.snapshot().context], ['low', { count: 0 }]);
});

test('takes its events one by one to the end, and none after', () => {
  const { logic, texts } = counting();
  const cursor = logic.cursor(undefined, undefined);
  for (const type of ['up', 'unknown', 'up', 'end', 'end', 'up']) cursor.move({ type });
  const { value, status, context } = cursor.snapshot();
  assert.equal([value, status, context], ['over', 'done', { count: 11 }]);
  assert.equal(texts(), ['begin', 'leave low', 'enter high', 'leave high', 'leave over', 'leave root']);
});

test('changes a context of its own', () => {
  const { logic } = counting();
  const { state } = logic.initial(undefined);
  const cursor = logic.cursorFrom(undefined, state);
  const early = cursor.snapshot();
  cursor.move({ type: 'up' });
  assert.equal(
    [state.context, early.context, cursor.snapshot().context],
    [{ count: 0 }, { count: 0 }, { count: 1 }],
  );
});

test('emits to nobody, and works out an assignment by keys of one and the same context', () => {
  const { logic } = counting();
  const cursor = logic.cursor(undefined, undefined);
  cursor.move({ type: 'up' });
  cursor.move({ type: 'tell' });
  assert.equal(cursor.snapshot().context, { count: 0, name: 'was 1' });
});

test('has what comes within a move wait for its end, in order and however much it is', () => {
  const came: string[] = [];
  const { logic } = counting((text) => {
    came.push(`${text} ${cursor.isMoving}`);
    if (text === 'more') return;
    for (let n = 0; n < 20_000; n++) cursor.afterMove(() => cursor.move({ type: 'more' }));
    cursor.afterMove(() => came.push(`last ${cursor.isMoving}`));
  });
  const cursor = logic.cursor(undefined, undefined);
  cursor.move({ type: 'up' });
  cursor.move({ type: 'up' });
  assert.equal(
    [came.length, came.slice(0, 2), came.at(-1)],
    [20_002, ['up true', 'more true'], 'last false'],
  );
});

test('is no longer moving after a move that threw', () => {
  const { logic } = counting();
  const cursor = logic.cursor(undefined, undefined);
  assert.throws(() => cursor.move({ type: 'break' }), /this action is broken/);
  assert.is(cursor.isMoving, false);
  const broken = () => {
    throw new RangeError('not this way');
  };
  assert.throws(() => cursor.moveBy(broken), /not this way/);
  assert.is(cursor.isMoving, false);
});

test('goes on from where somebody else took the machine', () => {
  const { logic, texts } = counting();
  const cursor = logic.cursor(undefined, undefined);
  cursor.move({ type: 'up' });
  const late: boolean[] = [];
  const next = cursor.moveBy<ReturnType<typeof logic.step>['state']>((from) => {
    cursor.afterMove(() => late.push(cursor.isMoving));
    late.push(cursor.isMoving);
    return logic.step(from, { type: 'up' }).state;
  });
  cursor.move({ type: 'end' });
  assert.equal([next.value, next.context, late], ['high', { count: 11 }, [true, false]]);
  assert.equal([cursor.snapshot().value, cursor.snapshot().status], ['over', 'done']);
  assert.equal(texts(), ['begin', 'leave high', 'leave over', 'leave root']);
});

test('spawns nothing', () => {
  const { logic } = counting();
  assert.throws(() => logic.cursor(undefined, undefined).spawn(), /cannot spawn/);
});
