import { spec } from '../spec.ts';
import { note, noting } from './noting.ts';
import { assertSame } from './side-by-side.ts';

const test = spec('snapshots of a compiled machine');

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
