import { createFlow, createFlowFromGraph, type FlowError, isFlow } from 'topple';
import * as assert from 'uvu/assert';
import { fromPromise } from 'xstate';
import { z } from 'zod';
import { definitionOf } from '../../src/flow.ts';
import { taskSettings } from '../../src/model/define-task.ts';
import { spec } from '../spec.ts';
import { refusalOf } from './refusal.ts';

const test = spec('definition');

const perform = () => 1;

const flow = createFlow('release');
const refused: [string, () => unknown, Partial<FlowError>, RegExp][] = [
  [
    'an unknown dependency',
    () => flow.task('build', { perform }).task('deploy', { dependsOn: ['biuld' as 'build'], perform }),
    { code: 'unknown_dependency', taskId: 'deploy', suggestion: 'build' },
    /^Task `deploy` depends on `biuld`, which is not in flow `release`\. Did you mean `build`\?$/,
  ],
  [
    'a task twice',
    () => flow.task('a', { perform }).task('a', { perform }),
    { code: 'duplicate_task', taskId: 'a' },
    /two tasks `a` in flow `release`/,
  ],
  [
    'a task that depends on itself',
    () => flow.task('a', { dependsOn: ['a' as never], perform }),
    { code: 'cycle', path: ['a', 'a'] },
    /has a cycle: a → a/,
  ],
  [
    'an id that is no string',
    () => flow.task(7 as never, { perform }).graph,
    { code: 'bad_id' },
    /must be a string, but is 7/,
  ],
  [
    'an empty name',
    () => createFlow(''),
    { code: 'bad_id' },
    /^A flow's name must be a string that is not empty, but is ""/,
  ],
  ['no body', () => flow.task('a', {} as never), { code: 'bad_body', taskId: 'a' }, /found neither/],
  [
    'two bodies',
    () => flow.task('a', { perform, actor: fromPromise(async () => 1) } as never),
    { code: 'bad_body' },
    /found both/,
  ],
  [
    'a body that is no function',
    () => flow.task('a', { perform: 'send' } as never),
    { code: 'bad_body' },
    /a `perform` that is of type string/,
  ],
  [
    'a body that is null',
    () => flow.task('a', { perform: null } as never),
    { code: 'bad_body' },
    /a `perform` that is null/,
  ],
  [
    'an actor that is no logic',
    () => flow.task('a', { actor: {} } as never),
    { code: 'bad_body' },
    /an `actor` that is not XState logic/,
  ],
  [
    'an input that is no function',
    () => flow.task('a', { actor: fromPromise(async () => 1), input: 1 } as never),
    { code: 'bad_body' },
    /an `input` that is not a function/,
  ],
  [
    'an unknown option',
    () => flow.task('a', { perform, timeoutMS: 5 } as never),
    { code: 'bad_option', suggestion: 'timeoutMs' },
    /does not take `timeoutMS`\. Did you mean `timeoutMs`\?/,
  ],
  ['options that are none', () => flow.task('a', null as never), { code: 'bad_option' }, /must be an object/],
  [
    'dependencies that are no list',
    () => flow.task('a', { dependsOn: 'b' as never, perform }),
    { code: 'bad_option', option: 'dependsOn' },
    /`dependsOn` of task `a` of flow `release` must be an array of task ids, but is "b"/,
  ],
  [
    'an unknown trigger rule',
    () => flow.task('a', { triggerRule: 'all_good' as never, perform }),
    { code: 'bad_option', option: 'triggerRule' },
    /must be one of all_success, .*, always\b.*, but is "all_good"/,
  ],
  [
    'no attempts',
    () => flow.task('a', { retry: { maxAttempts: 0 }, perform }),
    { code: 'bad_option', option: 'retry.maxAttempts', value: 0 },
    /`retry.maxAttempts` of task `a` of flow `[a-z]+` must be an integer of at least 1, but is 0/,
  ],
  [
    'a negative time limit',
    () => flow.task('a', { timeoutMs: -1, perform }),
    { option: 'timeoutMs' },
    /`timeoutMs` of task `a` of flow `release` must be a number of at least 0, but is -1/,
  ],
  [
    'a time limit that is no number',
    () => flow.task('a', { totalTimeoutMs: Number.NaN, perform }),
    { option: 'totalTimeoutMs' },
    /but is NaN/,
  ],
  [
    'a grace that is text',
    () => flow.task('a', { graceMs: '5' as never, perform }),
    { option: 'graceMs' },
    /but is "5"/,
  ],
  [
    'an infinite duration',
    () => flow.task('a', { durationMs: Number.POSITIVE_INFINITY, perform }),
    { option: 'durationMs' },
    /finite number of at least 0/,
  ],
  [
    'an infinite priority',
    () => flow.task('a', { priority: Number.POSITIVE_INFINITY, perform }),
    { option: 'priority' },
    /finite number/,
  ],
  [
    'a flag that is none',
    () => flow.task('a', { optional: 1 as never, perform }),
    { option: 'optional' },
    /must be true or false/,
  ],
  [
    'a pool that is no name',
    () => flow.task('a', { pool: 1 as never, perform }),
    { option: 'pool' },
    /must be the name of a pool/,
  ],
  [
    'an output that is no schema',
    () => flow.task('a', { output: {} as never, perform }),
    { option: 'output' },
    /must be a Standard Schema/,
  ],
  [
    "a flow's input that is no schema",
    () => createFlow('f', { input: {} as never }),
    { option: 'input' },
    /must be a Standard Schema/,
  ],
  [
    "a flow's output that is no function",
    () => createFlow('f', { output: 1 as never }),
    { option: 'output' },
    /must be a function/,
  ],
  [
    "a flow's concurrency of 0",
    () => createFlow('f', { concurrency: 0 }),
    { option: 'concurrency' },
    /integer of at least 1, or Infinity/,
  ],
  [
    "a flow's pool of 0",
    () => createFlow('f', { pools: { mail: 0 } }),
    { option: 'pools.mail' },
    /`pools.mail` of flow `f`/,
  ],
  [
    "a flow's flag that is none",
    () => createFlow('f', { forwardEvents: 'yes' as never }),
    { option: 'forwardEvents' },
    /true or false/,
  ],
  [
    'an unknown option of a flow',
    () => createFlow('f', { retry: {} } as never),
    { code: 'bad_option' },
    /does not take `retry`/,
  ],
  [
    'a body for no task',
    () => flow.task('mail', { perform }).provide({ mial: { perform } } as never),
    { code: 'unknown_task', suggestion: 'mail' },
    /has no task `mial`\. Did you mean `mail`\?/,
  ],
  ['something else than a flow', () => definitionOf({}), { code: 'bad_option' }, /Expected a flow/],
];

