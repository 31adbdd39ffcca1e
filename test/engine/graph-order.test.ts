import { createFlowFromGraph, FlowError, type GraphTask } from 'topple';
import * as assert from 'uvu/assert';
import { specWithData } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

interface Case {
  readonly id: string;
  readonly tasks: Readonly<
    Record<string, { needs: string[]; duration?: number; fails?: string; result?: unknown }>
  >;
  readonly options?: { readonly concurrency?: number };
  readonly expect: {
    readonly outcome: 'success' | 'failure' | 'reject-at-build';
    readonly error?: string;
    readonly before?: readonly [string, string][];
    readonly ran?: readonly string[];
    readonly notRan?: readonly string[];
    readonly maxConcurrency?: { readonly eq?: number; readonly le?: number };
    readonly completionOrder?: readonly string[];
    readonly completionOrderConstraints?: readonly [string, string][];
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly results?: Readonly<Record<string, unknown>>;
    readonly settledTimes?: number;
  };
}

/** Cases whose engine stops at the first failure; here failures are isolated (docs/decisions). */
const isolated: Readonly<Record<string, string>> = {
  'async-13-stop-on-error-c1': 'task2 does not depend on the task that failed, so it runs',
};

specWithData<{ readonly cases: readonly Case[] }>(
  'graphs of other engines, run',
  'cases/graph_order.json',
  (test, { cases }) => {
    for (const each of cases) {
      test(`${each.id} ends as its engine's test says`, async () => {
        const { expect } = each;
        if (expect.outcome === 'reject-at-build') {
          assert.throws(
            () => createFlowFromGraph({ tasks: each.tasks as never }, () => 1),
            (error: unknown) => error instanceof FlowError,
          );
          return;
        }
        const { view, ended, most, inputs, settledTimes } = await run(each);
        assert.is(view.status, expect.outcome === 'success' ? 'done' : 'failed');
        const failed = Object.values(view.tasks).find(({ status }) => status === 'failed');
        assert.is(failed?.error?.message, expect.error);
        for (const [first, second] of expect.before ?? []) {
          assert.ok(Number(view.tasks[first]?.endedAt) <= Number(view.tasks[second]?.startedAt));
          assert.ok(ended.indexOf(first) < ended.indexOf(second));
        }
        for (const [first, second] of expect.completionOrderConstraints ?? []) {
          assert.ok(ended.indexOf(first) < ended.indexOf(second), `${first} before ${second}`);
        }
        if (expect.completionOrder !== undefined) assert.equal(ended, expect.completionOrder);
        if (expect.ran !== undefined) assert.equal([...ended].sort(), [...expect.ran].sort());
        const ran = expect.notRan?.filter((id) => (view.tasks[id]?.attempts ?? 0) > 0) ?? [];
        assert.equal(ran, each.id in isolated ? expect.notRan : []);
        if (expect.maxConcurrency?.eq !== undefined) assert.is(most, expect.maxConcurrency.eq);
        if (expect.maxConcurrency?.le !== undefined) assert.ok(most <= expect.maxConcurrency.le);
        for (const [id, deps] of Object.entries(expect.inputs ?? {})) assert.equal(inputs[id], deps);
        for (const [id, output] of Object.entries(expect.results ?? {}))
          assert.equal(view.tasks[id]?.output, output);
        assert.is(settledTimes, expect.settledTimes ?? 1);
      });
    }
  },
);

async function run({ tasks, options }: Case) {
  const { clock, engine } = virtualEngine(options);
  const inputs: Record<string, unknown> = {};
  const ended: string[] = [];
  let now = 0;
  let most = 0;
  const graph = Object.fromEntries(
    Object.entries(tasks).map(([id, { needs, duration }]): [string, GraphTask] => [id, { needs, duration }]),
  );
  const flow = createFlowFromGraph({ tasks: graph }, async ({ taskId, deps }) => {
    const task = tasks[taskId];
    inputs[taskId] = deps;
    most = Math.max(most, ++now);
    if (task?.duration) await clock.sleep(task.duration);
    else await Promise.resolve();
    now--;
    if (task?.fails !== undefined) throw new Error(task.fails);
    ended.push(taskId);
    return task?.result;
  });
  const started = await engine.start(flow);
  const view = await clock.run(started.settled());
  let settledTimes = 0;
  // A flow without tasks has settled by the time that it could be listened to.
  for await (const { type } of started.events())
    if (type === 'run.done' || type === 'run.failed') settledTimes++;
  return { view, ended, most, inputs, settledTimes };
}
