import fc from 'fast-check';
import { createMemoryStore, type Entry, type RunFilter, type Store } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { given, tempFile } from '../../support/sqlite.ts';

const test = spec('random trees in the SQLite store');

/** Few ids, of which some begin as others do. */
const roots = ['r', 'rr', 'r0'];
const segments = ['a#1', 'a#10', 'a%2Fb#1', 'b#1'];
const id = fc
  .tuple(fc.constantFrom(...roots), fc.array(fc.constantFrom(...segments), { maxLength: 3 }))
  .map(([root, path]) => [root, ...path].join('/'));

type Step =
  | { readonly type: 'append'; readonly id: string; readonly isBehind: boolean; readonly ends: boolean }
  | { readonly type: 'remove'; readonly id: string }
  | { readonly type: 'release'; readonly id: string }
  | { readonly type: 'reopen'; readonly id: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      id,
      isBehind: fc.boolean(),
      ends: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), id }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('release' as const, 'reopen' as const),
      id,
    }) as fc.Arbitrary<Step>,
  },
);

/** So that more of what follows has a parent. */
const opening = ['r', 'rr', 'r/a#1', 'r/a#1/b#1'].map(
  (id): Step => ({ type: 'append', id, isBehind: false, ends: false }),
);

/** What a store says of an append. */
async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return 'ok';
  } catch (error) {
    return (error as Error).message;
  }
}

/** All that a store shows, without places in creation order. */
async function shown(store: Store) {
  const lists: unknown[] = [];
  const filters: RunFilter[] = [...roots, 'r/a#1', 'r/a#1/b#1', undefined].flatMap((under) => [
    { under },
    { under, newestFirst: true, settled: false },
    { under, settled: true, limit: 2 },
  ]);
  const journals: Record<string, readonly Entry[]> = {};
  for (const filter of filters) {
    const runs = await store.list(filter);
    lists.push(runs.map(({ order: _, ...run }) => run));
    for (const run of runs) journals[run.id] ??= await store.read(run.id);
  }
  return { lists, journals };
}

test('are as in the memory store, whatever is appended and removed in whichever order', async () => {
  let [kept, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const file = tempFile();
      const memory = createMemoryStore();
      let store = await createSqliteStore(file, { synchronous: 'normal' });
      for (const one of [...opening, ...steps]) {
        if (one.type === 'remove') {
          memory.remove(one.id);
          await store.remove(one.id);
        } else if (one.type === 'release') await store.release([one.id]);
        else if (one.type === 'reopen') {
          // A child of a root that settled elsewhere is refused, and memory knows no elsewhere.
          if (memory.list({ settled: true }).length > 0) continue;
          await store.close();
          store = await createSqliteStore(file, { synchronous: 'normal' });
        } else {
          const last = memory.lastSeq(one.id);
          const expectedSeq = one.isBehind && last > 0 ? last - 1 : last;
          const start = last === 0 ? [{ type: 'run.started' } as const] : [];
          const end = one.ends
            ? [{ type: 'run.done', output: 1 } as const]
            : [{ type: 'task.ready' } as const];
          // With all that came before, for memory holds the journal that it was given last.
          const append = given(one.id, expectedSeq, ...start, ...end);
          const before = memory.read(one.id).slice(0, expectedSeq);
          const all = [...before, ...append.entries];
          const get = (seq: number) => all[seq - 1] as Entry;
          const whole = { ...append, journal: { get } };
          const code = await codeOf(() => memory.append(whole));
          assert.is(await codeOf(() => store.append(whole)), code);
          if (code === 'ok') kept++;
          else refused++;
        }
      }
      assert.equal(await shown(store), await shown(memory));
      await store.close();
    }),
    { numRuns: 12, seed: 17 },
  );
  assert.ok(kept > 50 && refused > 50, `${kept} ${refused}`);
});
