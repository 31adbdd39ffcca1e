import * as assert from 'uvu/assert';
import { createEngine, createFlow, createFlowFromGraph, type FlowError } from '../../src/index.ts';
import { spec } from '../spec.ts';

const test = spec('define-child');

const child = createFlow('child').task('x', { perform: () => 1 });
const parent = createFlow('parent').task('a', { perform: () => [1] });

function refusal(make: () => unknown): FlowError {
  try {
    make();
  } catch (error) {
    return error as FlowError;
  }
  throw new Error('not refused');
}

/** What a task added by `.flow` or `.map` with such options is refused with. */
function refusedBy(method: 'flow' | 'map', options: object | undefined): string {
  const { message, name, flow, taskId } = refusal(() =>
    method === 'flow' ? parent.flow('b', options as never) : parent.map('b', options as never),
  );
  assert.equal([name, flow, taskId], ['FlowError', 'parent', 'b']);
  return message;
}

test('names flow, task, option, what was expected and what was found', () => {
  const place = 'of task `b` of flow `parent`';
  const flows: readonly (readonly [object | undefined, string])[] = [
    [undefined, `\`options\` ${place} must be an object of \`dependsOn\`, \`flow\`, `],
    [{}, `\`flow\` ${place} must be a flow, made by \`createFlow\`, but is undefined`],
    [{ flow: child.definition }, `\`flow\` ${place} must be a flow, made by \`createFlow\`, but is `],
    [{ flow: 'child' }, `\`flow\` ${place} must be a flow, made by \`createFlow\`, but is "child"`],
    [
      { flow: child, input: 5 },
      `\`input\` ${place} must be a function that returns the input of flow \`child\`, but is 5`,
    ],
    [{ flow: child, dependsOn: 'a' }, `\`dependsOn\` ${place} must be an array of task ids, but is "a"`],
    [{ flow: child, timeoutMs: -1 }, `\`timeoutMs\` ${place} must be a number of at least 0, but is -1`],
    [
      { flow: child, retry: { maxAttempts: 0 } },
      `\`retry.maxAttempts\` ${place} must be an integer of at least 1, but is 0`,
    ],
    [{ flow: child, optional: 1 }, `\`optional\` ${place} must be true or false, but is 1`],
    [
      { flow: child, depndsOn: [] },
      `\`options\` ${place} does not take \`depndsOn\`. Did you mean \`dependsOn\`?`,
    ],
  ];
  for (const [options, message] of flows) startsWith(refusedBy('flow', options), message);
  const map = { over: () => [1], perform: () => 1 };
  const maps: readonly (readonly [object | undefined, string])[] = [
    [
      { perform: () => 1 },
      `\`over\` ${place} must be a function that returns the list, or a promise of it, but is undefined`,
    ],
    [
      { ...map, over: [1] },
      `\`over\` ${place} must be a function that returns the list, or a promise of it, but is `,
    ],
    [
      { ...map, perform: undefined },
      `\`perform\` ${place} must be a function of each item, or a flow, made by \`createFlow\`, but is undefined`,
    ],
    [
      { ...map, perform: child, input: 5 },
      `\`input\` ${place} must be a function that returns the input of flow \`child\`, but is 5`,
    ],
    [
      { ...map, input: () => 1 },
      'Task `b` of flow `parent` does not take `input`. A function gets the item itself',
    ],
    [
      { ...map, concurrency: 0 },
      `\`concurrency\` ${place} must be an integer of at least 1, or Infinity, but is 0`,
    ],
    [
      { ...map, tolerate: -1 },
      `\`tolerate\` ${place} must be a number of items, at least 0, or \`{ share }\` with a share from 0 to 1, but is -1`,
    ],
    [
      { ...map, tolerate: null },
      `\`tolerate\` ${place} must be a number of items, at least 0, or \`{ share }\` with a share from 0 to 1, but is null`,
    ],
    [
      { ...map, tolerate: { share: 10 } },
      `\`tolerate.share\` ${place} must be a number from 0 to 1, but is 10`,
    ],
    [
      { ...map, tolerate: { shar: 0.1 } },
      `\`tolerate\` ${place} does not take \`shar\`. Did you mean \`share\`?`,
    ],
    [{ ...map, skippable: 'yes' }, `\`skippable\` ${place} must be true or false, but is "yes"`],
    [{ ...map, pool: 5 }, `\`pool\` ${place} must be the name of a pool, but is 5`],
    [{ ...map, tolerat: 1 }, `\`options\` ${place} does not take \`tolerat\`. Did you mean \`tolerate\`?`],
  ];
  for (const [options, message] of maps) startsWith(refusedBy('map', options), message);
});

