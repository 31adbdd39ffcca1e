import { createFlowFromGraph } from 'topple';
import * as assert from 'uvu/assert';
import { fromPromise } from 'xstate';
import { spec } from '../spec.ts';
import { refusalOf } from './refusal.ts';

const test = spec('flows that are data');

const perform = () => 1;

test('makes a flow of data: an object, a Map or a list', async () => {
  const sum = ({ deps, taskId }: { deps: Record<string, unknown>; taskId: string }) =>
    Object.values(deps).reduce((total: number, value) => total + Number(value), taskId.length);
  const tasks = { a: {}, bb: { needs: ['a'] }, c: { dependsOn: ['a', 'bb'] } };
  const expected = { a: 1, bb: 3, c: 5 };
  assert.equal(await createFlowFromGraph({ tasks }, sum).run(), expected);
  assert.equal(await createFlowFromGraph({ tasks: new Map(Object.entries(tasks)) }, sum).run(), expected);
  assert.equal(
    await createFlowFromGraph(
      { tasks: Object.entries(tasks).map(([id, task]) => ({ id, ...task })) },
      sum,
    ).run(),
    expected,
  );
  const each = { a: () => 1, bb: { perform: () => 2 }, c: { actor: fromPromise(async () => 3) } };
  assert.equal(await createFlowFromGraph({ tasks }, each).run(), { a: 1, bb: 2, c: 3 });
  assert.equal(await createFlowFromGraph({ tasks }, new Map(Object.entries(each))).run(), {
    a: 1,
    bb: 2,
    c: 3,
  });
});

test('tasks of a graph that share a retry policy share what was read of it, and no others do', () => {
  const [often, twice] = [{ maxAttempts: 9 }, { maxAttempts: 2 }];
  const { definition } = createFlowFromGraph(
    { tasks: { a: { retry: often }, b: { retry: often }, c: {}, d: { retry: twice }, e: { retry: often } } },
    perform,
  );
  const policies = definition.tasks.map(({ retry }) => retry);
  assert.equal(
    policies.map((policy) => policy?.maxAttempts),
    [9, 9, undefined, 2, 9],
  );
  assert.is(policies[0], policies[1]);
  assert.throws(
    () => createFlowFromGraph({ tasks: { a: { retry: often }, b: { retry: { maxAttempts: 0 } } } }, perform),
    /`retry.maxAttempts` of task `b` of flow `[a-z]+` must be/,
  );
});

test('keeps all that a graph file may say', () => {
  const { definition } = createFlowFromGraph(
    {
      name: 'file',
      meta: { source: 'x' },
      pools: { p: 2 },
      concurrency: 3,
      tasks: {
        a: {
          duration: 5,
          priority: 2,
          pool: 'p',
          optional: true,
          skips: true,
          rule: 'x',
          if: 'y',
          matrix: {},
          timeoutMinutes: 1,
        } as object,
        b: {
          needs: ['a'],
          triggerRule: 'one_done',
          retry: { maxAttempts: 4, backoff: { kind: 'exponential', initialMs: 100, base: 3, maxMs: 500 } },
          fails: 'always',
        },
        c: { retry: { maxAttempts: 2 } },
      },
    },
    perform,
  );
  const [a, b, c] = definition.tasks;
  assert.equal(
    [
      definition.name,
      definition.settings.concurrency,
      a?.durationMs,
      a?.priority,
      a?.pool,
      a?.optional,
      a?.skippable,
    ],
    ['file', 3, 5, 2, 'p', true, true],
  );
  assert.equal(
    [b?.triggerRule, b?.retry?.maxAttempts, c?.retry],
    ['one_settled', 4, { maxAttempts: 2, backoff: 0 }],
  );
  const backoff = b?.retry?.backoff as (failure: object) => number;
  assert.equal(
    [1, 2, 3].map((attempt) => backoff({ attempt, elapsedMs: 0, error: undefined, random: () => 0 })),
    [100, 300, 500],
  );
  assert.equal([...definition.poolNames], ['p']);
});

const data: [string, () => unknown, string, RegExp][] = [
  [
    'no definition',
    () => createFlowFromGraph(null as never, perform),
    'bad_option',
    /must be an object with `tasks`/,
  ],
  [
    'no tasks',
    () => createFlowFromGraph({} as never, perform),
    'bad_option',
    /`tasks` of flow `graph` must be an object, a Map or a list/,
  ],
  [
    'a task that is none',
    () => createFlowFromGraph({ tasks: { a: 1 as never } }, perform),
    'bad_option',
    /must be an object/,
  ],
  [
    'an unknown key',
    () => createFlowFromGraph({ tasks: { a: { need: [] } as never } }, perform),
    'bad_option',
    /does not take `need`\. Did you mean `needs`\?/,
  ],
  [
    'an unknown key of the flow',
    () => createFlowFromGraph({ task: {}, tasks: {} } as never, perform),
    'bad_option',
    /does not take `task`/,
  ],
  [
    'both words for dependencies',
    () => createFlowFromGraph({ tasks: { a: { needs: [], dependsOn: [] } } }, perform),
    'bad_option',
    /`needs` of task `a` .* left out if `dependsOn` is given/,
  ],
  [
    'a rule that is no text',
    () => createFlowFromGraph({ tasks: { a: { triggerRule: 7 as never } } }, perform),
    'bad_option',
    /must be one of/,
  ],
  [
    'a retry policy that is none',
    () => createFlowFromGraph({ tasks: { a: { retry: 3 as never } } }, perform),
    'bad_option',
    /`retry` of task `a` of flow `[a-z]+` must be an object of `maxAttempts`/,
  ],
  [
    'a backoff of an unknown kind',
    () =>
      createFlowFromGraph(
        { tasks: { a: { retry: { maxAttempts: 2, backoff: { kind: 'linear' } as never } } } },
        perform,
      ),
    'bad_option',
    /must be `exponential`/,
  ],
  ['no bodies', () => createFlowFromGraph({ tasks: {} }, undefined as never), 'bad_body', /needs bodies/],
  [
    'a task without a body',
    () => createFlowFromGraph({ tasks: { a: {}, b: {} } }, { a: perform } as never),
    'bad_body',
    /Task `b` .* found neither/,
  ],
  [
    'a body for no task',
    () => createFlowFromGraph({ tasks: { a: {} } }, { a: perform, aa: perform } as never),
    'unknown_task',
    /has no task `aa`/,
  ],
  [
    'a body for no task, in a Map',
    () =>
      createFlowFromGraph(
        { tasks: { a: {} } },
        new Map([
          ['a', perform],
          ['toString', perform],
        ]),
      ),
    'unknown_task',
    /has no task `toString`/,
  ],
  [
    'a cycle',
    () => createFlowFromGraph({ tasks: { a: { needs: ['b'] }, b: { needs: ['a'] } } }, perform),
    'cycle',
    /cycle: a → b → a/,
  ],
];

for (const [what, define, code, text] of data) {
  test(`refuses data with ${what}`, () => {
    const error = refusalOf(define);
    assert.is(error.code, code);
    assert.match(error.message, text);
  });
}