for (const [what, define, fields, text] of refused) {
  test(`refuses ${what}`, () => {
    const error = refusalOf(define);
    for (const [key, value] of Object.entries(fields))
      assert.equal(error[key as keyof FlowError], value, key);
    assert.match(error.message, text);
  });
}

const settings = ['dependsOn', ...taskSettings];

test('takes null for no setting: it is not left out', () => {
  for (const option of settings) {
    assert.is(
      refusalOf(() => flow.task('a', { perform, [option]: null } as never)).code,
      'bad_option',
      option,
    );
  }
  for (const option of [...settings, 'needs', 'duration', 'skips']) {
    const define = () => createFlowFromGraph({ tasks: { a: { [option]: null } } } as never, perform);
    assert.is(refusalOf(define).code, 'bad_option', option);
  }
});

test('leaves a flow as it was when another grows from it', () => {
  const base = createFlow('base').task('a', { perform });
  const one = base.task('b', { perform });
  const other = base.task('c', { perform }).task('b', { dependsOn: ['c'], perform });
  assert.equal([base.graph.ids, one.graph.ids, other.graph.ids], [['a'], ['a', 'b'], ['a', 'c', 'b']]);
  assert.throws(() => base.task('d', { dependsOn: ['b' as never], perform }), /is not in flow `base`/);
});

test('swaps bodies, and leaves the flow that it came from', async () => {
  const real = createFlow('swap')
    .task('a', { perform: () => 'real' })
    .task('b', { dependsOn: ['a'], perform: ({ deps }) => `b after ${deps.a}` });
  const fake = real.provide({ a: { perform: () => 'fake' } });
  assert.equal(await fake.run(), { a: 'fake', b: 'b after fake' });
  assert.equal(await real.run(), { a: 'real', b: 'b after real' });
  const promised = real.provide({ a: { actor: fromPromise(async () => 'actor') } });
  assert.equal(await promised.run(), { a: 'actor', b: 'b after actor' });
  assert.is(fake.graph, real.graph);
});

test('grows on after provide, with the bodies that were provided', async () => {
  const base = createFlow('swap')
    .task('a', { perform: () => 'real' })
    .provide({ a: { perform: () => 'fake' } });
  assert.equal(await base.task('b', { dependsOn: ['a'], perform: ({ deps }) => deps.a }).run(), {
    a: 'fake',
    b: 'fake',
  });
});

test('tells flows from other values', () => {
  assert.ok(isFlow(flow));
  assert.ok(isFlow({ [Symbol.for('topple.flow')]: true }));
  for (const value of [undefined, null, {}, 'flow', () => {}]) assert.not.ok(isFlow(value));
});

test('has a hash that changes with tasks, dependencies and rules only', () => {
  const hashOf = (define: typeof flow) => define.definition.hash;
  const base = createFlow('h').task('a', { perform }).task('b', { perform });
  assert.is(
    hashOf(base as never),
    hashOf(
      createFlow('other')
        .task('a', { timeoutMs: 5, perform })
        .task('b', { perform: () => 2 }) as never,
    ),
  );
  const others = [
    createFlow('h').task('a', { perform }),
    createFlow('h')
      .task('a', { perform })
      .task('b', { dependsOn: ['a'], perform }),
    createFlow('h').task('a', { perform }).task('b', { triggerRule: 'always', perform }),
    createFlow('h').task('b', { perform }).task('a', { perform }),
    createFlow('h').task('ab', { perform }),
  ];
  const hashes = new Set([base, ...others].map((other) => hashOf(other as never)));
  assert.is(hashes.size, 6);
});

test('has the same hash in every version, whatever rules are added: stored runs go by it', () => {
  const rules = [
    'all_success',
    'all_failed',
    'all_settled',
    'all_settled_min_one_success',
    'all_skipped',
    'one_failed',
    'one_success',
    'one_settled',
    'none_failed',
    'none_failed_min_one_success',
    'none_skipped',
    'always',
  ];
  const tasks = Object.fromEntries(
    rules.map((triggerRule, at) => [`t${at}`, { triggerRule, needs: at === 0 ? [] : [`t${at - 1}`] }]),
  );
  assert.is(createFlowFromGraph({ tasks }, perform).definition.hash, '0lal7ocmhol');
});

test('checks its input with any Standard Schema', async () => {
  assert.equal(
    await createFlow('s', { input: z.coerce.number() })
      .task('a', { perform: ({ input }) => input + 1 })
      .run('41'),
    { a: 42 },
  );
});