test('says where an option belongs that only other tasks have', () => {
  const asFlow = (options: object): string => refusedBy('flow', { flow: child, ...options });
  assert.is(
    asFlow({ pool: 'disk' }),
    'Task `b` of flow `parent` does not take `pool`. The task takes no slot itself: give `pool` to the tasks of flow `child`.',
  );
  for (const option of [
    'graceMs',
    'output',
    'skippable',
    'concurrency',
    'durationMs',
    'perform',
    'actor',
    'over',
  ])
    startsWith(asFlow({ [option]: 1 }), `Task \`b\` of flow \`parent\` does not take \`${option}\`. `);
  const asMap = (options: object): string =>
    refusedBy('map', { over: () => [1], perform: () => 1, ...options });
  startsWith(
    asMap({ flow: child }),
    'Task `b` of flow `parent` does not take `flow`. Give the flow of the items as `perform`',
  );
  startsWith(asMap({ actor: child.logic }), 'Task `b` of flow `parent` does not take `actor`. ');
});

test("refuses a flow's logic and machine as the actor of a task, whatever engine made it", () => {
  const logics = [child.logic, child.machine, createEngine().logic(child)] as const;
  for (const actor of logics) {
    const { message, code, option } = refusal(() => parent.task('b', { actor } as never));
    assert.equal([code, option], ['bad_body', 'actor']);
    assert.is(
      message,
      '`actor` of task `b` of flow `parent` is logic of flow `child`, whose runs succeed as actors even if they fail. ' +
        "Use `.flow('b', { flow: child })`, which makes the task a run of that flow.",
    );
    const graph = { tasks: { b: {} } };
    assert.is(refusal(() => createFlowFromGraph(graph, { b: { actor } as never })).code, 'bad_body');
    assert.is(refusal(() => parent.provide({ a: { actor } } as never)).code, 'bad_body');
  }
  const { message } = refusal(() => parent.task('b', { actor: child } as never));
  assert.match(message, /found a flow, which is the body of a task added by `\.flow`/);
});

test('refuses a dependency that is no task, and an id that is taken', () => {
  assert.is(
    refusal(() => parent.flow('b', { flow: child, dependsOn: ['A' as 'a'] })).code,
    'unknown_dependency',
  );
  assert.is(refusal(() => parent.map('a', { over: () => [1], perform: () => 1 })).code, 'duplicate_task');
});

test('keeps the options of a map where they belong: with each item, or with the group', () => {
  const schema = {
    '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) },
  } as const;
  const { definition } = parent.map('b', {
    dependsOn: ['a'],
    over: () => [1],
    perform: () => 1,
    retry: { maxAttempts: 3 },
    timeoutMs: 1,
    graceMs: 2,
    totalTimeoutMs: 3,
    priority: 4,
    pool: 'disk',
    durationMs: 5,
    output: schema,
    skippable: true,
    optional: true,
    triggerRule: 'all_settled',
    concurrency: 6,
    tolerate: { share: 0.5 },
  });
  const { body, ...group } = definition.tasks[1] as (typeof definition.tasks)[number];
  assert.equal(group, {
    id: 'b',
    dependsOn: ['a'],
    triggerRule: 'all_settled',
    retry: undefined,
    timeoutMs: undefined,
    totalTimeoutMs: 3,
    graceMs: undefined,
    optional: true,
    skippable: false,
    priority: 0,
    pool: undefined,
    durationMs: undefined,
    output: undefined,
    when: undefined,
  });
  if (body.kind !== 'map') throw new Error('no map');
  const { item, concurrency, tolerate } = body;
  const { retry, timeoutMs, graceMs, priority, pool, durationMs, output, skippable } = item;
  assert.equal(
    [
      retry,
      timeoutMs,
      graceMs,
      priority,
      pool,
      durationMs,
      output === schema,
      skippable,
      concurrency,
      tolerate,
    ],
    [{ maxAttempts: 3 }, 1, 2, 4, 'disk', 5, true, true, 6, { share: 0.5 }],
  );
});

function startsWith(message: string, start: string): void {
  assert.is(message.slice(0, start.length), start);
}
