import { createFlow, createFlowFromGraph } from 'topple';
import { createFlowModel, explore, PathError, reportText, testFlow } from 'topple/testing';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';

const test = spec('test paths');

const flow = createFlow('order', { input: z.object({ amount: z.number() }) })
  .task('charge', {
    retry: { maxAttempts: 3 },
    timeoutMs: 1_000,
    output: z.object({ receipt: z.string() }),
    perform: (): { receipt: string } => {
      throw new Error('the real body is not called');
    },
  })
  .task('mail', {
    dependsOn: ['charge'],
    optional: true,
    perform: ({ deps }) => `mailed ${deps.charge.receipt}`,
  })
  .task('audit', { dependsOn: ['charge', 'mail'], triggerRule: 'all_settled', perform: () => undefined })
  .output(({ deps }) => deps.mail);

const model = createFlowModel(flow, { commands: ['cancel'] });

/** What a promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<PathError> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, PathError);
    return error as PathError;
  }
  return assert.unreachable() as never;
}

test('are few, each with a description of its own, and pass', async () => {
  const paths = model.getTestPaths({ maxFailures: 2 });
  assert.ok(paths.length < 15, `${paths.length} paths`);
  assert.is(new Set(paths.map(({ description }) => description)).size, paths.length);
  for (const path of paths) await path.test();
  assert.is(model.coverage().share, 1);
});

test('cover a task that runs out of time while it waits for a slot after a stop', async () => {
  const limited = createFlow('limited').task('a', { totalTimeoutMs: 1_000, perform: () => 1 });
  const path = createFlowModel(limited).pathOf('p.s.e0');
  assert.equal(
    path.story.at(-1),
    'the time for all attempts of `a` is over; `a` is failed; the run is failed',
  );
  await path.test();
  const edge = 'transitions of task: ready: task.expire → failed';
  const { coverage } = await testFlow(limited, { commands: ['stop', 'pause'], maxCommands: 2 });
  const none = await testFlow(limited, { commands: ['stop'], maxCommands: 2 });
  assert.equal([coverage.share, none.coverage.share], [1, 1]);
  assert.equal(
    [coverage, none.coverage].map(({ leftOut }) => leftOut.some(({ name }) => name === edge)),
    [false, true],
  );
});

test('work with any task ids', async () => {
  const odd = createFlow('odd')
    .task('', { retry: { maxAttempts: 2 }, perform: () => 1 })
    .task('__proto__', { dependsOn: [''], perform: () => 1 })
    .task('two\rlines', { dependsOn: ['__proto__'], perform: () => 1 });
  const { isGood, exploration, coverage, paths } = await testFlow(odd, { maxCommands: 2 });
  assert.equal(
    [isGood, exploration.isComplete, coverage.share],
    [true, true, 1],
    JSON.stringify(paths, undefined, 1),
  );
  const { mermaid } = createFlowModel(odd).pathOf('d0.d1.d2');
  assert.match(mermaid, '  participant t0 as #160;\n');
  assert.match(mermaid, '  participant t2 as two#13;lines\n');
});

test('describe what is unusual, step by step and as a diagram', () => {
  const { description, steps, story, mermaid, seed } = model.pathOf('f0.u0.t0.h0.u0.d0.d1.d2');
  assert.is(description, '`charge` fails and is retried; `charge` times out in attempt 2 of 3');
  assert.is(seed, 'f0.u0.t0.h0.u0.d0.d1.d2');
  assert.equal(steps[0], {
    description: '`charge` fails in attempt 1 of 3, and is to be retried',
    kind: 'fails',
    taskId: 'charge',
  });
  assert.equal(story, [
    'the run starts; `charge` starts',
    '`charge` fails in attempt 1 of 3, and is to be retried',
    'the retry of `charge` is due; `charge` starts',
    '`charge` times out in attempt 2 of 3',
    'the body of `charge` ends, which was told to, and is to be retried',
    'the retry of `charge` is due; `charge` starts',
    '`charge` is done in attempt 3 of 3; `mail` starts',
    '`mail` is done; `audit` starts',
    '`audit` is done; the run is done',
  ]);
  assert.is(
    mermaid,
    `sequenceDiagram
  participant world as outside
  participant run as run of order
  participant t0 as charge
  participant t1 as mail
  participant t2 as audit
  world->>run: start
  run->>t0: start
  world->>t0: charge fails in attempt 1 of 3, and is to be retried
  world->>t0: the retry of charge is due
  run->>t0: start
  world->>t0: charge times out in attempt 2 of 3
  world->>t0: the body of charge ends, which was told to, and is to be retried
  world->>t0: the retry of charge is due
  run->>t0: start
  world->>t0: charge is done in attempt 3 of 3
  t0-->>run: done
  run->>t1: start
  world->>t1: mail is done
  t1-->>run: done
  run->>t2: start
  world->>t2: audit is done
  t2-->>run: done
  run-->>world: done`,
  );
});

test('pass real outputs on, and apply schemas to real values', async () => {
  const performs = {
    charge: () => ({ receipt: 'r1', more: 1 }),
    mail: ({ deps }: { deps: { charge: object } }) => JSON.stringify(deps.charge),
    audit: async () => 'audited',
  };
  const { view, entries } = await model.pathOf('f0.u0.d0.d1.d2').run({ performs, input: { amount: 1 } });
  assert.equal(
    [view.status, view.tasks.charge?.attempts, view.tasks.mail?.output],
    ['done', 2, '{"receipt":"r1"}'],
  );
  assert.equal(entries.at(-1), {
    type: 'run.done',
    at: 5_000,
    output: '{"receipt":"r1"}',
    seq: entries.length,
    runId: 'path',
  });
  const error = await errorOf(model.pathOf('d0.d1.d2').test({ performs: { charge: () => 'no receipt' } }));
  assert.is(
    error.difference,
    'of `charge` the journal has task.failed #1 output, where the model has task.done #1',
  );
});

test('fail if a body does not do what the path says', async () => {
  const mail = (): never => {
    throw new TypeError('no such address');
  };
  const error = await errorOf(model.pathOf('d0.d1.d2').test({ performs: { mail } }));
  assert.is(
    error.difference,
    'the path says that `mail` is done, and its body threw TypeError: no such address',
  );
  assert.equal(error.story, [
    'the run starts; `charge` starts',
    '`charge` is done; `mail` starts',
    '`mail` is done; `audit` starts',
  ]);
  assert.match(error.message, 'Flow `order`, path "all goes well": the path says that `mail` is done');
  assert.match(error.message, '  1. `charge` is done; `mail` starts\n');
  assert.match(error.script, "createFlowModel(flow).pathOf('d0.d1')");
});

test('treat interchangeable tasks as different if each must be covered', async () => {
  const pair = createFlow('pair')
    .task('a', { perform: () => 1 })
    .task('b', { perform: () => 2 })
    .task('both', { dependsOn: ['a', 'b'], perform: () => 3 });
  const pairModel = createFlowModel(pair, { commands: [], maxFailures: 0 });
  const ordersOf = async (cover: 'transitions' | 'pairs'): Promise<string[]> => {
    const orders: string[] = [];
    for (const path of pairModel.getTestPaths({ cover })) {
      const order: string[] = [];
      await path.test({ performs: { a: () => order.push('a'), b: () => order.push('b') } });
      orders.push(order.join());
    }
    return orders.sort();
  };
  assert.equal(await ordersOf('transitions'), ['a,b']);
  assert.equal(await ordersOf('pairs'), ['a,b', 'b,a']);
});

test('are made from fewer situations in flows of more tasks, to fit in memory', () => {
  const ids = Array.from({ length: 4_000 }, (_, index) => `t${index}`);
  // Told apart by their priorities, so that none stands for another.
  const tasks = ids.map((id, priority) => ({ id, priority }));
  const fan = createFlowFromGraph({ name: 'fan', tasks }, () => 1);
  const { isComplete, notCovered } = explore(fan, {
    commands: [],
    maxFailures: 0,
    reduction: 'situations',
    maxMs: 60_000,
  });
  assert.is(isComplete, false);
  assert.match(notCovered[0] ?? '', 'what comes after 2500 situations');
});

test('may stop before the end of the run', async () => {
  const { view } = await model.pathOf('d0').run();
  assert.equal([view.status, view.tasks.mail?.status], ['running', 'running']);
});

test('are refused for an unknown path, body or option', async () => {
  const messageOf = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  assert.match(
    messageOf(() => model.pathOf('d1')),
    '`seed` of `pathOf` must be a path that flow `order` can go',
  );
  assert.match(
    messageOf(() => model.pathOf('q0')),
    '`q0` is no step of a seed',
  );
  assert.match(
    messageOf(() => model.getTestPaths({ cover: 'all' as never })),
    '`cover` of `getTestPaths` must be one of transitions, tasks, pairs, but is "all"',
  );
  assert.match(
    messageOf(() => createFlowModel({} as never)),
    '`flow` of `createFlowModel` must be a flow',
  );
  assert.match(
    messageOf(() => createFlowModel(flow, { maxFailures: -1 })),
    '`maxFailures` of `createFlowModel` must be an integer of at least 0',
  );
  assert.match(
    messageOf(() => createFlowModel(flow, { outcomes: { mial: ['done'] } })),
    'Did you mean `mail`?',
  );
  const typo = model.pathOf('d0').test({ performs: { mial: () => 1 } });
  assert.match(await typo.catch(({ message }) => message), 'Did you mean `mail`?');
});

test('are reported with lints, properties and coverage', async () => {
  const tested = await testFlow(flow, { commands: ['cancel'], threshold: 1 });
  assert.equal([tested.isGood, tested.lints, tested.coverage.share], [true, [], 1]);
  const text = reportText(tested);
  for (const part of [
    'flow order',
    '✔ what must hold does',
    'test paths agree with the engine',
    'coverage 100 %',
    '✔ good',
  ])
    assert.match(text, part);
  const less = await testFlow(flow, { maxFailures: 0, commands: ['cancel'], threshold: 0.9 });
  assert.is(less.isGood, false);
  assert.match(reportText(less), /✘ not good: coverage is \d+(\.\d)? %, and must be 90 %/);
  assert.match(reportText(less), 'missed: running: attempt.failed [attemptsLeft] → backing_off');
  assert.equal(JSON.parse(JSON.stringify(less)).coverage.share, less.coverage.share);
});
